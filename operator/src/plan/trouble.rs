//! Why pods do not get on, in the words of the kubelet and the scheduler.

use chemmodel_bundle::report::SyncReport;
use chemmodel_bundle::verification::VerifyReport;
use chemmodel_crds::conditions::reason;
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

use super::observed::Observed;
use super::rollout::{Stage, Step};
use super::sync::Artifact;
use super::verify::Verification;
use crate::model::ValidatedModel;

/// What keeps a pod from running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Reason of a condition.
    pub reason: &'static str,
    /// The sentence for people.
    pub message: String,
}

/// What is in the way at this stage: of the Job that is at work, of the candidate where there is one, else of the active revision.
pub fn present(
    model: &ValidatedModel,
    seen: &Observed,
    artifact: &Artifact,
    verification: &Verification,
    stage: &Stage,
) -> Option<Trouble> {
    let of = |revision| of_pods(model, seen.server_pods(revision));
    match stage {
        Stage::Syncing => match artifact {
            Artifact::Running { trouble, .. } => trouble.clone(),
            Artifact::Recorded(_)
            | Artifact::Proven(_)
            | Artifact::Due { .. }
            | Artifact::Failed { .. }
            | Artifact::Refused { .. } => None,
        },
        Stage::Preparing { step: Step::Verifying, .. } => match verification {
            Verification::Running { trouble } => trouble.clone(),
            Verification::NotRequired
            | Verification::Due { .. }
            | Verification::Passed(_)
            | Verification::Failed { .. } => None,
        },
        Stage::Preparing { .. } | Stage::Switching { .. } => of(model.revision),
        // What the revision that failed left behind is told by its verdict.
        Stage::Failing { revision, .. } => of(*revision),
        Stage::Settled
        | Stage::Promoting { .. }
        | Stage::Observing { .. }
        | Stage::Returning { .. }
        | Stage::GivenUp => seen.active().and_then(|(_, revision)| of(revision)),
    }
}

/// The trouble of the first pod that has any.
pub fn of_pods<'a>(model: &ValidatedModel, pods: impl Iterator<Item = &'a Pod>) -> Option<Trouble> {
    let mut pods: Vec<&Pod> = pods.filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect();
    pods.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    pods.into_iter().find_map(|pod| of_scheduling(model, pod).or_else(|| of_containers(pod)))
}

/// The trouble of the first pod that finds no node.
pub fn of_scheduling(model: &ValidatedModel, pod: &Pod) -> Option<Trouble> {
    let condition = pod.status.as_ref()?.conditions.as_ref()?.iter().find(|c| c.type_ == "PodScheduled")?;
    if condition.status == "True" || condition.reason.as_deref() != Some("Unschedulable") {
        return None;
    }
    let sentence = condition.message.clone().unwrap_or_default();
    let short_of_gpu =
        model.gpu.as_ref().is_some_and(|gpu| sentence.contains(&format!("Insufficient {}", gpu.resource_name)));
    let reason = if short_of_gpu { reason::INSUFFICIENT_GPU } else { reason::UNSCHEDULABLE };
    Some(Trouble { reason, message: format!("pod {} finds no node: {sentence}", name(pod)) })
}

fn of_containers(pod: &Pod) -> Option<Trouble> {
    let status = pod.status.as_ref()?;
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten()).find_map(|container| of_container(pod, container))
}

fn of_container(pod: &Pod, container: &ContainerStatus) -> Option<Trouble> {
    let who = format!("container {} of pod {}", container.name, name(pod));
    let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
    let waiting_reason = waiting.and_then(|waiting| waiting.reason.as_deref()).unwrap_or_default();
    let waiting_message = waiting.and_then(|waiting| waiting.message.as_deref()).unwrap_or_default();
    match waiting_reason {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => Some(Trouble {
            reason: reason::IMAGE_PULL_FAILED,
            message: format!("{who} cannot get its image {}: {waiting_message}", container.image),
        }),
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            Some(Trouble { reason: reason::POD_FAILING, message: format!("{who} cannot start: {waiting_message}") })
        }
        _ => {
            // A container that ended and will be tried again: its last words say why.
            let last = ended(container.state.as_ref()).or_else(|| ended(container.last_state.as_ref()))?;
            if container.ready {
                return None;
            }
            Some(Trouble { reason: reason::POD_FAILING, message: format!("{who} {last}") })
        }
    }
}

fn ended(state: Option<&ContainerState>) -> Option<String> {
    let terminated = state?.terminated.as_ref()?;
    if terminated.exit_code == 0 {
        return None;
    }
    let cause = terminated.reason.as_deref().unwrap_or("Error");
    let words = terminated.message.as_deref().map(last_words).unwrap_or_default();
    Some(format!(
        "ended with exit code {} ({cause}){}{words}",
        terminated.exit_code,
        if words.is_empty() { "" } else { ": " }
    ))
}

/// A report's sentence, or the end of whatever was logged last.
fn last_words(message: &str) -> String {
    const MOST: usize = 600;
    let text = match (SyncReport::parse(message), VerifyReport::parse(message)) {
        (Ok(SyncReport::Failed(failure)), _) => failure.message,
        (_, Ok(VerifyReport::Failed(failure))) => failure.message,
        _ => message.trim().to_owned(),
    };
    let start = text.char_indices().rev().nth(MOST - 1).map_or(0, |(at, _)| at);
    text[start..].to_owned()
}

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or("?")
}
