//! The Job that fetches and proves a revision's bundle before any pod serves it.
//!
//! In storage mode `Volume` it fills the claim. In mode `Ephemeral` it fetches into a folder of its own: nothing stays, but the bundle
//! is proven and its digest known before the first server starts, and every pod then fetches exactly that digest.

use std::collections::BTreeMap;

use chemmodel_bundle::BundleDigest;
use chemmodel_bundle::report::SyncReason;
use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::pod_template::bundle_volume;
use super::{labels, meta, sync_container};
use crate::model::{ValidatedModel, names};

/// Annotation of a sync Job: which attempt at this revision it is, from 1.
pub const ATTEMPT: &str = "chemmodel.io/attempt";
/// Pods that may fail for a passing cause before the Job does.
const RETRIES: i32 = 5;

/// The Job. `pinned` is the digest that the bundle must have, when one is known.
pub fn build_sync_job(model: &ValidatedModel, attempt: u32, pinned: Option<&BundleDigest>) -> Job {
    let mut metadata = meta(model, names::sync_job(model, &model.revision, attempt));
    metadata.labels.get_or_insert_default().extend(labels::sync_pod(model));
    metadata.annotations = Some(BTreeMap::from([(ATTEMPT.to_owned(), attempt.to_string())]));
    Job {
        metadata,
        spec: Some(JobSpec {
            backoff_limit: Some(RETRIES),
            active_deadline_seconds: Some(model.spec.rollout.progress_deadline_seconds.into()),
            parallelism: Some(1),
            completions: Some(1),
            // Never two writers: a new pod only after the old one is gone.
            pod_replacement_policy: Some("Failed".to_owned()),
            pod_failure_policy: Some(failure_policy()),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels::sync_pod(model)), ..ObjectMeta::default() }),
                spec: Some(pod(model, pinned)),
            },
            ..JobSpec::default()
        }),
        status: None,
    }
}

fn pod(model: &ValidatedModel, pinned: Option<&BundleDigest>) -> PodSpec {
    let settings = &model.spec.pod;
    let account = model.spec.model.s3.service_account_name.clone().unwrap_or_else(|| names::shared(model));
    PodSpec {
        containers: vec![sync_container::build(model, pinned)],
        volumes: Some(
            [Some(bundle_volume(model, false)), sync_container::ca_volume(model)].into_iter().flatten().collect(),
        ),
        restart_policy: Some("Never".to_owned()),
        service_account_name: Some(account),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(sync_container::pod_security()),
        termination_grace_period_seconds: Some(10),
        // Where the servers will run: a volume that binds late must bind within their reach.
        node_selector: Some(settings.node_selector.clone()).filter(|selector| !selector.is_empty()),
        tolerations: Some(settings.tolerations.clone()).filter(|tolerations| !tolerations.is_empty()),
        image_pull_secrets: Some(settings.image_pull_secrets.clone()).filter(|secrets| !secrets.is_empty()),
        ..PodSpec::default()
    }
}

/// A drained node does not count; a final exit code ends the Job at once.
fn failure_policy() -> PodFailurePolicy {
    let mut final_codes: Vec<i32> = SyncReason::ALL
        .into_iter()
        .filter(|reason| !reason.retryable())
        .map(|reason| reason.exit_code().into())
        .collect();
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
                    container_name: Some("sync".to_owned()),
                    operator: "In".to_owned(),
                    values: final_codes,
                }),
                on_pod_conditions: None,
            },
        ],
    }
}
