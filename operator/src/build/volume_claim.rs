//! The volume that keeps the bundles, one folder per digest.

use std::collections::BTreeMap;

use chemmodel_crds::spec::AccessMode;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::meta;
use crate::model::{ValidatedModel, names};

/// The PersistentVolumeClaim of storage mode `Volume`.
pub fn build_volume_claim(model: &ValidatedModel) -> PersistentVolumeClaim {
    let storage = &model.spec.storage;
    let access_mode = match storage.access_mode.unwrap_or_default() {
        AccessMode::ReadWriteOnce => "ReadWriteOnce",
        AccessMode::ReadWriteMany => "ReadWriteMany",
    };
    PersistentVolumeClaim {
        metadata: meta(model, names::shared(model)),
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec![access_mode.to_owned()]),
            storage_class_name: storage.storage_class_name.clone(),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), Quantity(storage.size.clone()))])),
                limits: None,
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}
