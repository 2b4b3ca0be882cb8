//! The container that runs `chemmodel-job sync`: in the sync Job, and as init container of pods in storage mode `Ephemeral`.

use chemmodel_bundle::BundleDigest;
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, EnvFromSource, KeyToPath, PodSecurityContext, ResourceRequirements,
    SeccompProfile, SecretEnvSource, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::model::ValidatedModel;

/// Where the bundles are mounted.
pub const TARGET: &str = "/var/lib/chemmodel";
/// Name of the volume with the bundles.
pub const BUNDLE_VOLUME: &str = "bundles";
const CA_VOLUME: &str = "ca-bundle";
const CA_DIRECTORY: &str = "/etc/chemmodel/ca";
/// User and group of all our containers.
const USER: i64 = 65_532;

/// What a sync does with the bundles that are on the volume already.
#[derive(Clone, Copy, Debug)]
pub enum Keep<'a> {
    /// Leaves them alone.
    Everything,
    /// Removes what is not among these, before it asks for space.
    Only(&'a [BundleDigest]),
}

/// The container. `digest` pins the bundle when it is known.
pub fn build(model: &ValidatedModel, digest: Option<&BundleDigest>, keep: Keep<'_>) -> Container {
    let s3 = &model.spec.model.s3;
    let mut mounts =
        vec![VolumeMount { name: BUNDLE_VOLUME.to_owned(), mount_path: TARGET.to_owned(), ..VolumeMount::default() }];
    if s3.ca_bundle_config_map_ref.is_some() {
        mounts.push(VolumeMount {
            name: CA_VOLUME.to_owned(),
            mount_path: CA_DIRECTORY.to_owned(),
            read_only: Some(true),
            ..VolumeMount::default()
        });
    }
    Container {
        name: "sync".to_owned(),
        image: Some(model.job_image.clone()),
        command: Some(vec!["/chemmodel-job".to_owned()]),
        args: Some(arguments(model, digest, keep)),
        env_from: s3.credentials_secret_ref.as_ref().map(|secret| {
            vec![EnvFromSource {
                secret_ref: Some(SecretEnvSource { name: secret.name.clone(), optional: None }),
                ..EnvFromSource::default()
            }]
        }),
        resources: Some(ResourceRequirements {
            requests: Some([quantity("cpu", "100m"), quantity("memory", "64Mi")].into()),
            limits: Some([quantity("memory", "256Mi")].into()),
            claims: None,
        }),
        security_context: Some(container_security()),
        volume_mounts: Some(mounts),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn arguments(model: &ValidatedModel, digest: Option<&BundleDigest>, keep: Keep<'_>) -> Vec<String> {
    let s3 = &model.spec.model.s3;
    let mut arguments =
        vec!["sync".to_owned(), format!("--uri={}", model.spec.model.uri), format!("--target={TARGET}")];
    arguments.extend(digest.map(|digest| format!("--digest={digest}")));
    arguments.extend(s3.endpoint.as_ref().map(|endpoint| format!("--endpoint={endpoint}")));
    arguments.extend(s3.region.as_ref().map(|region| format!("--region={region}")));
    arguments.extend(s3.force_path_style.then(|| "--path-style".to_owned()));
    arguments.extend(
        s3.ca_bundle_config_map_ref.as_ref().map(|bundle| format!("--ca-bundle={CA_DIRECTORY}/{}", bundle.key)),
    );
    if let Keep::Only(digests) = keep {
        arguments.push("--collect".to_owned());
        arguments.extend(digests.iter().map(|digest| format!("--keep={digest}")));
    }
    arguments.push("--log-format=json".to_owned());
    arguments
}

/// The volume with the certificates of `spec.model.s3.caBundleConfigMapRef`.
pub fn ca_volume(model: &ValidatedModel) -> Option<Volume> {
    let bundle = model.spec.model.s3.ca_bundle_config_map_ref.as_ref()?;
    Some(Volume {
        name: CA_VOLUME.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: bundle.name.clone(),
            items: Some(vec![KeyToPath { key: bundle.key.clone(), path: bundle.key.clone(), mode: None }]),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    })
}

pub fn quantity(key: &str, value: &str) -> (String, Quantity) {
    (key.to_owned(), Quantity(value.to_owned()))
}

/// The Pod Security Standard "restricted".
pub fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(USER),
        run_as_group: Some(USER),
        fs_group: Some(USER),
        // Volumes with many files would be walked at each start otherwise.
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

/// "restricted", and a root file system that nobody can write.
pub fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        run_as_non_root: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    }
}
