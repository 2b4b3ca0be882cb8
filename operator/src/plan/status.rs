//! What a person reads: phase, reason, message, slots and conditions, all derived from the same facts as the actions.

use chemmodel_bundle::verification::{Figures, WorstMolecule};
use chemmodel_crds::ChemModelStatus;
use chemmodel_crds::conditions::{kind, reason};
use chemmodel_crds::status::{Candidate, Colour, Failed, Phase, Previous, Slot, Stable, Verified};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::conditions::{Outcome, merge, outcomes, ready};
use super::observed::Observed;
use super::rollout::facts::Standing;
use super::rollout::{Memory, Stage, capacity};
use super::story::{failure, story, url};
use super::sync::{self, Artifact};
use super::{Hindrance, Picture, history};
use crate::build::slot_selector;
use crate::model::revision::RevisionHash;
use crate::model::{InvalidSpec, ValidatedModel};

/// Derives the status.
pub fn derive(picture: &Picture<'_>) -> ChemModelStatus {
    let Picture { model, seen, facts, stage, memory, now, .. } = picture;
    let before = &seen.status;
    if model.spec.suspend {
        return suspended(picture);
    }
    let story = story(picture);
    let active = memory.active.map(|reign| active(picture, reign.standing, reign.since));
    let live = active.as_ref().and_then(|slot| seen.slot(slot.colour));
    let shown = live.or_else(|| seen.slot(stage.candidate()?.standing.colour));
    let conditions = outcomes(picture, &story);

    let mut status = ChemModelStatus {
        observed_generation: model.generation,
        phase: Some(story.phase),
        since: Some(since(before, story.phase, *now)),
        reason: story.reason,
        message: Some(story.message),
        url: active.as_ref().map(|_| url(model)),
        replicas: live.map_or(0, |slot| slot.existing),
        ready_replicas: live.map_or(0, |slot| slot.ready),
        ready_summary: shown.map(|slot| format!("{}/{}", slot.ready, slot.wanted)),
        selector: active.as_ref().map(|slot| selector(model, slot.colour)),
        stable: memory.stable.map(|standing| stable(seen, standing)),
        candidate: candidate(picture),
        previous: memory.previous.and_then(|standing| {
            let (version, digest) = identity(seen, standing.revision);
            let at = capacity::scale_down_at(facts, standing, *now)?;
            let (colour, revision) = (standing.colour, standing.revision.to_string());
            Some(Previous { colour, version, digest, revision, scale_down_at: Time(at) })
        }),
        failed: failed(picture, memory),
        active,
        conditions: merge(&before.conditions, conditions, model.generation, *now),
        history: Vec::new(),
    };
    let found = picture.verification.figures().map(verified);
    status.history = history::after(before, &status, found, model.spec.rollout.history_limit, *now);
    status
}

/// The status in suspension: it says so, and whether the endpoint answers; everything else stands still.
fn suspended(picture: &Picture<'_>) -> ChemModelStatus {
    let Picture { model, seen, now, .. } = picture;
    let before = &seen.status;
    let story = story(picture);
    let mut conditions: Vec<_> = before.conditions.iter().filter(|c| c.type_ != kind::READY).cloned().collect();
    let ready = merge(&before.conditions, vec![ready(seen, None)], model.generation, *now);
    conditions.splice(0..0, ready);
    let live = before.active.as_ref().and_then(|slot| seen.slot(slot.colour));
    ChemModelStatus {
        observed_generation: model.generation,
        phase: Some(story.phase),
        since: Some(since(before, story.phase, *now)),
        reason: story.reason,
        message: Some(story.message),
        replicas: live.map_or(0, |slot| slot.existing),
        ready_replicas: live.map_or(0, |slot| slot.ready),
        ready_summary: live.map(|slot| format!("{}/{}", slot.ready, slot.wanted)),
        conditions,
        ..before.clone()
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
        since: Some(since(&seen.status, Phase::Blocked, now)),
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
        since: Some(since(&seen.status, Phase::Blocked, now)),
        reason: Some(why.reason.to_owned()),
        message: Some(why.message.clone()),
        conditions,
        ..status
    }
}

/// Since when a phase lasts: since before, or from now on.
fn since(before: &ChemModelStatus, phase: Phase, now: Timestamp) -> Time {
    before.since.clone().filter(|_| before.phase == Some(phase)).unwrap_or(Time(now))
}

