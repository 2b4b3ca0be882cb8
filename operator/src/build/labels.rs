//! Sets of labels.

use std::collections::BTreeMap;

use chemmodel_crds::labels::{
    APPLICATION, COLOUR, COMPONENT, INSTANCE, MANAGED_BY, MANAGER, MODEL, NAME, REVISION, component,
};
use chemmodel_crds::status::Colour;

use crate::model::ValidatedModel;
use crate::model::revision::RevisionHash;

/// A set of labels.
pub type Labels = BTreeMap<String, String>;

fn set<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// On every child.
pub fn common(model: &ValidatedModel) -> Labels {
    set([(NAME, APPLICATION), (INSTANCE, &model.name), (MANAGED_BY, MANAGER), (MODEL, &model.name)])
}

/// Selects the pods of a colour slot, whatever their revision: a Deployment's selector is immutable.
pub fn slot_selector(model: &ValidatedModel, colour: Colour) -> Labels {
    set([(MODEL, &model.name), (COMPONENT, component::SERVER), (COLOUR, colour.as_str())])
}

/// Selects the pods of one revision in a colour slot: what a Service sends traffic to.
pub fn pod_selector(model: &ValidatedModel, colour: Colour, revision: RevisionHash) -> Labels {
    let mut labels = slot_selector(model, colour);
    labels.insert(REVISION.to_owned(), revision.to_string());
    labels
}

/// On the pods of a colour slot.
pub fn server_pod(model: &ValidatedModel, colour: Colour, revision: RevisionHash) -> Labels {
    let mut labels = common(model);
    labels.extend(pod_selector(model, colour, revision));
    labels
}

/// On the pods of a Job for the spec's revision.
pub fn task_pod(model: &ValidatedModel, component: &str) -> Labels {
    let mut labels = common(model);
    labels.extend(set([(COMPONENT, component), (REVISION, &model.revision.to_string())]));
    labels
}
