//! The ChemModel API, `chemmodel.io/v1alpha1`.
//!
//! Here: the types that users write and read ([`spec`], [`status`]), the words of the conditions ([`conditions`]) and the labels
//! that tie children to their ChemModel ([`labels`]). From these types `chemmodel-crdgen` writes `crds/chemmodel.yaml`; a test
//! fails when the two differ.
//!
//! Forbidden here: a Kubernetes client, decisions, the clock. The API is data.

pub mod conditions;
pub mod crd;
pub mod labels;
pub mod spec;
pub mod status;

pub use spec::{ChemModel, ChemModelSpec};
pub use status::ChemModelStatus;
