//! `spec.storage`: where the bundle is kept in the cluster.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the bundle is kept in the cluster.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.mode != 'Ephemeral' || (!has(self.storageClassName) && !has(self.accessMode))")
    .message("spec.storage.storageClassName and spec.storage.accessMode must be absent when spec.storage.mode is Ephemeral"))]
pub struct Storage {
    /// `Volume` keeps bundles on a PersistentVolumeClaim that a sync Job fills: pods start fast. `Ephemeral` gives each pod its own copy,
    /// fetched by an init container: no volume, any node.
    #[serde(default)]
    pub mode: StorageMode,

    /// Size of the volume, or of each pod's copy.
    #[serde(default = "Storage::default_size")]
    #[schemars(length(max = 32))]
    #[x_kube(
        validation = Rule::new("self.matches('^[0-9]+(\\\\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$')")
            .message("spec.storage.size must be a quantity such as 10Gi"),
        validation = Rule::new("!isQuantity(self) || !isQuantity(oldSelf) || quantity(self).compareTo(quantity(oldSelf)) >= 0")
            .message("spec.storage.size must not shrink: volumes only grow")
    )]
    pub size: String,

    /// StorageClass of the volume; the cluster's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub storage_class_name: Option<String>,

    /// Access mode of the volume; `ReadWriteOnce` when absent, which keeps all pods on one node. `ReadWriteMany` lets them spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_mode: Option<AccessMode>,
}

impl Storage {
    fn default_size() -> String {
        "10Gi".into()
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self { mode: StorageMode::default(), size: Self::default_size(), storage_class_name: None, access_mode: None }
    }
}

/// `Volume` or `Ephemeral`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageMode {
    /// A PersistentVolumeClaim filled by a sync Job.
    #[default]
    Volume,
    /// An emptyDir filled by an init container.
    Ephemeral,
}

/// `ReadWriteOnce` or `ReadWriteMany`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessMode {
    /// One node at a time.
    #[default]
    ReadWriteOnce,
    /// Many nodes.
    ReadWriteMany,
}
