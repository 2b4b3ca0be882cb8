//! What makes a revision: everything that changes the answers or the pod template, and nothing else.
//!
//! Replicas, autoscaling, rollout and Service settings are not part of it: changing them must never start a rollout.

use std::fmt;

use chemmodel_crds::ChemModelSpec;
use chemmodel_crds::spec::{Model, PodSettings, Runtime, StorageMode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Ten hexadecimal digits that name a revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RevisionHash(String);

impl RevisionHash {
    /// Computes the hash of a spec.
    pub fn of(spec: &ChemModelSpec) -> Self {
        // Destructured without `..`: a new field of the spec must be put on one side or the other.
        let ChemModelSpec {
            model,
            runtime,
            pod,
            storage,
            replicas: _,
            autoscaling: _,
            rollout: _,
            service: _,
            suspend: _,
        } = spec;
        let parts = Parts { model, runtime, pod, storage: storage.mode };
        let json = serde_json::to_vec(&parts).unwrap_or_default();
        Self(hex::encode(&Sha256::digest(json)[..5]))
    }

    /// Takes over a label's value.
    pub fn from_label(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RevisionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Serialize)]
struct Parts<'a> {
    model: &'a Model,
    runtime: &'a Runtime,
    pod: &'a PodSettings,
    storage: StorageMode,
}
