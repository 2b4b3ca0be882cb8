//! How many pods of the active colour a drain may take at once.

use chemmodel_crds::status::Colour;
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{meta, slot_selector};
use crate::model::{ValidatedModel, names};

/// One at a time. Not `minAvailable`: with a single pod that would block every drain for ever.
pub fn build_disruption_budget(model: &ValidatedModel, colour: Colour) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: meta(model, names::shared(model)),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(LabelSelector { match_labels: Some(slot_selector(model, colour)), match_expressions: None }),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    }
}
