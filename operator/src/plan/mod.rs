//! Decides everything: from what the spec wants and what the cluster shows to what is to be done. Pure.
//!
//! ```text
//!             ┌ sync     is the bundle of the spec's revision in the cluster?  what does its Job say?
//!             ├ verify   did every pod of the candidate answer rightly?        what does its Job say?
//!             ├ gather   all of it in small plain values
//! Observed ──►├ rollout  which revision has the traffic, which one is next, may it switch?
//!             ├ children every object as it must be, compared with how it is
//!             ├ scale    how many pods each colour has
//!             ├ prune    what nobody needs any more
//!             └ status   what a person reads about all this   ──► Plan
//! ```
//!
//! Forbidden here: a client, async, the clock, the environment. `now` is an argument; the same input gives the same plan, and a plan for
//! a settled ChemModel has no actions.

mod action;
mod children;
mod conditions;
mod differs;
mod gather;
mod history;
mod jobs;
mod notice;
mod observed;
mod prune;
mod rollout;
mod scale;
mod status;
mod story;
mod sync;
mod trouble;
mod verify;

#[cfg(test)]
mod tests;

use std::time::Duration;

use chemmodel_crds::ChemModelStatus;
use jiff::Timestamp;

pub use action::{Action, Child, Doomed, Guard, Kind};
pub use notice::Notice;
pub use observed::{Endpoints, Observed, Slots};

use crate::model::{InvalidSpec, ValidatedModel};
use rollout::facts::Facts;
use rollout::{Memory, Stage};
use sync::Artifact;
use trouble::Trouble;
use verify::Verification;

/// A reconcile comes at the latest after this time, even when no watch said anything: a relist may have dropped a deletion.
const RESYNC: Duration = Duration::from_mins(5);

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Writes, in this order; each one may be the last before a crash.
    pub actions: Vec<Action>,
    /// The status as it must be; written only when it differs.
    pub status: ChemModelStatus,
    /// What happened, for people.
    pub notices: Vec<Notice>,
    /// When to look again at the latest.
    pub recheck: Duration,
}

/// Everything that is known when the status is told.
struct Picture<'a> {
    model: &'a ValidatedModel,
    seen: &'a Observed,
    artifact: &'a Artifact,
    verification: &'a Verification,
    facts: &'a Facts,
    stage: &'a Stage,
    memory: &'a Memory,
    trouble: Option<&'a Trouble>,
    now: Timestamp,
}

/// Plans the next writes for a ChemModel.
pub fn plan(model: &ValidatedModel, seen: &Observed, now: Timestamp) -> Plan {
    if seen.written_in_term() > Some(seen.term) {
        return Plan { actions: Vec::new(), status: seen.status.clone(), notices: Vec::new(), recheck: RESYNC };
    }
    let artifact = sync::decide(model, seen, now);
    let verification = verify::decide(model, seen, &artifact);
    let facts = gather::facts(model, seen, &artifact, &verification);
    let stage = rollout::decide(&facts, now);
    let memory = rollout::remember(&facts, &stage, now);

    // A verdict is written down before anything is done about it, because doing it takes away what it rests upon.
    let verdict = matches!(stage, Stage::Failing { .. });
    let actions = if model.spec.suspend || verdict {
        Vec::new()
    } else {
        let mut actions = children::foundations(model, seen);
        actions.extend(sync::actions(model, seen, &artifact, &stage));
        actions.extend(children::slots(model, seen, &facts, &stage));
        actions.extend(scale::actions(model, seen, &facts, &stage, now));
        actions.extend(children::traffic(model, seen, &facts, &stage));
        actions.extend(verify::actions(model, seen, &stage, &verification));
        actions.extend(prune::actions(model, seen, &stage, &artifact));
        actions
    };

    let trouble = trouble::present(model, seen, &artifact, &verification, &stage);
    let trouble = trouble.as_ref();
    let (artifact, verification, facts, stage, memory) = (&artifact, &verification, &facts, &stage, &memory);
    let picture = Picture { model, seen, artifact, verification, facts, stage, memory, trouble, now };
    let status = status::derive(&picture);
    let notices = notice::between(&seen.status, &status);
    let recheck = if verdict { Duration::ZERO } else { wake_up(&status, artifact, stage, now) };
    Plan { actions, status, notices, recheck }
}

/// The plan for a spec that cannot be used: nothing is touched, and the status says which field is at fault.
pub fn refuse(generation: Option<i64>, seen: &Observed, error: &InvalidSpec, now: Timestamp) -> Plan {
    let status = status::refused(generation, seen, error, now);
    let notices = notice::between(&seen.status, &status);
    Plan { actions: Vec::new(), status, notices, recheck: RESYNC }
}

/// The plan after one of its writes was refused: the status says so, because the log is not where a user looks.
pub fn hindered(plan: Plan, generation: Option<i64>, seen: &Observed, why: &Hindrance, now: Timestamp) -> Plan {
    let status = status::hindered(plan.status, generation, seen, why, now);
    let notices = notice::between(&seen.status, &status);
    Plan { actions: Vec::new(), status, notices, recheck: plan.recheck }
}

/// Why a write was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindrance {
    /// Reason of the condition.
    pub reason: &'static str,
    /// The sentence for people.
    pub message: String,
}

/// The nearest point in time at which something changes without a watch saying so.
fn wake_up(status: &ChemModelStatus, artifact: &Artifact, stage: &Stage, now: Timestamp) -> Duration {
    let scale_down = status.previous.as_ref().map(|previous| previous.scale_down_at.0);
    rollout::points_in_time(stage)
        .chain([scale_down, artifact.retry_at(), sync::deadline(artifact)].into_iter().flatten())
        .filter_map(|at| Duration::try_from(at.duration_since(now)).ok())
        // Just past the point, never just before it.
        .map(|wait| wait + Duration::from_millis(500))
        .fold(RESYNC, Duration::min)
}
