//! Conditions in the standard form: a time moves only when a status flips.

use chemmodel_crds::conditions::{kind, reason};
use chemmodel_crds::status::Phase;
use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::Picture;
use super::observed::Observed;
use super::rollout::Stage;
use super::story::{Story, syncing};
use super::sync::Artifact;
use super::trouble::Trouble;
use super::verify::Verification;
use crate::model::ValidatedModel;

/// A condition without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    type_: &'static str,
    status: bool,
    reason: String,
    message: String,
}

impl Outcome {
    /// The condition holds.
    pub fn yes(type_: &'static str, reason: &str, message: &str) -> Self {
        Self { type_, status: true, reason: reason.to_owned(), message: message.to_owned() }
    }

    /// The condition does not hold.
    pub fn no(type_: &'static str, reason: &str, message: &str) -> Self {
        Self { status: false, ..Self::yes(type_, reason, message) }
    }
}

/// Turns outcomes into conditions, with the times of those that did not flip. A condition without an outcome is gone.
pub fn merge(before: &[Condition], outcomes: Vec<Outcome>, generation: Option<i64>, now: Timestamp) -> Vec<Condition> {
    outcomes
        .into_iter()
        .map(|outcome| {
            let status = if outcome.status { "True" } else { "False" };
            let unflipped = before.iter().find(|c| c.type_ == outcome.type_ && c.status == status);
            Condition {
                type_: outcome.type_.to_owned(),
                status: status.to_owned(),
                last_transition_time: unflipped.map_or(Time(now), |c| c.last_transition_time.clone()),
                observed_generation: generation,
                reason: outcome.reason,
                message: outcome.message,
            }
        })
        .collect()
}

/// All conditions.
pub fn outcomes(picture: &Picture<'_>, story: &Story) -> Vec<Outcome> {
    let Picture { model, seen, artifact, stage, trouble, .. } = picture;
    let why = story.reason.as_deref().unwrap_or(reason::AS_EXPECTED);
    let moves = match story.phase {
        Phase::Syncing
        | Phase::Starting
        | Phase::Verifying
        | Phase::AwaitingPromotion
        | Phase::Promoting
        | Phase::Observing => true,
        Phase::Stable | Phase::Aborted | Phase::RolledBack | Phase::Blocked | Phase::Suspended => false,
    };
    let progressing = match (stage, moves) {
        (Stage::Settled, _) => {
            Outcome::no(kind::PROGRESSING, reason::PROMOTED, "the revision of the spec has the traffic")
        }
        (_, true) => Outcome::yes(kind::PROGRESSING, why, &story.message),
        (_, false) => Outcome::no(kind::PROGRESSING, why, &story.message),
    };
    let given_up = matches!(story.phase, Phase::Blocked | Phase::Aborted | Phase::RolledBack);
    let degraded = if given_up || trouble.is_some() {
        Outcome::yes(kind::DEGRADED, why, &story.message)
    } else {
        Outcome::no(kind::DEGRADED, reason::AS_EXPECTED, "nothing is wrong")
    };
    let mut outcomes = vec![
        ready(seen, *trouble),
        artifact_ready(model, artifact),
        verified(picture),
        progressing,
        scheduled(*trouble),
        degraded,
    ];
    outcomes.extend(model.spec.autoscaling.as_ref().map(|_| autoscaler(seen.autoscaler.as_ref())));
    outcomes
}

