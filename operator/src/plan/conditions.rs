//! Conditions in the standard form: a time moves only when a status flips.

use chemmodel_crds::conditions::{kind, reason};
use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

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

/// What the autoscaler says of itself.
pub fn autoscaler(autoscaler: Option<&HorizontalPodAutoscaler>) -> Outcome {
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
