//! `spec.rollout`: how a new revision takes over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a new revision takes over. It starts in the free colour slot beside the old one and gets the traffic once all its pods are available.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Rollout {
    /// Seconds for which the old colour stays warm after the switch.
    #[schemars(range(min = 0, max = 604_800))]
    pub scale_down_delay_seconds: i32,
    /// Seconds that the sync and the start of a revision may each take before they are reported as stuck.
    #[schemars(range(min = 10, max = 86_400))]
    pub progress_deadline_seconds: i32,
    /// Number of past revisions that are kept.
    #[schemars(range(min = 1, max = 100))]
    pub history_limit: i32,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { scale_down_delay_seconds: 30, progress_deadline_seconds: 600, history_limit: 10 }
    }
}
