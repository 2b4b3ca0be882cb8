//! The server's pods. The operator's knowledge of the server is the arguments below; a contract test parses them with the server's own
//! parser.

use std::collections::BTreeMap;

use chemmodel_bundle::BundleDigest;
use chemmodel_crds::labels::{MODEL, component};
use chemmodel_crds::spec::{Accelerator, AccessMode, Precision, SecretKeyRef, StorageMode, TokenReview};
use k8s_openapi::api::core::v1::{
    Affinity, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, EnvVarSource, HTTPGetAction, Lifecycle,
    LifecycleHandler, PersistentVolumeClaimVolumeSource, PodAffinity, PodAffinityTerm, PodAntiAffinity, PodSpec,
    PodTemplateSpec, Probe, SecretKeySelector, SleepAction, Toleration, Volume, VolumeMount, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::access::{self, Access};
use super::sync_container::{self, BUNDLE_VOLUME, Keep, TARGET};
use crate::model::{ValidatedModel, names};

/// Where predictions are asked for.
pub const HTTP_PORT: u16 = 8080;
/// Where predictions are asked for over gRPC.
pub const GRPC_PORT: u16 = 9000;
/// Where probes and Prometheus ask.
pub const OPS_PORT: u16 = 8081;
/// Seconds between a pod's removal from the endpoints and its SIGTERM: proxies need a moment to hear of it.
const PRE_STOP_SECONDS: i64 = 5;
/// Seconds for which the server goes on answering after SIGTERM.
const DRAIN_SECONDS: i64 = 5;
/// The server's limit for one request.
const REQUEST_SECONDS: i64 = 30;
/// For reading the last request, writing the last answer and unloading the model.
const MARGIN_SECONDS: i64 = 10;

/// The pod template of a revision, without the labels of its slot.
pub fn build_pod_template(model: &ValidatedModel, digest: &BundleDigest) -> PodTemplateSpec {
    let settings = &model.spec.pod;
    let access = access::of_server(model);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(settings.labels.clone()),
            annotations: Some(annotations(&settings.annotations)),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            init_containers: init_containers(model, digest),
            volumes: Some(volumes(model).into_iter().chain(access.volumes.clone()).collect()),
            containers: vec![server(model, digest, access)],
            service_account_name: Some(service_account(model)),
            automount_service_account_token: Some(token_review(model).is_some()),
            enable_service_links: Some(false),
            security_context: Some(sync_container::pod_security()),
            termination_grace_period_seconds: Some(PRE_STOP_SECONDS + DRAIN_SECONDS + REQUEST_SECONDS + MARGIN_SECONDS),
            node_selector: Some(settings.node_selector.clone()).filter(|selector| !selector.is_empty()),
            tolerations: Some(tolerations(model)).filter(|tolerations| !tolerations.is_empty()),
            affinity: Some(settings.affinity.clone().unwrap_or_else(|| default_affinity(model))),
            topology_spread_constraints: Some(settings.topology_spread_constraints.clone())
                .filter(|constraints| !constraints.is_empty()),
            priority_class_name: settings.priority_class_name.clone(),
            image_pull_secrets: Some(settings.image_pull_secrets.clone()).filter(|secrets| !secrets.is_empty()),
            ..PodSpec::default()
        }),
    }
}

