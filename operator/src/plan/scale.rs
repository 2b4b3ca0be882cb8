//! How many pods each colour has. Sizes are written through the scale subresource, never by applying a Deployment.

use chemmodel_crds::status::Colour;
use jiff::Timestamp;

use super::action::Action;
use super::observed::Observed;
use super::rollout::facts::Facts;
use super::rollout::{Stage, capacity};
use crate::model::{ValidatedModel, names};

/// The resizings that are due: the candidate's first, so that what makes room for it comes second.
pub fn actions(model: &ValidatedModel, seen: &Observed, facts: &Facts, stage: &Stage, now: Timestamp) -> Vec<Action> {
    let mut colours = Colour::ALL;
    colours.sort_by_key(|colour| facts.active.is_some_and(|active| active.colour == *colour));
    colours
        .into_iter()
        .filter_map(|colour| {
            let wanted = capacity::size(facts, stage, colour, now)?;
            // A Deployment that this same plan creates starts with the API's default of one pod.
            let present = seen.slot(colour).map_or(1, |slot| slot.wanted);
            (present != wanted)
                .then(|| Action::Scale { deployment: names::deployment(model, colour), replicas: wanted })
        })
        .collect()
}
