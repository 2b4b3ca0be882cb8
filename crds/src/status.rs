//! What a user reads: the status, mirrored from the cluster and never a memory of its own, but for absolute times.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator sees.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ChemModelStatus {
    /// Generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Where the ChemModel stands, from `Syncing` by `Starting`, `Verifying`, `AwaitingPromotion`, `Promoting` and `Observing` to `Stable`;
    /// or `Aborted`, `RolledBack`, `Blocked` or `Suspended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,

    /// Since when the phase lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,

    /// Why the phase is not `Stable`, in one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,

    /// What is going on, what is waited for and until when, or what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,

    /// Address inside the cluster, once something answers there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,

    /// Pods of the active colour.
    #[serde(default)]
    pub replicas: i32,

    /// Pods of the active colour that answer.
    #[serde(default)]
    pub ready_replicas: i32,

    /// `ready/wanted`, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_summary: Option<String>,

    /// Label selector of the active colour's pods, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// The revision that has the traffic: what the Service selects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Slot>,

    /// The last revision that stood its observation: where a rollback goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<Stable>,

    /// The revision that is being prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,

    /// The revision that had the traffic before and is still warm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,

    /// The revision of the spec, when it was given up. Nothing more is done for it until the spec or `rollout.retryToken` changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,

    /// How past rollouts ended, the newest first; at most `rollout.historyLimit`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,

    /// Conditions in the standard form; `Ready` says whether the live endpoint answers, and nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Where a ChemModel stands.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The bundle is being fetched and checked.
    Syncing,
    /// Pods of the revision are starting in a colour slot.
    Starting,
    /// The pods are asked for molecules whose answers are known.
    Verifying,
    /// The revision is verified and waits for its time or for approval.
    AwaitingPromotion,
    /// The Service selects the revision; its endpoints are not all there yet.
    Promoting,
    /// The revision has the traffic and is watched; the old one is warm.
    Observing,
    /// The revision of the spec has the traffic for good.
    Stable,
    /// The revision of the spec was given up before it had traffic.
    Aborted,
    /// The revision of the spec had traffic and lost it again.
    RolledBack,
    /// It cannot go on by itself; the message says why and what to do.
    Blocked,
    /// `spec.suspend` is true.
    Suspended,
}

impl Phase {
    /// Every phase, for metrics that show zeros too.
    pub const ALL: [Self; 11] = [
        Self::Syncing,
        Self::Starting,
        Self::Verifying,
        Self::AwaitingPromotion,
        Self::Promoting,
        Self::Observing,
        Self::Stable,
        Self::Aborted,
        Self::RolledBack,
        Self::Blocked,
        Self::Suspended,
    ];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syncing => "Syncing",
            Self::Starting => "Starting",
            Self::Verifying => "Verifying",
            Self::AwaitingPromotion => "AwaitingPromotion",
            Self::Promoting => "Promoting",
            Self::Observing => "Observing",
            Self::Stable => "Stable",
            Self::Aborted => "Aborted",
            Self::RolledBack => "RolledBack",
            Self::Blocked => "Blocked",
            Self::Suspended => "Suspended",
        }
    }
}

/// One of the two colour slots.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// The slot that the first revision gets.
    Blue,
    /// The other one.
    Green,
}

impl Colour {
    /// Both slots.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// The other slot.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// The word of the API, of labels and of names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// Reads a label's value; `None` for anything that is not a colour.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|colour| colour.as_str() == text)
    }
}

/// The revision that has the traffic.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// Colour slot.
    pub colour: Colour,
    /// Version that the user gave.
    pub version: String,
    /// Digest of the bundle.
    pub digest: String,
    /// Hash of the revision.
    pub revision: String,
    /// Since when it has the traffic.
    pub since: Time,
    /// When its rollout began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// What its verification found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verified>,
}

/// A revision that stood its observation.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Stable {
    /// Colour slot.
    pub colour: Colour,
    /// Version that the user gave.
    pub version: String,
    /// Hash of the revision.
    pub revision: String,
}

/// A revision on its way to the traffic. The times are when each step began; together with the seconds in the spec they are deadlines.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Colour slot, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// Version that the user gave.
    pub version: String,
    /// Digest of the bundle, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Hash of the revision.
    pub revision: String,
    /// When its rollout began.
    pub started_at: Time,
    /// Pods that it must have before it gets the traffic.
    #[serde(default)]
    pub replicas: i32,
    /// True when it had the traffic before and its pods never went: it may take it back without verification or approval.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warm: bool,
    /// Since when its pods are starting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_since: Option<Time>,
    /// Since when they are verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifying_since: Option<Time>,
    /// Since when it waits for its promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaiting_since: Option<Time>,
    /// When the active revision gave up a pod for it last (`rollout.capacity: Shrink` or `Auto`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunk_at: Option<Time>,
    /// When the present step ends at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
    /// What its verification found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verified>,
}

/// What a verification found.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Answers within the tolerance.
    pub passed: u64,
    /// Answers in all.
    pub total: u64,
    /// Pods that were asked.
    pub pods: u64,
    /// Execution provider of ONNX Runtime that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// 95th percentile of the time for one molecule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_milliseconds: Option<f64>,
    /// The molecules that were farthest off, with the expected and the given answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worst: Vec<String>,
}

/// A revision that had the traffic.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    /// Colour slot.
    pub colour: Colour,
    /// Version that the user gave.
    pub version: String,
    /// Digest of the bundle.
    pub digest: String,
    /// Hash of the revision.
    pub revision: String,
    /// When its pods are given up.
    pub scale_down_at: Time,
}

/// A revision that was given up.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// Hash of the revision.
    pub revision: String,
    /// Version that the user gave.
    pub version: String,
    /// Before or after it had traffic.
    pub outcome: Outcome,
    /// Why, in one word.
    pub reason: String,
    /// Why, and what to do.
    pub message: String,
    /// `rollout.retryToken` at that time: another one tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_token: Option<String>,
    /// When.
    pub at: Time,
}

/// How a rollout ended.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It stood its observation.
    Promoted,
    /// It was given up before it had traffic.
    Aborted,
    /// It had traffic and lost it again.
    RolledBack,
    /// Another spec came before it had traffic.
    Superseded,
}

impl Outcome {
    /// Every outcome, for metrics that show zeros too.
    pub const ALL: [Self; 4] = [Self::Promoted, Self::Aborted, Self::RolledBack, Self::Superseded];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "Promoted",
            Self::Aborted => "Aborted",
            Self::RolledBack => "RolledBack",
            Self::Superseded => "Superseded",
        }
    }
}

/// A rollout that ended.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Hash of the revision.
    pub revision: String,
    /// Version that the user gave.
    pub version: String,
    /// Digest of the bundle, when it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
    /// What its verification found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verified>,
    /// When it began.
    pub started_at: Time,
    /// When it ended.
    pub finished_at: Time,
}
