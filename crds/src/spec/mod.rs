//! What a user writes: one file per part of the spec.

mod model;
mod pod;
mod rollout;
mod runtime;
mod scaling;
mod security;
mod service;
mod storage;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

pub use model::{CaBundle, Model, S3, SecretKeyRef, SecretRef};
pub use pod::{PodSettings, Resources};
pub use rollout::{Capacity, GoldenConfigMap, Rollout, Verification};
pub use runtime::{Accelerator, Batching, Cache, Gpu, Limits, Precision, Redis, Runtime};
pub use scaling::Autoscaling;
pub use security::{ApiKeys, Auth, NetworkPolicySettings, Security, Tls, TokenReview, VerificationAccess};
pub use service::{ServiceSettings, ServiceType};
pub use storage::{AccessMode, Storage, StorageMode};

/// Re-exported so that builders need not know where it comes from.
pub type Behavior = HorizontalPodAutoscalerBehavior;

/// What to serve and how.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "chemmodel.io",
    version = "v1alpha1",
    kind = "ChemModel",
    plural = "chemmodels",
    shortname = "chem",
    category = "all",
    category = "chem",
    namespaced,
    status = "crate::status::ChemModelStatus",
    derive = "PartialEq",
    doc = "A chemistry model in object storage, served in the cluster. A change of its spec that changes answers or pods rolls out blue/green.",
    validation = Rule::new("self.metadata.name.size() <= 40")
        .message("metadata.name must have at most 40 characters, because names of children are built from it"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("metadata.name must be a DNS label (lower-case letters, digits and '-', starting with a letter), because the Service has the same name"),
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.active.version", description = "Version that answers requests"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status", description = "Whether the live endpoint answers"),
    printcolumn(name = "Active", type_ = "string", json_path = ".status.active.colour", description = "Colour slot that has the traffic"),
    printcolumn(name = "Candidate", type_ = "string", json_path = ".status.candidate.version", description = "Version that is being prepared"),
    printcolumn(name = "Replicas", type_ = "string", json_path = ".status.readySummary", description = "Ready and wanted pods of the active colour"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.reason", description = "Why the ChemModel is not Stable"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Digest", type_ = "string", json_path = ".status.active.digest", priority = 1),
    printcolumn(name = "GPU", type_ = "string", json_path = ".spec.runtime.gpu.count", priority = 1),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1)
)]
#[x_kube(
    validation = Rule::new("!(has(self.replicas) && has(self.autoscaling))")
        .message("spec.replicas and spec.autoscaling are exclusive: set a fixed number or a range, not both"),
    validation = Rule::new("!has(self.rollout) || !has(self.rollout.autoPromoteAfterSeconds) || !has(self.rollout.autoPromote) || self.rollout.autoPromote")
        .message("spec.rollout.autoPromoteAfterSeconds has no meaning with spec.rollout.autoPromote: false: remove one of the two"),
    validation = Rule::new("!has(self.rollout) || !has(self.rollout.promote) || !has(self.rollout.abort) || self.rollout.promote != self.rollout.abort")
        .message("spec.rollout.promote and spec.rollout.abort name the same version: remove one of the two"),
    validation = Rule::new("!has(self.security) || !has(self.security.auth) || !has(self.security.auth.apiKeys) || !self.rollout.verification.required || has(self.rollout.verification.access) && has(self.rollout.verification.access.credentialsSecretRef)")
        .message("spec.security.auth.apiKeys needs spec.rollout.verification.access.credentialsSecretRef, or no version could be verified"),
    validation = Rule::new("!has(self.security) || !has(self.security.tls) || !has(self.security.tls.clientAuthoritySecretRef) || !self.rollout.verification.required || has(self.rollout.verification.access) && has(self.rollout.verification.access.clientCertificateSecretRef)")
        .message("spec.security.tls.clientAuthoritySecretRef needs spec.rollout.verification.access.clientCertificateSecretRef, or no version could be verified"),
    validation = Rule::new("!has(self.service) || !has(self.service.port) || !has(self.service.grpcPort) || self.service.port != self.service.grpcPort")
        .message("spec.service.port and spec.service.grpcPort must be different"),
    validation = Rule::new("self.model.version != oldSelf.model.version || !has(self.model.digest) || !has(oldSelf.model.digest) || self.model.digest == oldSelf.model.digest")
        .message("spec.model.digest must not change while spec.model.version stays the same: give the other bundle another version"),
    validation = Rule::new("self.storage.mode != oldSelf.storage.mode || self.storage.mode != 'Volume' || (has(self.storage.storageClassName) == has(oldSelf.storage.storageClassName) && (!has(self.storage.storageClassName) || self.storage.storageClassName == oldSelf.storage.storageClassName))")
        .message("spec.storage.storageClassName is immutable, as it is for a PersistentVolumeClaim: create another ChemModel"),
    validation = Rule::new("self.storage.mode != oldSelf.storage.mode || self.storage.mode != 'Volume' || (has(self.storage.accessMode) == has(oldSelf.storage.accessMode) && (!has(self.storage.accessMode) || self.storage.accessMode == oldSelf.storage.accessMode))")
        .message("spec.storage.accessMode is immutable, as it is for a PersistentVolumeClaim: create another ChemModel")
)]
pub struct ChemModelSpec {
    /// The bundle to serve and where it lies.
    pub model: Model,

    /// The server that answers: image, accelerator, threads, limits.
    #[serde(default)]
    pub runtime: Runtime,

    /// Settings of the server's pods: resources, placement, labels.
    #[serde(default)]
    pub pod: PodSettings,

    /// Where the bundle is kept in the cluster.
    #[serde(default)]
    pub storage: Storage,

    /// Fixed number of pods; 2 when neither `replicas` nor `autoscaling` is given. Exclusive with `autoscaling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub replicas: Option<i32>,

    /// Range of pods for a HorizontalPodAutoscaler. Exclusive with `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,

    /// How a new revision takes over.
    #[serde(default)]
    pub rollout: Rollout,

    /// The Service in front of the pods.
    #[serde(default)]
    pub service: ServiceSettings,

    /// Who may reach the model.
    #[serde(default)]
    pub security: Security,

    /// True stops every change by the operator; pods and traffic stay as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}
