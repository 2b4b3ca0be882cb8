//! What a person reads: phase, reason, message, slots and conditions, all derived from the same facts as the actions.

use chemmodel_crds::ChemModelStatus;
use chemmodel_crds::conditions::{kind, reason};
use chemmodel_crds::status::{Candidate, Colour, Phase, Previous, Slot};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::conditions::{Outcome, autoscaler, merge};
use super::observed::Observed;
use super::rollout::{self, Stage};
use super::scale::scale_down_at;
use super::sync::Artifact;
use super::trouble::{self, Trouble};
use crate::build::slot_selector;
use crate::model::{InvalidSpec, ValidatedModel};

/// The story of a ChemModel in three parts.
struct Story {
    phase: Phase,
    /// `None` only when Stable.
    reason: Option<String>,
    message: String,
}

/// Derives the status.
pub fn derive(
    model: &ValidatedModel,
    seen: &Observed,
    artifact: &Artifact,
    stage: &Stage,
    now: Timestamp,
) -> ChemModelStatus {
    let trouble = current_trouble(model, seen, artifact, stage);
    let story = story(model, seen, artifact, stage, trouble.as_ref(), now);
    let active = active(seen, now);
    let live = active.as_ref().and_then(|slot| seen.slot(slot.colour));
    let shown = live.or_else(|| stage.candidate().and_then(|(colour, _, _)| seen.slot(colour)));
    let conditions = conditions(model, seen, artifact, stage, &story, trouble.as_ref());

    ChemModelStatus {
        observed_generation: model.generation,
        phase: Some(story.phase),
        reason: story.reason,
        message: Some(story.message),
        url: active.as_ref().map(|_| url(model)),
        replicas: live.map_or(0, |slot| slot.existing),
        ready_replicas: live.map_or(0, |slot| slot.ready),
        ready_summary: shown.map(|slot| format!("{}/{}", slot.ready, slot.wanted)),
        selector: active.as_ref().map(|slot| selector(model, slot.colour)),
        candidate: candidate(model, seen, artifact, stage, now),
        previous: previous(model, seen, stage, now),
        active,
        conditions: merge(&seen.status.conditions, conditions, model.generation, now),
    }
}

/// The status for a spec that cannot be used: everything else stays as it was.
pub fn refused(generation: Option<i64>, seen: &Observed, error: &InvalidSpec, now: Timestamp) -> ChemModelStatus {
    let message = format!("{error}; nothing was changed");
    let outcomes = vec![
        ready(seen, None),
        Outcome::no(kind::PROGRESSING, reason::INVALID_SPEC, &message),
        Outcome::yes(kind::DEGRADED, reason::INVALID_SPEC, &message),
    ];
    ChemModelStatus {
        observed_generation: generation,
        phase: Some(Phase::Blocked),
        reason: Some(reason::INVALID_SPEC.to_owned()),
        conditions: merge(&seen.status.conditions, outcomes, generation, now),
        message: Some(message),
        ..seen.status.clone()
    }
}

