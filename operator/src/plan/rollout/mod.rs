//! The rollout machine: which revision has the traffic, which one is next, and whether it may have it. Pure, and small enough to be
//! checked exhaustively.
//!
//! ```text
//!  Syncing ──► Preparing ─────────────────────────────────────► Switching ──► Promoting ──► Observing ──► Settled
//!              Starting ──► Verifying ──► AwaitingPromotion         │             └───── on trial ─────┘
//!                  └────────────┴───────────────┴─► Failing ──► GivenUp ◄── Returning ◄── Failing ◄──┘
//! ```
//!
//! | what | where |
//! |---|---|
//! | may a candidate have the traffic? | [`gates::first_closed`] |
//! | does the active one keep it? | [`trial::judge`] |
//! | how many pods has each slot? | [`capacity`] |
//! | what is remembered between two plans? | [`memory`] |
//!
//! The active colour is what the Service selects, and nothing else. A decision that would destroy its own evidence is written into the
//! status before anything is done about it: [`Stage::Failing`] has no actions.

pub mod capacity;
#[cfg(test)]
mod check;
pub mod facts;
mod gates;
pub mod memory;
mod trial;

use chemmodel_crds::status::Outcome;
use jiff::{SignedDuration, Timestamp};

use crate::model::revision::RevisionHash;
use facts::{Facts, Standing};
pub use gates::Step;
pub use memory::{Candidate, Memory, remember};

/// Where the rollout of the spec's revision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has the traffic, and for good.
    Settled,
    /// It cannot start before its bundle is in the cluster.
    Syncing,
    /// Its pods start, are verified, or wait for promotion.
    Preparing {
        /// The candidate.
        candidate: Candidate,
        /// Where it is.
        step: Step,
        /// When the step ends at the latest.
        deadline: Timestamp,
    },
    /// Every gate is open: the Service's selector is written now.
    Switching {
        /// The candidate.
        candidate: Candidate,
    },
    /// The selector is written; the endpoints are not all there yet.
    Promoting {
        /// When they are reported as missing.
        deadline: Timestamp,
    },
    /// It has the traffic and is watched.
    Observing {
        /// How long.
        until: Timestamp,
    },
    /// It lost its trial: the traffic goes back.
    Returning {
        /// Where to.
        to: Standing,
        /// Whether a pod is there to take it.
        possible: bool,
    },
    /// It is given up: this is written down first, and acted upon in the next plan.
    Failing {
        /// Which revision.
        revision: RevisionHash,
        /// Before or after it had traffic.
        outcome: Outcome,
        /// Why.
        cause: Cause,
    },
    /// It was given up; nothing more is done for it.
    GivenUp,
}

/// Why a revision is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The spec says so.
    AbortRequested,
    /// Its pods did not start in time.
    StartOverdue,
    /// A pod answered wrongly.
    VerificationFailed,
    /// The verification came to no verdict in time.
    VerificationOverdue,
    /// Nobody approved it in time.
    PromotionOverdue,
    /// It lost most of its pods while it was watched.
    Collapsed,
}

impl Stage {
    /// The candidate, where there is one.
    pub fn candidate(&self) -> Option<&Candidate> {
        match self {
            Self::Preparing { candidate, .. } | Self::Switching { candidate } => Some(candidate),
            Self::Settled
            | Self::Syncing
            | Self::Promoting { .. }
            | Self::Observing { .. }
            | Self::Returning { .. }
            | Self::Failing { .. }
            | Self::GivenUp => None,
        }
    }

    /// Where the Service's selector is to point now, when that is to change.
    pub fn switch(&self) -> Option<Standing> {
        match self {
            Self::Switching { candidate } => Some(candidate.standing),
            Self::Returning { to, possible: true } => Some(*to),
            Self::Returning { possible: false, .. }
            | Self::Settled
            | Self::Syncing
            | Self::Preparing { .. }
            | Self::Promoting { .. }
            | Self::Observing { .. }
            | Self::Failing { .. }
            | Self::GivenUp => None,
        }
    }
}

/// Decides where the rollout stands.
pub fn decide(facts: &Facts, now: Timestamp) -> Stage {
    if let Some(trial) = trial::of(facts, now)
        && let Some(stage) = trial::judge(facts, &trial, now)
    {
        return stage;
    }
    if facts.active.is_some_and(|active| active.revision == facts.wish.revision) {
        return Stage::Settled;
    }
    if facts.memory.failed.is_some_and(|failed| failed.revision == facts.wish.revision) {
        return Stage::GivenUp;
    }
    if facts.wish.abort {
        let (revision, outcome) = (facts.wish.revision, Outcome::Aborted);
        return Stage::Failing { revision, outcome, cause: Cause::AbortRequested };
    }
    if !facts.bundle_ready {
        return Stage::Syncing;
    }
    gates::prepare(facts, Candidate::resume(facts, now), now)
}

/// When a stage changes by the clock alone.
pub fn points_in_time(stage: &Stage) -> impl Iterator<Item = Timestamp> {
    let (first, second) = match stage {
        Stage::Preparing { candidate, deadline, .. } => {
            (Some(*deadline), candidate.shrunk_at.and_then(|at| at.checked_add(capacity::PAUSE).ok()))
        }
        Stage::Promoting { deadline } => (Some(*deadline), None),
        Stage::Observing { until } => (Some(*until), None),
        Stage::Settled
        | Stage::Syncing
        | Stage::Switching { .. }
        | Stage::Returning { .. }
        | Stage::Failing { .. }
        | Stage::GivenUp => (None, None),
    };
    first.into_iter().chain(second)
}

/// A time of the spec, from `since` on.
fn after(since: Timestamp, seconds: i32) -> Timestamp {
    since.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX)
}
