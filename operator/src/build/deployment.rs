//! A colour slot.

use chemmodel_crds::labels::COLOUR;
use chemmodel_crds::status::Colour;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::labels::server_pod;
use super::{meta, slot_selector};
use crate::model::revision::RevisionHash;
use crate::model::{ValidatedModel, names};

/// The Deployment of a slot, with the recorded template of a revision.
///
/// `replicas` is left out: sizing is an action of its own through the scale subresource, so that applying a slot never fights an
/// autoscaler, and never resets a number by leaving it out.
pub fn build_deployment(
    model: &ValidatedModel,
    colour: Colour,
    revision: RevisionHash,
    mut template: PodTemplateSpec,
) -> Deployment {
    let pod = template.metadata.get_or_insert_default();
    pod.labels.get_or_insert_default().extend(server_pod(model, colour, revision));
    let mut metadata = meta(model, names::deployment(model, colour));
    metadata.labels.get_or_insert_default().insert(COLOUR.to_owned(), colour.as_str().to_owned());
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            selector: LabelSelector { match_labels: Some(slot_selector(model, colour)), match_expressions: None },
            // A slot gets another template only while it has no traffic: the old pods go first and free their GPUs.
            strategy: Some(DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None }),
            // The planner keeps its own deadline; Kubernetes' would only add a second opinion.
            progress_deadline_seconds: Some(i32::MAX),
            revision_history_limit: Some(0),
            template,
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}