/// The active revision, with what is known of its rollout.
fn active(picture: &Picture<'_>, standing: Standing, since: Timestamp) -> Slot {
    let Picture { model, seen, verification, .. } = picture;
    let revision = standing.revision.to_string();
    let before = seen.status.active.as_ref().filter(|a| a.colour == standing.colour && a.revision == revision);
    let candidate = seen.status.candidate.as_ref().filter(|candidate| candidate.revision == revision);
    let (version, digest) = match (seen.record(standing.revision), before) {
        (Some(record), _) => (record.version, record.digest.to_string()),
        (None, Some(before)) => (before.version.clone(), before.digest.clone()),
        (None, None) => Default::default(),
    };
    let fresh = verification.figures().filter(|_| standing.revision == model.revision).map(verified);
    Slot {
        colour: standing.colour,
        version,
        digest,
        revision,
        since: Time(since),
        started_at: before
            .and_then(|before| before.started_at.clone())
            .or_else(|| candidate.map(|candidate| candidate.started_at.clone())),
        verification: before
            .and_then(|before| before.verification.clone())
            .or_else(|| candidate.and_then(|candidate| candidate.verification.clone()))
            .or(fresh),
    }
}

fn stable(seen: &Observed, standing: Standing) -> Stable {
    let (version, _) = identity(seen, standing.revision);
    Stable { colour: standing.colour, version, revision: standing.revision.to_string() }
}

fn candidate(picture: &Picture<'_>) -> Option<Candidate> {
    let Picture { model, seen, artifact, verification, stage, memory, now, .. } = picture;
    let revision = model.revision.to_string();
    let before = seen.status.candidate.as_ref().filter(|candidate| candidate.revision == revision);
    let started_at = before.map_or(Time(*now), |before| before.started_at.clone());
    let time = |at: Option<Timestamp>| at.map(Time);
    let base = Candidate {
        colour: None,
        version: model.spec.model.version.clone(),
        digest: match artifact {
            Artifact::Recorded(record) => Some(record.digest.to_string()),
            Artifact::Proven(digest) => Some(digest.to_string()),
            Artifact::Due { .. } | Artifact::Running { .. } | Artifact::Failed { .. } | Artifact::Refused { .. } => {
                None
            }
        },
        revision,
        started_at,
        replicas: 0,
        warm: false,
        starting_since: None,
        verifying_since: None,
        awaiting_since: None,
        shrunk_at: None,
        deadline: None,
        verification: None,
    };
    let deadline = match stage {
        Stage::Syncing => {
            let deadline = sync::deadline(artifact);
            return Some(Candidate { deadline: time(deadline), ..base });
        }
        Stage::Preparing { deadline, .. } => Some(*deadline),
        Stage::Switching { .. } => None,
        Stage::Settled
        | Stage::Promoting { .. }
        | Stage::Observing { .. }
        | Stage::Returning { .. }
        | Stage::Failing { .. }
        | Stage::GivenUp => return None,
    };
    // With the clocks that are to be remembered.
    let candidate = memory.candidate?;
    Some(Candidate {
        colour: Some(candidate.standing.colour),
        replicas: candidate.wanted,
        warm: candidate.warm,
        starting_since: Some(Time(candidate.starting_since)),
        verifying_since: time(candidate.verifying_since),
        awaiting_since: time(candidate.awaiting_since),
        shrunk_at: time(candidate.shrunk_at),
        deadline: time(deadline),
        verification: verification.figures().map(verified),
        ..base
    })
}

fn failed(picture: &Picture<'_>, memory: &Memory) -> Option<Failed> {
    let Picture { model, seen, stage, now, .. } = picture;
    let Stage::Failing { revision, outcome, cause } = stage else {
        return seen.status.failed.clone().filter(|_| memory.failed.is_some());
    };
    let (reason, message) = failure(picture, *cause);
    let version =
        if *revision == model.revision { model.spec.model.version.clone() } else { identity(seen, *revision).0 };
    Some(Failed {
        revision: revision.to_string(),
        version,
        outcome: *outcome,
        reason: reason.to_owned(),
        message,
        retry_token: model.spec.rollout.retry_token.clone(),
        at: Time(*now),
    })
}

/// Version and digest of a revision, as recorded.
pub fn identity(seen: &Observed, revision: RevisionHash) -> (String, String) {
    seen.record(revision).map_or_else(Default::default, |record| (record.version, record.digest.to_string()))
}

fn verified(figures: &Figures) -> Verified {
    let worst = |molecule: &WorstMolecule| {
        let WorstMolecule { smiles, output, expected, answered } = molecule;
        let output = output.as_ref().map(|output| format!(" ({output})")).unwrap_or_default();
        format!("{smiles}{output}: expected {expected}, answered {answered}")
    };
    Verified {
        passed: figures.passed,
        total: figures.answers,
        pods: figures.pods,
        provider: figures.provider.clone(),
        p95_milliseconds: figures.p95_milliseconds,
        worst: figures.worst.iter().map(worst).collect(),
    }
}

fn selector(model: &ValidatedModel, colour: Colour) -> String {
    let pairs: Vec<String> =
        slot_selector(model, colour).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}
