//! The gates between a candidate and the traffic.

use chemmodel_crds::spec::Capacity;
use chemmodel_crds::status::Outcome;
use jiff::Timestamp;

use super::facts::{Evidence, Facts, Promotion};
use super::memory::Candidate;
use super::{Cause, Stage, after};

/// What a candidate must pass, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// Every pod that it must have runs this revision and is ready.
    Pods,
    /// The preview Service lists every one of them.
    Endpoints,
    /// Every one of them answered every golden molecule rightly.
    Evidence,
    /// Its time has come, or a person approved it.
    Promotion,
}

/// Where a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Its pods start.
    Starting,
    /// They are asked for molecules whose answers are known.
    Verifying,
    /// It is verified and waits.
    AwaitingPromotion,
}

/// THE decision of a rollout: the first gate that is closed. A candidate may have the traffic when there is none.
fn first_closed(facts: &Facts, candidate: &Candidate, now: Timestamp) -> Option<Gate> {
    let slot = facts.slot(candidate.standing);
    if candidate.warm {
        // The way back: some of these pods are ready and served before; they must only be no worse than the ones that serve now.
        let enough = slot.is_some_and(|slot| {
            slot.is_complete(candidate.wanted) || slot.ready() >= facts.active_slot().map_or(0, |active| active.ready())
        });
        return (!enough).then_some(Gate::Pods);
    }
    if !slot.is_some_and(|slot| slot.is_complete(candidate.wanted)) {
        return Some(Gate::Pods);
    }
    if !facts.previewed {
        return Some(Gate::Endpoints);
    }
    match facts.evidence {
        Evidence::Missing | Evidence::Failed => return Some(Gate::Evidence),
        Evidence::Passed | Evidence::NotRequired => {}
    }
    let approved = facts.wish.approved
        || match facts.wish.promotion {
            Promotion::AtOnce => true,
            Promotion::After(seconds) => now >= after(candidate.awaiting_since.unwrap_or(now), seconds),
            Promotion::ByHand => false,
        };
    (!approved).then_some(Gate::Promotion)
}

/// What becomes of a candidate.
pub fn prepare(facts: &Facts, mut candidate: Candidate, now: Timestamp) -> Stage {
    let fail = |cause| Stage::Failing { revision: facts.wish.revision, outcome: Outcome::Aborted, cause };
    let step = match first_closed(facts, &candidate, now) {
        None => return Stage::Switching { candidate },
        Some(Gate::Pods | Gate::Endpoints) => {
            // It had been ready to go: what is missing now is another matter, with a deadline of its own.
            if candidate.awaiting_since.is_some() && candidate.verifying_since.is_some() {
                candidate.start_over(now);
            }
            Step::Starting
        }
        Some(Gate::Evidence) => {
            candidate.verifying_since.get_or_insert(now);
            if facts.evidence == Evidence::Failed {
                return fail(Cause::VerificationFailed);
            }
            Step::Verifying
        }
        Some(Gate::Promotion) => {
            candidate.verifying_since.get_or_insert(now);
            candidate.awaiting_since.get_or_insert(now);
            Step::AwaitingPromotion
        }
    };
    candidate.shrunk_at = shrunk_at(facts, &candidate, step, now);
    let deadline = deadline(facts, &candidate, step);
    if now < deadline {
        return Stage::Preparing { candidate, step, deadline };
    }
    match step {
        // The first revision has nothing to give way to, and no one else's GPUs are at stake: it may still come.
        Step::Starting if facts.active.is_none() => Stage::Preparing { candidate, step, deadline },
        Step::Starting if may_begin_to_shrink(facts, &candidate) => {
            candidate.shrunk_at = Some(now);
            candidate.start_over(now);
            let deadline = self::deadline(facts, &candidate, step);
            Stage::Preparing { candidate, step, deadline }
        }
        Step::Starting => fail(Cause::StartOverdue),
        Step::Verifying => fail(Cause::VerificationOverdue),
        Step::AwaitingPromotion => fail(Cause::PromotionOverdue),
    }
}

/// When the step ends at the latest. The time for the approval also bounds the steps that it may fall back to.
fn deadline(facts: &Facts, candidate: &Candidate, step: Step) -> Timestamp {
    let seconds = &facts.wish.seconds;
    let promotion = candidate.awaiting_since.map(|since| match facts.wish.promotion {
        // The point at which it goes on by itself; what keeps it from that has the time after it.
        Promotion::After(wait) if step == Step::AwaitingPromotion => after(since, wait),
        Promotion::After(wait) => after(since, wait.saturating_add(seconds.promotion)),
        Promotion::AtOnce | Promotion::ByHand => after(since, seconds.promotion),
    });
    let preparation = match candidate.verifying_since {
        Some(since) => after(since, seconds.verification),
        None => after(candidate.starting_since, seconds.progress),
    };
    match step {
        Step::Starting | Step::Verifying => promotion.map_or(preparation, |promotion| promotion.min(preparation)),
        Step::AwaitingPromotion => promotion.unwrap_or(preparation),
    }
}

/// With `Shrink`, the first pod without a room begins it.
fn shrunk_at(facts: &Facts, candidate: &Candidate, step: Step, now: Timestamp) -> Option<Timestamp> {
    let without_room = facts.slot(candidate.standing).is_some_and(|slot| slot.unschedulable > 0);
    let begins = step == Step::Starting && without_room && facts.active.is_some();
    match (facts.wish.capacity, candidate.shrunk_at) {
        (Capacity::Shrink, None) => begins.then_some(now),
        (Capacity::Shrink | Capacity::Auto, since) => since,
        (Capacity::Surge | Capacity::Recreate, _) => None,
    }
}

/// With `Auto`, the deadline begins it, once.
fn may_begin_to_shrink(facts: &Facts, candidate: &Candidate) -> bool {
    facts.wish.capacity == Capacity::Auto
        && candidate.shrunk_at.is_none()
        && facts.slot(candidate.standing).is_some_and(|slot| slot.unschedulable > 0)
        && facts.active_slot().is_some_and(|active| active.wanted > 1)
}
