//! Phase, reason and message: what is going on, what is waited for and until when, or what to do.

use chemmodel_crds::conditions::reason;
use chemmodel_crds::spec::{AccessMode, StorageMode};
use chemmodel_crds::status::Phase;
use jiff::Timestamp;

use super::observed::Observed;
use super::rollout::{self, Stage};
use super::sync::Artifact;
use super::trouble::Trouble;
use crate::model::ValidatedModel;

/// The story of a ChemModel in three parts.
pub struct Story {
    /// Where the ChemModel stands.
    pub phase: Phase,
    /// `None` only when nothing is to be said.
    pub reason: Option<String>,
    /// The sentence.
    pub message: String,
}

/// Tells the story.
pub fn story(
    model: &ValidatedModel,
    seen: &Observed,
    artifact: &Artifact,
    stage: &Stage,
    trouble: Option<&Trouble>,
    now: Timestamp,
) -> Story {
    let version = &model.spec.model.version;
    if model.spec.suspend {
        let message = "spec.suspend is true: pods and traffic stay as they are".to_owned();
        return Story { phase: Phase::Suspended, reason: Some(reason::SUSPENDED.to_owned()), message };
    }
    match stage {
        Stage::Settled => settled(model, seen, trouble),
        Stage::Switching { colour, .. } => Story {
            phase: Phase::Starting,
            reason: Some(reason::STARTING.to_owned()),
            message: format!("version {version} is ready in {}: giving it the traffic", colour.as_str()),
        },
        Stage::Starting { colour, wanted, deadline, .. } => {
            let available = seen
                .slot(*colour)
                .filter(|slot| slot.revision == model.revision.as_str())
                .map_or(0, |slot| slot.available);
            let why = trouble.map(|trouble| format!("; {}", trouble.message)).unwrap_or_default();
            let counts = format!("{available} of {wanted} pods of version {version} in {}", colour.as_str());
            let stuck = now >= *deadline;
            let message = if stuck {
                format!(
                    "only {counts} are available after spec.rollout.progressDeadlineSeconds{why}; the traffic stays where it is"
                )
            } else {
                format!("{counts} are available; waiting until {}{why}", minute(*deadline))
            };
            let fallback = if stuck { reason::PROGRESS_DEADLINE_EXCEEDED } else { reason::STARTING };
            Story {
                phase: if stuck { Phase::Blocked } else { Phase::Starting },
                reason: Some(trouble.map_or(fallback, |trouble| trouble.reason).to_owned()),
                message,
            }
        }
        Stage::AwaitingArtifact => syncing(model, artifact),
    }
}

fn settled(model: &ValidatedModel, seen: &Observed, trouble: Option<&Trouble>) -> Story {
    let version = &model.spec.model.version;
    let one_node = match (&model.spec.storage.mode, model.spec.storage.access_mode.unwrap_or_default()) {
        (StorageMode::Volume, AccessMode::ReadWriteOnce)
            if model.fixed_replicas().is_none_or(|replicas| replicas > 1) =>
        {
            "; all pods share one node, because the volume is ReadWriteOnce"
        }
        _ => "",
    };
    let message = match (seen.ready_endpoints(), trouble) {
        (0, Some(trouble)) => format!("version {version} does not answer: {}", trouble.message),
        (0, None) => format!("version {version} has the traffic, and none of its pods answers yet"),
        (_, Some(trouble)) => format!("version {version} answers at {}; {}", url(model), trouble.message),
        (_, None) => format!("version {version} answers at {}{one_node}", url(model)),
    };
    let reason = match (seen.ready_endpoints(), trouble) {
        (_, Some(trouble)) => Some(trouble.reason.to_owned()),
        (0, None) => Some(reason::NO_READY_ENDPOINTS.to_owned()),
        (_, None) => None,
    };
    Story { phase: Phase::Stable, reason, message }
}

/// The story of the bundle.
pub fn syncing(model: &ValidatedModel, artifact: &Artifact) -> Story {
    let uri = &model.spec.model.uri;
    let (phase, reason, message) = match artifact {
        Artifact::Failed { reason, message, retry_at } => {
            (Phase::Blocked, *reason, format!("{message}; next try at {}", second(*retry_at)))
        }
        Artifact::Refused { message } => (Phase::Blocked, reason::DIGEST_CHANGED, message.clone()),
        Artifact::Running { trouble: Some(trouble), .. } => (Phase::Syncing, trouble.reason, trouble.message.clone()),
        Artifact::Running { since, trouble: None } => {
            let deadline = minute(rollout::deadline(model, *since));
            (Phase::Syncing, reason::SYNCING, format!("fetching {uri}; waiting until {deadline}"))
        }
        Artifact::Due { .. } => (Phase::Syncing, reason::SYNCING, format!("about to fetch {uri}")),
        Artifact::Proven(_) | Artifact::Recorded(_) => {
            (Phase::Syncing, reason::SYNCED, format!("{uri} is in the cluster, whole and checked"))
        }
    };
    Story { phase, reason: Some(reason.to_owned()), message }
}

/// The address of the model inside the cluster.
pub fn url(model: &ValidatedModel) -> String {
    let (name, namespace) = (&model.name, &model.namespace);
    match model.spec.service.port {
        80 => format!("http://{name}.{namespace}"),
        port => format!("http://{name}.{namespace}:{port}"),
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%H:%M UTC").to_string()
}

fn second(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}
