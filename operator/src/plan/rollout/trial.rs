//! The active revision on trial: it has the traffic, and the last one that stood its own trial is still warm.

use chemmodel_crds::status::Outcome;
use jiff::Timestamp;

use super::facts::{Facts, SlotFacts, Standing};
use super::memory::Reign;
use super::{Cause, Stage, after};

/// A trial.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Who is on trial.
    pub on: Standing,
    /// Since when.
    since: Timestamp,
    /// Where the traffic goes when it fails.
    way_back: Standing,
    /// The pods there.
    warm: SlotFacts,
}

/// The trial that is on; none where the active revision is the stable one, or where there is nothing to go back to.
pub fn of(facts: &Facts, now: Timestamp) -> Option<Trial> {
    let Reign { standing: on, since } = facts.reign(now)?;
    let way_back = facts.memory.stable.filter(|stable| stable.colour != on.colour && stable.revision != on.revision)?;
    let warm = facts.slot(way_back).filter(|slot| slot.wanted > 0)?;
    Some(Trial { on, since, way_back, warm })
}

/// What becomes of the trial; `None` when it is over, or when the spec itself asks for the way back.
pub fn judge(facts: &Facts, trial: &Trial, now: Timestamp) -> Option<Stage> {
    let Trial { on, since, way_back, warm } = *trial;
    if facts.memory.failed.is_some_and(|failed| failed.revision == on.revision) {
        // Never to pods that are not there.
        return Some(Stage::Returning { to: way_back, possible: warm.ready() > 0 });
    }
    if facts.wish.revision == way_back.revision {
        return None;
    }
    let fail = |cause| Stage::Failing { revision: on.revision, outcome: Outcome::RolledBack, cause };
    if facts.wish.abort_active {
        return Some(fail(Cause::AbortRequested));
    }
    if has_collapsed(facts.active_slot(), warm) {
        return Some(fail(Cause::Collapsed));
    }
    if !facts.routed {
        return Some(Stage::Promoting { deadline: after(since, facts.wish.seconds.progress) });
    }
    let until = after(since, facts.wish.seconds.observe);
    (now < until).then_some(Stage::Observing { until })
}

/// Fewer than half of the pods that carried the traffic before, while the old ones would do better. One lost pod of many is no reason,
/// and neither are pods that somebody took away: a smaller number counts when it is wanted. None at all is always a reason.
fn has_collapsed(own: Option<SlotFacts>, warm: SlotFacts) -> bool {
    let (ready, wanted) = own.map_or((0, warm.wanted), |slot| (slot.ready(), slot.wanted));
    ready * 2 < wanted.min(warm.wanted).max(1) && ready < warm.ready()
}

/// Whether the trial goes on after this stage, so that the stable revision stays what it is.
pub fn is_open(facts: &Facts, stage: &Stage) -> bool {
    match stage {
        Stage::Promoting { .. } | Stage::Observing { .. } | Stage::Returning { .. } => true,
        Stage::Failing { revision, .. } => facts.active.is_some_and(|active| active.revision == *revision),
        // The spec asks for the way back: the trial is over once it has the traffic.
        Stage::Preparing { candidate, .. } | Stage::Switching { candidate } => {
            facts.memory.stable == Some(candidate.standing)
        }
        Stage::Settled | Stage::Syncing | Stage::GivenUp => false,
    }
}