/// Whether the revision of the spec has proved that it answers rightly.
fn verified(picture: &Picture<'_>) -> Outcome {
    let Picture { model, seen, verification, facts, .. } = picture;
    let version = &model.spec.model.version;
    let has_traffic = facts.active.is_some_and(|active| active.revision == model.revision);
    let before = seen.status.conditions.iter().find(|condition| condition.type_ == kind::VERIFIED);
    match verification {
        Verification::Failed { reason, message, .. } => Outcome::no(kind::VERIFIED, reason, message),
        Verification::Passed(figures) => {
            let (passed, total, pods) = (figures.passed, figures.answers, figures.pods);
            let message = format!("{passed} of {total} answers of {pods} pods of version {version} passed");
            Outcome::yes(kind::VERIFIED, reason::VERIFICATION_PASSED, &message)
        }
        Verification::NotRequired => Outcome::no(
            kind::VERIFIED,
            reason::VERIFICATION_NOT_REQUIRED,
            "spec.rollout.verification.required is false: nothing was asked",
        ),
        // Its Job is gone; what it found is still so.
        Verification::Due { .. } | Verification::Running { .. } if has_traffic => match before {
            Some(condition) if condition.status == "True" => {
                Outcome::yes(kind::VERIFIED, &condition.reason, &condition.message)
            }
            _ => {
                let found = seen.status.active.as_ref().and_then(|active| active.verification.as_ref());
                let message = found.map_or_else(
                    || format!("version {version} has the traffic"),
                    |found| format!("{} of {} answers of version {version} passed", found.passed, found.total),
                );
                Outcome::yes(kind::VERIFIED, reason::VERIFICATION_PASSED, &message)
            }
        },
        Verification::Due { .. } | Verification::Running { .. } => match &seen.status.failed {
            Some(failed) if failed.revision == model.revision.to_string() => {
                Outcome::no(kind::VERIFIED, &failed.reason, &failed.message)
            }
            _ => Outcome::no(
                kind::VERIFIED,
                reason::VERIFYING,
                &format!("version {version} has not answered the golden molecules yet"),
            ),
        },
    }
}

/// Whether the live endpoint answers.
pub fn ready(seen: &Observed, trouble: Option<&Trouble>) -> Outcome {
    match (seen.active(), seen.endpoints.ready_pods().len()) {
        (None, _) => Outcome::no(kind::READY, reason::NOT_YET_SERVING, "no revision has been given the traffic yet"),
        (Some(_), 0) => {
            let why = trouble.map_or("no pod of the active revision is ready", |trouble| &trouble.message);
            Outcome::no(kind::READY, reason::NO_READY_ENDPOINTS, why)
        }
        (Some(_), _) => Outcome::yes(kind::READY, reason::ENDPOINTS_READY, "the live endpoint answers"),
    }
}

fn artifact_ready(model: &ValidatedModel, artifact: &Artifact) -> Outcome {
    match artifact {
        Artifact::Recorded(record) => {
            Outcome::yes(kind::ARTIFACT_READY, reason::SYNCED, &format!("{} is {}", record.uri, record.digest))
        }
        Artifact::Proven(_)
        | Artifact::Due { .. }
        | Artifact::Running { .. }
        | Artifact::Failed { .. }
        | Artifact::Refused { .. } => {
            let story = syncing(model, artifact);
            Outcome::no(kind::ARTIFACT_READY, story.reason.as_deref().unwrap_or(reason::SYNCING), &story.message)
        }
    }
}

fn scheduled(trouble: Option<&Trouble>) -> Outcome {
    match trouble {
        Some(Trouble { reason, message }) if [reason::INSUFFICIENT_GPU, reason::UNSCHEDULABLE].contains(reason) => {
            Outcome::no(kind::SCHEDULED, reason, message)
        }
        _ => Outcome::yes(kind::SCHEDULED, reason::ALL_SCHEDULED, "every pod has a node"),
    }
}

/// What the autoscaler says of itself.
fn autoscaler(autoscaler: Option<&HorizontalPodAutoscaler>) -> Outcome {
    let conditions = autoscaler.and_then(|a| a.status.as_ref()).and_then(|s| s.conditions.as_ref());
    let find = |type_: &str| conditions.into_iter().flatten().find(|condition| condition.type_ == type_);
    let broken = ["AbleToScale", "ScalingActive"].into_iter().filter_map(find).find(|c| c.status != "True");
    match (find("ScalingActive"), broken) {
        (_, Some(condition)) => Outcome::no(
            kind::AUTOSCALER_READY,
            condition.reason.as_deref().unwrap_or(reason::AUTOSCALER_PENDING),
            condition.message.as_deref().unwrap_or_default(),
        ),
        (Some(_), None) => {
            Outcome::yes(kind::AUTOSCALER_READY, reason::SCALING_ACTIVE, "the autoscaler reads its metrics")
        }
        (None, None) => {
            Outcome::no(kind::AUTOSCALER_READY, reason::AUTOSCALER_PENDING, "the autoscaler has not reported yet")
        }
    }
}
