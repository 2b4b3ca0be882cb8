//! What a ChemModel owns: one kind, one file, one function from a [`ValidatedModel`] to the whole object. Pure.
//!
//! Objects are built whole, because server-side apply takes away what is left out. Forbidden here: reading the cluster or the clock.

mod access;
mod autoscaler;
mod deployment;
mod disruption_budget;
mod labels;
mod network_policy;
mod pod_template;
mod revision;
mod service;
mod service_account;
mod sync_container;
mod sync_job;
mod task;
mod verify_job;
mod volume_claim;

pub use autoscaler::build_autoscaler;
pub use deployment::build_deployment;
pub use disruption_budget::build_disruption_budget;
pub use labels::{pod_selector, slot_selector};
pub use network_policy::build_network_policy;
pub use pod_template::build_pod_template;
pub use revision::{RecordedRevision, build_revision};
pub use service::{TERM, build_preview, build_service};
pub use service_account::build_service_account;
pub use sync_container::Keep;
pub use sync_job::build_sync_job;
pub use task::ATTEMPT;
pub use verify_job::{PODS, build_verify_job};
pub use volume_claim::build_volume_claim;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::model::ValidatedModel;

/// Metadata of a child: name, namespace, owner and the labels that find it again.
fn meta(model: &ValidatedModel, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(model.namespace.clone()),
        owner_references: Some(vec![model.owner.clone()]),
        labels: Some(labels::common(model)),
        ..ObjectMeta::default()
    }
}
