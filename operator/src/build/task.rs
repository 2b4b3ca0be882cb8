//! What the operator's Jobs have in common: one pod at a time, an end in time, and exit codes that say whether trying again makes sense.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::pod_template::affinity_to_the_volume;
use super::{labels, meta, sync_container};
use crate::model::ValidatedModel;

/// Annotation of a Job: which attempt at this revision it is, from 1.
pub const ATTEMPT: &str = "chemmodel.io/attempt";
/// Pods that may fail for a passing cause before the Job does.
const RETRIES: i32 = 5;

/// One of the operator's Jobs.
pub struct Task {
    /// Name of the Job.
    pub name: String,
    /// What its pods are labelled with.
    pub component: &'static str,
    /// Which attempt it is.
    pub attempt: u32,
    /// Annotations beside the attempt.
    pub annotations: BTreeMap<String, String>,
    /// How long it may take.
    pub seconds: i32,
    /// Exit codes with which trying again makes no sense.
    pub final_codes: Vec<i32>,
    /// Service account of the pod.
    pub account: String,
    /// What runs first.
    pub init_containers: Vec<Container>,
    /// What runs.
    pub container: Container,
    /// What is mounted.
    pub volumes: Vec<Volume>,
}

/// The Job of a task.
pub fn build(model: &ValidatedModel, task: Task) -> Job {
    let Task {
        name,
        component,
        attempt,
        annotations,
        seconds,
        final_codes,
        account,
        init_containers,
        container,
        volumes,
    } = task;
    let failure_policy = failure_policy(&container.name, final_codes);
    let settings = &model.spec.pod;
    let mut metadata = meta(model, name);
    metadata.labels.get_or_insert_default().extend(labels::task_pod(model, component));
    metadata.annotations = Some(annotations).map(|mut annotations| {
        annotations.insert(ATTEMPT.to_owned(), attempt.to_string());
        annotations
    });
    Job {
        metadata,
        spec: Some(JobSpec {
            backoff_limit: Some(RETRIES),
            active_deadline_seconds: Some(seconds.into()),
            parallelism: Some(1),
            completions: Some(1),
            // Never two at once: a new pod only after the old one is gone.
            pod_replacement_policy: Some("Failed".to_owned()),
            pod_failure_policy: Some(failure_policy),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels::task_pod(model, component)),
                    ..ObjectMeta::default()
                }),
                spec: Some(PodSpec {
                    init_containers: Some(init_containers).filter(|containers| !containers.is_empty()),
                    containers: vec![container],
                    volumes: Some(volumes),
                    restart_policy: Some("Never".to_owned()),
                    service_account_name: Some(account),
                    automount_service_account_token: Some(false),
                    enable_service_links: Some(false),
                    security_context: Some(sync_container::pod_security()),
                    termination_grace_period_seconds: Some(10),
                    // Where the servers run: a volume that binds late must bind within their reach.
                    affinity: affinity_to_the_volume(model),
                    node_selector: Some(settings.node_selector.clone()).filter(|selector| !selector.is_empty()),
                    tolerations: Some(settings.tolerations.clone()).filter(|tolerations| !tolerations.is_empty()),
                    image_pull_secrets: Some(settings.image_pull_secrets.clone()).filter(|secrets| !secrets.is_empty()),
                    ..PodSpec::default()
                }),
            },
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// A drained node does not count; a final exit code ends the Job at once.
fn failure_policy(container: &str, mut final_codes: Vec<i32>) -> PodFailurePolicy {
    final_codes.sort_unstable();
    PodFailurePolicy {
        rules: vec![
            PodFailurePolicyRule {
                action: "Ignore".to_owned(),
                on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                    type_: "DisruptionTarget".to_owned(),
                    status: "True".to_owned(),
                }]),
                on_exit_codes: None,
            },
            PodFailurePolicyRule {
                action: "FailJob".to_owned(),
                on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
                    container_name: Some(container.to_owned()),
                    operator: "In".to_owned(),
                    values: final_codes,
                }),
                on_pod_conditions: None,
            },
        ],
    }
}
