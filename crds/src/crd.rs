//! The CustomResourceDefinition as YAML.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;
use serde::ser::Error as _;

/// The definition that is installed in a cluster.
pub fn definition() -> CustomResourceDefinition {
    crate::ChemModel::crd()
}

/// [`definition`] as the YAML file that users install, with a first line that says where it comes from.
///
/// # Errors
/// When the schema cannot be written as YAML, which would be a mistake in the types.
pub fn yaml() -> Result<String, serde_saphyr::ser::Error> {
    // Through a JSON value: YAML then has the key order and the plain scalars of the Kubernetes API.
    let value = serde_json::to_value(definition()).map_err(serde_saphyr::ser::Error::custom)?;
    let body = serde_saphyr::to_string(&value)?;
    Ok(format!("# Generated from the types in crds/src by `make generate`. Do not edit.\n{body}"))
}
