//! What makes a revision: everything that changes the answers or the pod template, and nothing else.
//!
//! Replicas, autoscaling, rollout and Service settings are not part of it: changing them must never start a rollout.

use std::fmt;

use chemmodel_crds::ChemModelSpec;
use chemmodel_crds::spec::{Auth, Model, PodSettings, Runtime, Security, StorageMode, Tls};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Five bytes that name a revision; ten hexadecimal digits in labels and names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RevisionHash([u8; 5]);

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
            security: Security { network_policy: _, auth, tls },
            suspend: _,
        } = spec;
        let parts = Parts { model, runtime, pod, storage: storage.mode, auth: auth.as_ref(), tls: tls.as_ref() };
        let hash = Sha256::digest(serde_json::to_vec(&parts).unwrap_or_default());
        let mut bytes = [0; 5];
        bytes.copy_from_slice(&hash[..5]);
        Self(bytes)
    }

    /// Reads a label's value; `None` for what no revision is called.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 5];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// A hash for tests of the machine, which does not care what is behind it.
    #[cfg(test)]
    pub fn numbered(number: u8) -> Self {
        Self([0, 0, 0, 0, number])
    }
}

impl fmt::Display for RevisionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RevisionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Serialize)]
struct Parts<'a> {
    model: &'a Model,
    runtime: &'a Runtime,
    pod: &'a PodSettings,
    storage: StorageMode,
    // Not there when absent: the hash of a spec must not change with the operator's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<&'a Auth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<&'a Tls>,
}
