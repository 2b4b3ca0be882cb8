//! How many pods each colour has. Sizes are written through the scale subresource, never by applying a Deployment.

use chemmodel_crds::status::Colour;
use jiff::{SignedDuration, Timestamp};

use super::action::Action;
use super::observed::Observed;
use super::rollout::Stage;
use crate::model::{ValidatedModel, names};

/// The resizings that are due.
pub fn actions(model: &ValidatedModel, seen: &Observed, stage: &Stage, now: Timestamp) -> Vec<Action> {
    Colour::ALL
        .into_iter()
        .filter_map(|colour| {
            let wanted = size(model, seen, stage, colour, now)?;
            // A Deployment that this same plan creates starts with the API's default of one pod.
            let present = seen.slot(colour).map_or(1, |slot| slot.wanted);
            (present != wanted)
                .then(|| Action::Scale { deployment: names::deployment(model, colour), replicas: wanted })
        })
        .collect()
}

/// The pods that a slot must have; `None` when that is not the planner's business now.
fn size(model: &ValidatedModel, seen: &Observed, stage: &Stage, colour: Colour, now: Timestamp) -> Option<i32> {
    if let Some((candidate, _, wanted)) = stage.candidate()
        && candidate == colour
    {
        return Some(wanted);
    }
    let slot = seen.slot(colour)?;
    let is_active = seen.active().is_some_and(|(active, _)| active == colour);
    if is_active {
        return match (model.fixed_replicas(), &model.spec.autoscaling) {
            (Some(fixed), _) => Some(fixed),
            // An autoscaler owns every number but zero, which switches it off.
            (None, Some(scaling)) if slot.wanted == 0 => Some(scaling.min_replicas),
            (None, _) => None,
        };
    }
    let over = scale_down_at(model, seen, colour, now).is_none_or(|at| now >= at);
    // The old pods are the way back: they stay as long as nothing else answers.
    (over && seen.ready_endpoints() > 0).then_some(0)
}

/// When a slot that has lost its purpose gives up its pods; `None` when it never had traffic and may do so at once.
pub fn scale_down_at(model: &ValidatedModel, seen: &Observed, colour: Colour, now: Timestamp) -> Option<Timestamp> {
    let slot = seen.slot(colour)?;
    if let Some(previous) = &seen.status.previous
        && previous.colour == colour
        && previous.revision == slot.revision
    {
        return Some(previous.scale_down_at.0);
    }
    let was_candidate = seen
        .status
        .candidate
        .as_ref()
        .is_some_and(|candidate| candidate.colour == Some(colour) && candidate.revision == slot.revision);
    let never_had_traffic = was_candidate && seen.status.active.as_ref().is_none_or(|active| active.colour != colour);
    let delay = SignedDuration::from_secs(model.spec.rollout.scale_down_delay_seconds.into());
    (!never_had_traffic).then(|| now.checked_add(delay).unwrap_or(now))
}
