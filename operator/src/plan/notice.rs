//! What happened, as Events: the difference of two statuses in words.

use chemmodel_crds::ChemModelStatus;
use chemmodel_crds::conditions::{kind, reason};
use chemmodel_crds::status::{Phase, Previous};

/// An Event to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// True for something that a person should look at.
    pub warning: bool,
    /// One word.
    pub reason: String,
    /// What the operator was doing, in one word.
    pub action: &'static str,
    /// A sentence.
    pub message: String,
}

/// The notices of a step from one status to the next.
pub fn between(before: &ChemModelStatus, after: &ChemModelStatus) -> Vec<Notice> {
    let mut notices = Vec::new();
    let message = after.message.clone().unwrap_or_default();
    let revision = |status: &ChemModelStatus| status.active.as_ref().map(|active| active.revision.clone());

    if let Some(active) = after.active.as_ref().filter(|_| revision(before) != revision(after)) {
        let (version, colour) = (&active.version, active.colour.as_str());
        notices.push(normal(reason::PROMOTED, "Promote", format!("version {version} in {colour} has the traffic")));
    }
    // Not when the slot is on its way back to the traffic.
    let gave_up = |previous: &&Previous| {
        let candidate = after.candidate.as_ref().and_then(|candidate| candidate.colour);
        let active = after.active.as_ref().map(|active| active.colour);
        after.previous.is_none() && ![candidate, active].contains(&Some(previous.colour))
    };
    if let Some(previous) = before.previous.as_ref().filter(gave_up) {
        let (version, colour) = (&previous.version, previous.colour.as_str());
        notices.push(normal("ScaledDown", "ScaleDown", format!("version {version} in {colour} gave up its pods")));
    }
    if (before.phase, &before.reason) != (after.phase, &after.reason) {
        let word = after.reason.clone().or_else(|| after.phase.map(|phase| phase.as_str().to_owned()));
        notices.push(Notice {
            warning: is_true(after, kind::DEGRADED) || after.phase == Some(Phase::Blocked),
            reason: word.unwrap_or_default(),
            action: "Reconcile",
            message,
        });
    }
    notices
}

fn normal(reason: &str, action: &'static str, message: String) -> Notice {
    Notice { warning: false, reason: reason.to_owned(), action, message }
}

fn is_true(status: &ChemModelStatus, type_: &str) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
}
