//! The identity of the server's pods: one that may do nothing.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::meta;
use crate::model::{ValidatedModel, names};

/// A ServiceAccount without permissions, whose token is mounted nowhere.
pub fn build_service_account(model: &ValidatedModel) -> ServiceAccount {
    ServiceAccount {
        metadata: meta(model, names::shared(model)),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
