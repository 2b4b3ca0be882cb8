//! How many pods each slot has.

use chemmodel_crds::spec::Capacity;
use chemmodel_crds::status::Colour;
use jiff::{SignedDuration, Timestamp};

use super::facts::{Facts, Replicas, SlotFacts, Standing};
use super::memory::Candidate;
use super::{Stage, after};

/// Between two pods that the active revision gives up: the scheduler needs a moment to use what was freed.
pub const PAUSE: SignedDuration = SignedDuration::from_secs(15);

/// The pods that a slot must have; `None` when its number is to stay as it is.
pub fn size(facts: &Facts, stage: &Stage, colour: Colour, now: Timestamp) -> Option<i32> {
    // A switch comes alone: a pod that starts or goes in the same breath is one that it was not decided upon.
    if stage.switch().is_some() {
        return None;
    }
    if let Some(candidate) = stage.candidate().filter(|candidate| candidate.standing.colour == colour) {
        return Some(candidate.wanted);
    }
    let slot = (*facts.slots.get(colour))?;
    if facts.active.is_some_and(|active| active.colour == colour) {
        return active(facts, stage, slot, now);
    }
    match stage {
        // The warm pods are the way back.
        Stage::Promoting { .. } | Stage::Observing { .. } | Stage::Returning { .. } => None,
        Stage::Settled
        | Stage::Syncing
        | Stage::Preparing { .. }
        | Stage::Switching { .. }
        | Stage::Failing { .. }
        | Stage::GivenUp => idle(facts, Standing { colour, revision: slot.revision }, now),
    }
}

/// The pods that a candidate must have: as many as carry the traffic now, so that the switch never halves the capacity.
pub fn candidate(facts: &Facts, standing: Standing, before: Option<&Candidate>, now: Timestamp) -> i32 {
    let present = facts.active_slot().map_or(0, |slot| slot.wanted);
    let wished = match facts.wish.replicas {
        Replicas::Fixed(pods) => pods,
        // Never fewer than before: an autoscaler that wavers must not delay the switch.
        Replicas::Range { min, max } => present.max(before.map_or(0, |before| before.wanted)).clamp(min, max),
    };
    let Some((before, shrunk_at)) = before.and_then(|before| Some((before, before.shrunk_at?))) else {
        return wished;
    };
    // Where every pod counts, the candidate does not grow, and makes do with what it got once the active one has nothing left to give.
    let held = before.wanted.min(wished);
    match facts.slot(standing) {
        Some(slot) if slot.unschedulable > 0 && present <= 1 && is_over(facts, shrunk_at, now) => {
            (slot.existing - slot.unschedulable).clamp(1, held)
        }
        _ => held,
    }
}

/// The slot that has the traffic.
fn active(facts: &Facts, stage: &Stage, slot: SlotFacts, now: Timestamp) -> Option<i32> {
    if let Stage::Preparing { candidate, .. } = stage
        && !candidate.warm
    {
        if facts.wish.capacity == Capacity::Recreate {
            return Some(0);
        }
        if let Some(shrunk_at) = candidate.shrunk_at {
            return gives_up_a_pod(facts, candidate, shrunk_at, now).then_some(slot.wanted - 1);
        }
    }
    match facts.wish.replicas {
        Replicas::Fixed(pods) => Some(pods),
        // An autoscaler owns every number but zero, which switches it off.
        Replicas::Range { min, .. } => (slot.wanted == 0).then_some(min),
    }
}

/// Whether the active revision gives up one pod now; never the last.
pub fn gives_up_a_pod(facts: &Facts, candidate: &Candidate, shrunk_at: Timestamp, now: Timestamp) -> bool {
    let without_room = facts.slot(candidate.standing).is_some_and(|slot| slot.unschedulable > 0);
    without_room && facts.active_slot().is_some_and(|slot| slot.wanted > 1) && is_over(facts, shrunk_at, now)
}

/// Whether what was given up last has been freed, and the scheduler had its moment.
fn is_over(facts: &Facts, shrunk_at: Timestamp, now: Timestamp) -> bool {
    let settled = facts.active_slot().is_none_or(|slot| slot.existing <= slot.wanted && slot.leaving == 0);
    settled && now.duration_since(shrunk_at) >= PAUSE
}

/// A slot without a purpose. One that served keeps its pods while they are the way back, or while nothing else answers; one that never
/// did, or failed, holds GPUs for nothing.
fn idle(facts: &Facts, standing: Standing, now: Timestamp) -> Option<i32> {
    match scale_down_at(facts, standing, now) {
        None => Some(0),
        Some(at) => (now >= at && facts.answering).then_some(0),
    }
}

/// When a slot that has lost the traffic gives up its pods; `None` when it never had any, or lost it for cause.
pub fn scale_down_at(facts: &Facts, standing: Standing, now: Timestamp) -> Option<Timestamp> {
    let given_up = facts.memory.failed.is_some_and(|failed| failed.revision == standing.revision);
    if given_up || !has_served(facts, standing) {
        return None;
    }
    let reign = facts.memory.active.filter(|reign| Some(reign.standing) == facts.active);
    let since = reign.map_or(now, |reign| reign.since);
    Some(after(since, facts.wish.seconds.warm.max(facts.wish.seconds.observe)))
}

/// Whether the revision in this slot has had the traffic.
pub fn has_served(facts: &Facts, standing: Standing) -> bool {
    let memory = &facts.memory;
    memory.active.is_some_and(|reign| reign.standing == standing)
        || memory.stable == Some(standing)
        || memory.previous == Some(standing)
}
