//! What a person reads: phase, reason, message, slots and conditions, all derived from the same facts as the actions.

use chemmodel_crds::ChemModelStatus;
use chemmodel_crds::conditions::{kind, reason};
use chemmodel_crds::status::{Candidate, Colour, Phase, Previous, Slot};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Hindrance;
use super::conditions::{Outcome, merge, outcomes, ready};
use super::observed::Observed;
use super::rollout::{self, Stage};
use super::scale::scale_down_at;
use super::story::{story, url};
use super::sync::Artifact;
use super::trouble::{self, Trouble};
use crate::build::slot_selector;
use crate::model::{InvalidSpec, ValidatedModel};

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
    let conditions = outcomes(model, seen, artifact, stage, &story, trouble.as_ref());

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

/// The status after a write was refused.
pub fn hindered(
    status: ChemModelStatus,
    generation: Option<i64>,
    seen: &Observed,
    why: &Hindrance,
    now: Timestamp,
) -> ChemModelStatus {
    let mut conditions = status.conditions;
    conditions.retain(|condition| condition.type_ != kind::DEGRADED);
    let degraded = Outcome::yes(kind::DEGRADED, why.reason, &why.message);
    conditions.extend(merge(&seen.status.conditions, vec![degraded], generation, now));
    ChemModelStatus {
        phase: Some(Phase::Blocked),
        reason: Some(why.reason.to_owned()),
        message: Some(why.message.clone()),
        conditions,
        ..status
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

fn selector(model: &ValidatedModel, colour: Colour) -> String {
    let pairs: Vec<String> =
        slot_selector(model, colour).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}
