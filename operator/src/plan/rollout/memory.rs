//! What must be remembered between two plans because the cluster does not show it: when things began, and what was decided.
//!
//! It is kept in the status and nowhere else. Nothing is decided from memory that the cluster can tell.

use chemmodel_crds::status::{Colour, Outcome};
use jiff::Timestamp;

use super::facts::{Facts, Standing};
use super::trial;
use super::{Stage, capacity};
use crate::model::revision::RevisionHash;

/// What the status remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// Who had the traffic when the status was written, and since when.
    pub active: Option<Reign>,
    /// The last revision that stood its observation.
    pub stable: Option<Standing>,
    /// A revision that had the traffic before and is warm.
    pub previous: Option<Standing>,
    /// The candidate and its clocks.
    pub candidate: Option<Candidate>,
    /// The revision that was given up, unless `spec.rollout.retryToken` has changed since.
    pub failed: Option<Failed>,
    /// Whether the status was written in suspension: time spent so does not count.
    pub suspended: bool,
}

/// A revision with the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reign {
    /// The revision and its slot.
    pub standing: Standing,
    /// Since when.
    pub since: Timestamp,
}

/// A revision that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failed {
    /// The revision.
    pub revision: RevisionHash,
    /// Before or after it had traffic.
    pub outcome: Outcome,
}

/// A revision that prepares in a slot. Each `since` begins a step; the step's deadline is that time plus the spec's seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// The revision and its slot.
    pub standing: Standing,
    /// Pods that it must have before it gets the traffic.
    pub wanted: i32,
    /// It had the traffic before and its pods never went: it needs neither verification nor approval to take it back.
    pub warm: bool,
    /// When its pods began to start.
    pub starting_since: Timestamp,
    /// When they were complete first, in this round.
    pub verifying_since: Option<Timestamp>,
    /// When it was verified first.
    pub awaiting_since: Option<Timestamp>,
    /// When the active revision gave up a pod for it last, or was told to begin with it.
    pub shrunk_at: Option<Timestamp>,
}

impl Candidate {
    /// The candidate as the memory has it, or a new one; with today's size.
    pub fn resume(facts: &Facts, now: Timestamp) -> Self {
        let colour = facts.active.map_or(Colour::Blue, |active| active.colour.other());
        let standing = Standing { colour, revision: facts.wish.revision };
        let before = facts.memory.candidate.filter(|candidate| candidate.standing == standing);
        let wanted = capacity::candidate(facts, standing, before.as_ref(), now);
        let has_ready_pods = facts.slot(standing).is_some_and(|slot| slot.ready() > 0);
        match before {
            None => {
                let served = [facts.memory.stable, facts.memory.previous].contains(&Some(standing));
                let warm = served && has_ready_pods;
                Self {
                    standing,
                    wanted,
                    warm,
                    starting_since: now,
                    verifying_since: None,
                    awaiting_since: None,
                    shrunk_at: None,
                }
            }
            Some(before) => {
                let mut candidate = Self { wanted, warm: before.warm && has_ready_pods, ..before };
                // A larger size is a new start; so is the end of a suspension.
                if wanted > before.wanted || facts.memory.suspended {
                    candidate.start_over(now);
                    candidate.awaiting_since = before.awaiting_since.filter(|_| !facts.memory.suspended);
                }
                candidate
            }
        }
    }

    /// Begins a new round of starting and verifying.
    pub fn start_over(&mut self, now: Timestamp) {
        self.starting_since = now;
        self.verifying_since = None;
    }
}

/// What is to be remembered after a stage was decided.
pub fn remember(facts: &Facts, stage: &Stage, now: Timestamp) -> Memory {
    let candidate = stage.candidate().map(|candidate| {
        let gives_up = |at: &Timestamp| capacity::gives_up_a_pod(facts, candidate, *at, now);
        Candidate { shrunk_at: candidate.shrunk_at.map(|at| if gives_up(&at) { now } else { at }), ..*candidate }
    });
    Memory {
        active: facts.reign(now),
        stable: if trial::is_open(facts, stage) { facts.memory.stable } else { facts.active },
        previous: previous(facts, candidate.as_ref()),
        candidate,
        failed: failed(facts, stage),
        suspended: false,
    }
}

/// The other slot, as long as it has pods that served, and is nobody's candidate.
fn previous(facts: &Facts, candidate: Option<&Candidate>) -> Option<Standing> {
    let colour = facts.active?.colour.other();
    let slot = (*facts.slots.get(colour)).filter(|slot| slot.wanted > 0)?;
    let standing = Standing { colour, revision: slot.revision };
    let given_up = facts.memory.failed.is_some_and(|failed| failed.revision == slot.revision);
    (candidate.is_none() && !given_up && capacity::has_served(facts, standing)).then_some(standing)
}

/// A verdict holds as long as the spec or the traffic is about its revision.
fn failed(facts: &Facts, stage: &Stage) -> Option<Failed> {
    match stage {
        Stage::Failing { revision, outcome, .. } => Some(Failed { revision: *revision, outcome: *outcome }),
        Stage::Settled => None,
        Stage::Syncing
        | Stage::Preparing { .. }
        | Stage::Switching { .. }
        | Stage::Promoting { .. }
        | Stage::Observing { .. }
        | Stage::Returning { .. }
        | Stage::GivenUp => facts.memory.failed.filter(|failed| {
            failed.revision == facts.wish.revision
                || facts.active.is_some_and(|active| active.revision == failed.revision)
        }),
    }
}
