//! Which revision has the traffic, which one is next, and whether it may have it.
//!
//! The active colour is what the Service selects. A revision that is not active starts in the other colour, with as many pods as the
//! active one has, and gets the traffic when all of them are available. Verification will gate the switch here; see [`may_switch`].

use chemmodel_crds::status::Colour;
use jiff::{SignedDuration, Timestamp};

use super::observed::{Observed, SlotView};
use super::sync::Artifact;
use crate::build::RecordedRevision;
use crate::model::ValidatedModel;
use crate::model::revision::RevisionHash;

/// Where the rollout of the spec's revision stands.
#[derive(Clone, Debug)]
pub enum Stage {
    /// The revision cannot start before its bundle is in the cluster.
    AwaitingArtifact,
    /// Its pods are starting in `colour`.
    Starting {
        /// Slot of the candidate.
        colour: Colour,
        /// The revision to run there.
        record: Box<RecordedRevision>,
        /// Pods that it must have before the switch.
        wanted: i32,
        /// When it is reported as stuck.
        deadline: Timestamp,
    },
    /// Its pods are all available: the traffic goes to `colour` now.
    Switching {
        /// Slot of the candidate.
        colour: Colour,
        /// The revision that runs there.
        record: Box<RecordedRevision>,
        /// Pods that it has.
        wanted: i32,
    },
    /// It has the traffic.
    Settled,
}

impl Stage {
    /// The slot in which a candidate runs, the revision that it runs and its pods.
    pub fn candidate(&self) -> Option<(Colour, &RecordedRevision, i32)> {
        match self {
            Self::Starting { colour, record, wanted, .. } | Self::Switching { colour, record, wanted } => {
                Some((*colour, record, *wanted))
            }
            Self::AwaitingArtifact | Self::Settled => None,
        }
    }
}

/// Decides where the rollout stands.
pub fn decide(model: &ValidatedModel, seen: &Observed, artifact: &Artifact, now: Timestamp) -> Stage {
    let active = seen.active();
    if active.as_ref().is_some_and(|(_, revision)| *revision == model.revision) {
        return Stage::Settled;
    }
    let Artifact::Recorded(record) = artifact else {
        return Stage::AwaitingArtifact;
    };
    let colour = free_slot(active.as_ref());
    let wanted = candidate_size(model, seen, active.as_ref());
    let record = record.clone();
    if may_switch(seen.slot(colour), &model.revision, wanted) {
        Stage::Switching { colour, record, wanted }
    } else {
        let deadline = deadline(model, step_began(model, seen, Some(colour), now));
        Stage::Starting { colour, record, wanted, deadline }
    }
}

/// When the candidate's present step began: kept in the status as long as revision and slot stay the same.
pub fn step_began(model: &ValidatedModel, seen: &Observed, colour: Option<Colour>, now: Timestamp) -> Timestamp {
    let same_step = seen
        .status
        .candidate
        .as_ref()
        .filter(|candidate| candidate.revision == model.revision.as_str() && candidate.colour == colour);
    same_step.map_or(now, |candidate| candidate.since.0)
}

/// When a step that began at `since` is reported as stuck.
pub fn deadline(model: &ValidatedModel, since: Timestamp) -> Timestamp {
    let seconds = model.spec.rollout.progress_deadline_seconds.into();
    since.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(since)
}

/// THE decision of a rollout: a candidate may have the traffic when every pod that it must have runs the revision and is available.
fn may_switch(slot: Option<SlotView<'_>>, revision: &RevisionHash, wanted: i32) -> bool {
    slot.is_some_and(|slot| slot.revision == revision.as_str() && slot.is_complete(wanted))
}

fn free_slot(active: Option<&(Colour, RevisionHash)>) -> Colour {
    active.map_or(Colour::Blue, |(colour, _)| colour.other())
}

/// As many pods as carry the traffic now, so that the switch never halves the capacity.
fn candidate_size(model: &ValidatedModel, seen: &Observed, active: Option<&(Colour, RevisionHash)>) -> i32 {
    match (model.fixed_replicas(), &model.spec.autoscaling) {
        (Some(fixed), _) => fixed,
        (None, Some(scaling)) => {
            let current =
                active.and_then(|(colour, _)| seen.slot(*colour)).map_or(scaling.min_replicas, |slot| slot.wanted);
            current.clamp(scaling.min_replicas, scaling.max_replicas)
        }
        (None, None) => 1,
    }
}
