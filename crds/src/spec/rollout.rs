//! `spec.rollout`: how a new revision takes over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::VerificationAccess;

/// How a new revision takes over. It starts in the free colour slot beside the old one, is asked for molecules whose answers are known,
/// and gets the traffic when all its pods answered rightly.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Rollout {
    /// Whether a verified revision gets the traffic by itself. With false it waits until `promote` names its version.
    pub auto_promote: bool,
    /// Seconds for which a verified revision waits before it gets the traffic by itself. `promote` ends the wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 604_800))]
    pub auto_promote_after_seconds: Option<i32>,
    /// Approves this version: it need not wait any longer once it is verified. It never skips the verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub promote: Option<String>,
    /// Gives this version up: while it prepares its pods go, while it is observed the traffic goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub abort: Option<String>,
    /// Another value tries a revision again that was given up. Without it the same spec does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub retry_token: Option<String>,
    /// What to do when there is no room, or no GPU, for both revisions at once.
    pub capacity: Capacity,
    /// Seconds after the switch for which a collapse of the new revision sends the traffic back. The old pods stay warm at least as long.
    #[schemars(range(min = 0, max = 86_400))]
    pub observe_seconds: i32,
    /// Seconds for which the old colour stays warm after the switch: going back to it takes one write.
    #[schemars(range(min = 0, max = 604_800))]
    pub scale_down_delay_seconds: i32,
    /// Seconds that the sync, and then the start of all pods, may take. A revision that takes longer is given up, unless it is the
    /// first: then there is nothing to go back to, and it goes on.
    #[schemars(range(min = 10, max = 86_400))]
    pub progress_deadline_seconds: i32,
    /// Seconds for which a verified revision waits for its approval before it is given up and frees its pods.
    #[schemars(range(min = 10, max = 604_800))]
    pub promotion_deadline_seconds: i32,
    /// Number of past revisions, of their bundles on the volume, and of entries in `status.history` that are kept.
    #[schemars(range(min = 1, max = 100))]
    pub history_limit: i32,
    /// How a revision proves that it answers rightly.
    pub verification: Verification,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            auto_promote: true,
            auto_promote_after_seconds: None,
            promote: None,
            abort: None,
            retry_token: None,
            capacity: Capacity::Surge,
            observe_seconds: 30,
            scale_down_delay_seconds: 30,
            progress_deadline_seconds: 600,
            promotion_deadline_seconds: 86_400,
            history_limit: 10,
            verification: Verification::default(),
        }
    }
}

/// What to do when the cluster has no room for two revisions at once.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// Wait for room; give the new revision up at the deadline. The old one keeps all its pods.
    #[default]
    Surge,
    /// Give up one pod of the old revision at a time, never the last, until the new one has room.
    Shrink,
    /// Stop the old revision before the new one starts. Nothing answers in between.
    Recreate,
    /// `Surge` until the deadline, then `Shrink` until it has passed again.
    Auto,
}

/// How a revision proves that it answers rightly.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Verification {
    /// Whether every pod of a revision must answer the golden molecules rightly before it gets traffic. The first revision too.
    pub required: bool,
    /// More molecules with known answers, beside those of the bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub golden_config_map_ref: Option<GoldenConfigMap>,
    /// Largest difference, in the unit of the output, that is added to the relative one. Else the bundle's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub abs_tolerance: Option<f64>,
    /// Largest difference as a fraction of the known answer. Else the bundle's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub rel_tolerance: Option<f64>,
    /// Largest 95th percentile of the time in which a pod answers one molecule, in milliseconds. Else any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 600_000))]
    pub max_p95_milliseconds: Option<i32>,
    /// Seconds that the whole verification may take, the start of its pod included.
    #[schemars(range(min = 10, max = 86_400))]
    pub timeout_seconds: i32,
    /// How the verification gets past `spec.security`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<VerificationAccess>,
}

impl Default for Verification {
    fn default() -> Self {
        Self {
            required: true,
            golden_config_map_ref: None,
            abs_tolerance: None,
            rel_tolerance: None,
            max_p95_milliseconds: None,
            timeout_seconds: 300,
            access: None,
        }
    }
}

/// A key of a ConfigMap that holds molecules in the form of a bundle's `golden.json`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GoldenConfigMap {
    /// Name of the ConfigMap, in the namespace of the ChemModel.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key.
    #[serde(default = "golden_json")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

fn golden_json() -> String {
    "golden.json".to_owned()
}