fn story(
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
        (chemmodel_crds::spec::StorageMode::Volume, chemmodel_crds::spec::AccessMode::ReadWriteOnce)
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

fn syncing(model: &ValidatedModel, artifact: &Artifact) -> Story {
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

fn conditions(
    model: &ValidatedModel,
    seen: &Observed,
    artifact: &Artifact,
    stage: &Stage,
    story: &Story,
    trouble: Option<&Trouble>,
) -> Vec<Outcome> {
    let why = story.reason.as_deref().unwrap_or(reason::AS_EXPECTED);
    let blocked = story.phase == Phase::Blocked;
    let progressing = match (stage, blocked) {
        (Stage::Settled, _) => {
            Outcome::no(kind::PROGRESSING, reason::PROMOTED, "the revision of the spec has the traffic")
        }
        (_, true) => Outcome::no(kind::PROGRESSING, why, &story.message),
        (_, false) => Outcome::yes(kind::PROGRESSING, why, &story.message),
    };
    let degraded = if blocked || trouble.is_some() {
        Outcome::yes(kind::DEGRADED, why, &story.message)
    } else {
        Outcome::no(kind::DEGRADED, reason::AS_EXPECTED, "nothing is wrong")
    };
    let mut outcomes =
        vec![ready(seen, trouble), artifact_ready(model, artifact), progressing, scheduled(trouble), degraded];
    outcomes.extend(model.spec.autoscaling.as_ref().map(|_| autoscaler(seen.autoscaler.as_ref())));
    outcomes
}

fn ready(seen: &Observed, trouble: Option<&Trouble>) -> Outcome {
    match (seen.active(), seen.ready_endpoints()) {
        (None, _) => Outcome::no(kind::READY, reason::NOT_YET_SERVING, "no revision has been given the traffic yet"),
        (Some(_), 0) => {
            let why = trouble.map_or("no pod of the active revision is ready", |trouble| &trouble.message);
            Outcome::no(kind::READY, reason::NO_READY_ENDPOINTS, why)
        }
        (Some(_), _) => Outcome::yes(kind::READY, reason::ENDPOINTS_READY, "the live endpoint answers"),
    }
}

fn artifact_ready(model: &ValidatedModel, artifact: &Artifact) -> Outcome {
    match artifact {
        Artifact::Recorded(record) => {
            Outcome::yes(kind::ARTIFACT_READY, reason::SYNCED, &format!("{} is {}", record.uri, record.digest))
        }
        Artifact::Proven(_)
        | Artifact::Due { .. }
        | Artifact::Running { .. }
        | Artifact::Failed { .. }
        | Artifact::Refused { .. } => {
            let story = syncing(model, artifact);
            Outcome::no(kind::ARTIFACT_READY, story.reason.as_deref().unwrap_or(reason::SYNCING), &story.message)
        }
    }
}

fn scheduled(trouble: Option<&Trouble>) -> Outcome {
    match trouble {
        Some(Trouble { reason, message }) if [reason::INSUFFICIENT_GPU, reason::UNSCHEDULABLE].contains(reason) => {
            Outcome::no(kind::SCHEDULED, reason, message)
        }
        _ => Outcome::yes(kind::SCHEDULED, reason::ALL_SCHEDULED, "every pod has a node"),
    }
}

/// The trouble of the candidate where there is one, else of the active revision.
fn current_trouble(model: &ValidatedModel, seen: &Observed, artifact: &Artifact, stage: &Stage) -> Option<Trouble> {
    match (stage, artifact) {
        (Stage::AwaitingArtifact, Artifact::Running { trouble, .. }) => trouble.clone(),
        (Stage::AwaitingArtifact, _) => None,
        _ => trouble::of_pods(model, seen.server_pods(model.revision.as_str())),
    }
}

fn active(seen: &Observed, now: Timestamp) -> Option<Slot> {
    let (colour, revision) = seen.active()?;
    let before = seen.status.active.as_ref().filter(|a| a.colour == colour && a.revision == revision.as_str());
    let (version, digest) = match (seen.records().remove(&revision), before) {
        (Some((_, record)), _) => (record.version, record.digest.to_string()),
        (None, Some(before)) => (before.version.clone(), before.digest.clone()),
        (None, None) => (String::new(), String::new()),
    };
    let since = before.map_or(Time(now), |before| before.since.clone());
    Some(Slot { colour, version, digest, revision: revision.to_string(), since })
}

fn candidate(
    model: &ValidatedModel,
    seen: &Observed,
    artifact: &Artifact,
    stage: &Stage,
    now: Timestamp,
) -> Option<Candidate> {
    let colour = stage.candidate().map(|(colour, _, _)| colour);
    let since = match (stage, artifact) {
        (Stage::Settled, _) => return None,
        // A failed sync starts over at its own time; the clock of the step is the Job's.
        (Stage::AwaitingArtifact, Artifact::Running { since, .. }) => *since,
        _ => rollout::step_began(model, seen, colour, now),
    };
    let digest = match artifact {
        Artifact::Recorded(record) => Some(record.digest.to_string()),
        Artifact::Proven(digest) => Some(digest.to_string()),
        _ => None,
    };
    Some(Candidate {
        colour,
        version: model.spec.model.version.clone(),
        digest,
        revision: model.revision.to_string(),
        since: Time(since),
        deadline: Time(rollout::deadline(model, since)),
    })
}

/// The other slot, as long as it is warm and nobody's candidate.
fn previous(model: &ValidatedModel, seen: &Observed, stage: &Stage, now: Timestamp) -> Option<Previous> {
    let (active, _) = seen.active()?;
    let colour = active.other();
    if stage.candidate().is_some() {
        return None;
    }
    let slot = seen.slot(colour).filter(|slot| slot.wanted > 0)?;
    let at = scale_down_at(model, seen, colour, now)?;
    let record = seen.records().remove(&crate::model::revision::RevisionHash::from_label(slot.revision));
    let (version, digest) =
        record.map_or_else(Default::default, |(_, record)| (record.version, record.digest.to_string()));
    Some(Previous { colour, version, digest, revision: slot.revision.to_owned(), scale_down_at: Time(at) })
}

fn url(model: &ValidatedModel) -> String {
    let (name, namespace) = (&model.name, &model.namespace);
    match model.spec.service.port {
        80 => format!("http://{name}.{namespace}"),
        port => format!("http://{name}.{namespace}:{port}"),
    }
}

fn selector(model: &ValidatedModel, colour: Colour) -> String {
    let pairs: Vec<String> =
        slot_selector(model, colour).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

fn minute(at: Timestamp) -> String {
    at.strftime("%H:%M UTC").to_string()
}

fn second(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}