fn server(model: &ValidatedModel, digest: &BundleDigest, access: Access) -> Container {
    let Access { arguments: more, mounts, volumes: _ } = access;
    let probe = |path: &str| Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("ops".to_owned()),
            ..HTTPGetAction::default()
        }),
        timeout_seconds: Some(2),
        ..Probe::default()
    };
    Container {
        name: "server".to_owned(),
        image: Some(model.server_image.clone()),
        args: Some(arguments(model, digest).into_iter().chain(more).collect()),
        env: Some(environment(model)).filter(|variables| !variables.is_empty()),
        ports: Some(vec![port("http", HTTP_PORT), port("grpc", GRPC_PORT), port("ops", OPS_PORT)]),
        resources: Some(model.resources.clone()),
        security_context: Some(sync_container::container_security()),
        volume_mounts: Some(
            [
                VolumeMount {
                    name: BUNDLE_VOLUME.to_owned(),
                    mount_path: TARGET.to_owned(),
                    read_only: Some(true),
                    ..VolumeMount::default()
                },
                VolumeMount { name: "tmp".to_owned(), mount_path: "/tmp".to_owned(), ..VolumeMount::default() },
            ]
            .into_iter()
            .chain(mounts)
            .collect(),
        ),
        // Ready means: loaded, checked and warmed up. A slow load is no death, so liveness waits for the start.
        startup_probe: Some(Probe { period_seconds: Some(1), failure_threshold: Some(600), ..probe("/readyz") }),
        readiness_probe: Some(Probe { period_seconds: Some(2), failure_threshold: Some(2), ..probe("/readyz") }),
        liveness_probe: Some(Probe { period_seconds: Some(10), failure_threshold: Some(3), ..probe("/livez") }),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                sleep: Some(SleepAction { seconds: PRE_STOP_SECONDS }),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        }),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn arguments(model: &ValidatedModel, digest: &BundleDigest) -> Vec<String> {
    let runtime = &model.spec.runtime;
    let accelerator = match runtime.accelerator {
        Accelerator::Cuda => "cuda",
        Accelerator::Cpu => "cpu",
    };
    let mut arguments = vec![
        format!("--bundle={TARGET}/models/{}", digest.hex()),
        format!("--digest={digest}"),
        format!("--name={}", model.name),
        format!("--version={}", model.spec.model.version),
        format!("--revision={}", model.revision),
        format!("--accelerator={accelerator}"),
        format!("--precision={}", precision(model)),
        format!("--max-batch-tokens={}", runtime.batching.max_batch_tokens),
        format!("--max-batch-items={}", runtime.batching.max_batch_items),
        format!("--max-queue-items={}", runtime.batching.max_queue_items),
        format!("--max-smiles-length={}", runtime.limits.max_smiles_length),
        format!("--max-items-per-request={}", runtime.limits.max_items_per_request),
        format!("--cache-entries={}", runtime.cache.max_entries),
        format!("--drain-seconds={DRAIN_SECONDS}"),
        "--log-format=json".to_owned(),
    ];
    arguments.extend(runtime.threads.map(|threads| format!("--threads={threads}")));
    if let Some(gpu) = &model.gpu {
        arguments.extend(gpu.memory_limit_mebibytes.map(|limit| format!("--gpu-memory-limit={limit}")));
        arguments.extend(gpu.tf32.then(|| "--tf32".to_owned()));
    }
    arguments
}

/// As the server and the Jobs write it.
pub fn precision(model: &ValidatedModel) -> &'static str {
    match model.spec.runtime.precision {
        Precision::Fp32 => "fp32",
        Precision::Int8 => "int8",
        Precision::Fp16 => "fp16",
    }
}

/// What nobody may read in a list of processes.
fn environment(model: &ValidatedModel) -> Vec<EnvVar> {
    let redis = model.spec.runtime.cache.redis.iter().map(|redis| {
        let SecretKeyRef { name, key } = redis.url_secret_ref.clone();
        EnvVar {
            name: "CHEMMODEL_CACHE_REDIS_URL".to_owned(),
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector { name, key, optional: None }),
                ..EnvVarSource::default()
            }),
            ..EnvVar::default()
        }
    });
    redis.collect()
}

