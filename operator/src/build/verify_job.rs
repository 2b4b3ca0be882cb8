//! The Job that asks every pod of a candidate the molecules whose answers are known.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use chemmodel_bundle::verification::VerifyReason;
use chemmodel_crds::labels::component;
use chemmodel_crds::spec::StorageMode;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, Container, KeyToPath, ResourceRequirements, Volume, VolumeMount,
};

use super::access::{self, Access};
use super::pod_template::{HTTP_PORT, OPS_PORT, bundle_volume, precision};
use super::sync_container::{self, BUNDLE_VOLUME, TARGET, quantity};
use super::task::{self, Task};
use super::{Keep, RecordedRevision};
use crate::model::{ValidatedModel, names};

/// Annotation of a verify Job: the names of the pods that it asks, sorted, with commas between them.
pub const PODS: &str = "chemmodel.io/pods";

const GOLDEN_VOLUME: &str = "golden";
const GOLDEN_DIRECTORY: &str = "/etc/chemmodel/golden";

/// The Job. `pods` are the names and addresses of the candidate's pods.
pub fn build_verify_job(
    model: &ValidatedModel,
    record: &RecordedRevision,
    attempt: u32,
    pods: &[(String, String)],
) -> Job {
    let mut named: Vec<&str> = pods.iter().map(|(name, _)| name.as_str()).collect();
    named.sort_unstable();
    let ephemeral = record.storage == StorageMode::Ephemeral;
    let account = model.spec.model.s3.service_account_name.clone().filter(|_| ephemeral);
    let access = access::of_verification(model);
    let own = access.volumes.clone();
    let volumes = [
        Some(bundle_volume(model, true)),
        sync_container::ca_volume(model).filter(|_| ephemeral),
        golden_volume(model),
    ];
    task::build(
        model,
        Task {
            name: names::verify_job(model, model.revision, attempt),
            component: component::VERIFY,
            attempt,
            annotations: BTreeMap::from([(PODS.to_owned(), named.join(","))]),
            seconds: model.spec.rollout.verification.timeout_seconds,
            final_codes: VerifyReason::ALL
                .into_iter()
                .filter(|reason| !reason.retryable())
                .map(|reason| reason.exit_code().into())
                .collect(),
            account: account.unwrap_or_else(|| names::shared(model)),
            init_containers: if ephemeral {
                vec![sync_container::build(model, Some(&record.digest), Keep::Everything)]
            } else {
                Vec::new()
            },
            container: container(model, record, pods, access),
            volumes: volumes.into_iter().flatten().chain(own).collect(),
        },
    )
}

fn container(
    model: &ValidatedModel,
    record: &RecordedRevision,
    pods: &[(String, String)],
    access: Access,
) -> Container {
    let read_only = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    let mut mounts = vec![read_only(BUNDLE_VOLUME, TARGET)];
    if model.spec.rollout.verification.golden_config_map_ref.is_some() {
        mounts.push(read_only(GOLDEN_VOLUME, GOLDEN_DIRECTORY));
    }
    mounts.extend(access.mounts);
    Container {
        name: "verify".to_owned(),
        image: Some(model.job_image.clone()),
        command: Some(vec!["/chemmodel-job".to_owned()]),
        args: Some(arguments(model, record, pods).into_iter().chain(access.arguments).collect()),
        resources: Some(ResourceRequirements {
            requests: Some([quantity("cpu", "100m"), quantity("memory", "32Mi")].into()),
            limits: Some([quantity("memory", "128Mi")].into()),
            claims: None,
        }),
        security_context: Some(sync_container::container_security()),
        volume_mounts: Some(mounts),
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn arguments(model: &ValidatedModel, record: &RecordedRevision, pods: &[(String, String)]) -> Vec<String> {
    let verification = &model.spec.rollout.verification;
    // The rest is for the start of its pod and for its report: a Job that is ended by its deadline says nothing.
    let seconds = verification.timeout_seconds - verification.timeout_seconds / 5;
    let mut arguments = vec![
        "verify".to_owned(),
        format!("--bundle={TARGET}/models/{}", record.digest.hex()),
        format!("--digest={}", record.digest),
        format!("--revision={}", model.revision),
        format!("--version={}", record.version),
        format!("--precision={}", precision(model)),
        format!("--ops-port={OPS_PORT}"),
        format!("--service=http://{}:{}", names::preview(model), model.spec.service.port),
        format!("--timeout-seconds={seconds}"),
        "--log-format=json".to_owned(),
    ];
    arguments.extend(pods.iter().map(|(name, address)| match address.parse::<IpAddr>() {
        Ok(address) => format!("--pod={name}={}", SocketAddr::new(address, HTTP_PORT)),
        Err(_) => format!("--pod={name}={address}:{HTTP_PORT}"),
    }));
    arguments.extend(
        verification.golden_config_map_ref.as_ref().map(|map| format!("--golden={GOLDEN_DIRECTORY}/{}", map.key)),
    );
    arguments.extend(verification.abs_tolerance.map(|value| format!("--abs-tolerance={value}")));
    arguments.extend(verification.rel_tolerance.map(|value| format!("--rel-tolerance={value}")));
    arguments.extend(verification.max_p95_milliseconds.map(|value| format!("--max-p95-milliseconds={value}")));
    arguments
}

fn golden_volume(model: &ValidatedModel) -> Option<Volume> {
    let map = model.spec.rollout.verification.golden_config_map_ref.as_ref()?;
    Some(Volume {
        name: GOLDEN_VOLUME.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: map.name.clone(),
            items: Some(vec![KeyToPath { key: map.key.clone(), path: map.key.clone(), mode: None }]),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    })
}