fn port(name: &str, number: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: number.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

/// The operations port speaks Prometheus: the usual annotations point to it.
fn annotations(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([
        ("prometheus.io/scrape".to_owned(), "true".to_owned()),
        ("prometheus.io/port".to_owned(), OPS_PORT.to_string()),
        ("prometheus.io/path".to_owned(), "/metrics".to_owned()),
    ]);
    annotations.extend(given.clone());
    annotations
}

fn init_containers(model: &ValidatedModel, digest: &BundleDigest) -> Option<Vec<Container>> {
    match model.spec.storage.mode {
        StorageMode::Volume => None,
        StorageMode::Ephemeral => Some(vec![sync_container::build(model, Some(digest), Keep::Everything)]),
    }
}

fn volumes(model: &ValidatedModel) -> Vec<Volume> {
    let mut volumes = vec![
        bundle_volume(model, true),
        Volume {
            name: "tmp".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource {
                medium: Some("Memory".to_owned()),
                size_limit: Some(Quantity("64Mi".to_owned())),
            }),
            ..Volume::default()
        },
    ];
    if model.spec.storage.mode == StorageMode::Ephemeral {
        volumes.extend(sync_container::ca_volume(model));
    }
    volumes
}

/// The volume with the bundles: the claim, or a folder that lives as long as the pod.
pub fn bundle_volume(model: &ValidatedModel, read_only: bool) -> Volume {
    let mut volume = Volume { name: BUNDLE_VOLUME.to_owned(), ..Volume::default() };
    match model.spec.storage.mode {
        StorageMode::Volume => {
            volume.persistent_volume_claim = Some(PersistentVolumeClaimVolumeSource {
                claim_name: names::shared(model),
                read_only: read_only.then_some(true),
            });
        }
        StorageMode::Ephemeral => {
            volume.empty_dir = Some(EmptyDirVolumeSource {
                medium: None,
                size_limit: Some(Quantity(model.spec.storage.size.clone())),
            });
        }
    }
    volume
}

/// Web identity needs the account that owns it where an init container fetches; all other pods get the one without permissions.
fn service_account(model: &ValidatedModel) -> String {
    if let Some(review) = token_review(model) {
        return review.service_account_name.clone();
    }
    match (model.spec.storage.mode, &model.spec.model.s3.service_account_name) {
        (StorageMode::Ephemeral, Some(account)) => account.clone(),
        _ => names::shared(model),
    }
}

fn token_review(model: &ValidatedModel) -> Option<&TokenReview> {
    model.spec.security.auth.as_ref()?.token_review.as_ref()
}

fn tolerations(model: &ValidatedModel) -> Vec<Toleration> {
    let gpu = model.gpu.iter().map(|gpu| Toleration {
        key: Some(gpu.resource_name.clone()),
        operator: Some("Exists".to_owned()),
        effect: Some("NoSchedule".to_owned()),
        ..Toleration::default()
    });
    model.spec.pod.tolerations.iter().cloned().chain(gpu).collect()
}

/// Different nodes where that is possible; the one node that has the volume where it is not.
fn default_affinity(model: &ValidatedModel) -> Affinity {
    if let Some(affinity) = affinity_to_the_volume(model) {
        return affinity;
    }
    let labels = BTreeMap::from([
        (MODEL.to_owned(), model.name.clone()),
        (chemmodel_crds::labels::COMPONENT.to_owned(), component::SERVER.to_owned()),
    ]);
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![WeightedPodAffinityTerm {
                weight: 100,
                pod_affinity_term: same_node(labels),
            }]),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

/// A `ReadWriteOnce` volume is on one node: whatever mounts it must go where the others are. The first pod may go anywhere, because it
/// matches its own term.
pub fn affinity_to_the_volume(model: &ValidatedModel) -> Option<Affinity> {
    let storage = &model.spec.storage;
    let shared =
        storage.mode == StorageMode::Volume && storage.access_mode.unwrap_or_default() == AccessMode::ReadWriteOnce;
    shared.then(|| Affinity {
        pod_affinity: Some(PodAffinity {
            required_during_scheduling_ignored_during_execution: Some(vec![same_node(BTreeMap::from([(
                MODEL.to_owned(),
                model.name.clone(),
            )]))]),
            ..PodAffinity::default()
        }),
        ..Affinity::default()
    })
}

fn same_node(labels: BTreeMap<String, String>) -> PodAffinityTerm {
    PodAffinityTerm {
        topology_key: "kubernetes.io/hostname".to_owned(),
        label_selector: Some(LabelSelector { match_labels: Some(labels), match_expressions: None }),
        ..PodAffinityTerm::default()
    }
}
