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

    /// Where the ChemModel stands: `Syncing` (the bundle is being fetched), `Starting` (pods of the revision are starting), `Stable`
    /// (the revision of the spec has the traffic), `Blocked` (it does not get on; see reason and message) or `Suspended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,

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

    /// The revision that is being prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,

    /// The revision that had the traffic before and is still warm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,

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
    /// The revision of the spec has the traffic.
    Stable,
    /// It cannot go on by itself; the message says why and what to do.
    Blocked,
    /// `spec.suspend` is true.
    Suspended,
}

impl Phase {
    /// Every phase, for metrics that show zeros too.
    pub const ALL: [Self; 5] = [Self::Syncing, Self::Starting, Self::Stable, Self::Blocked, Self::Suspended];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syncing => "Syncing",
            Self::Starting => "Starting",
            Self::Stable => "Stable",
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

/// A revision in a colour slot.
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
    /// Since when.
    pub since: Time,
}

/// A revision on its way to the traffic.
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
    /// Since when the present step lasts.
    pub since: Time,
    /// When the present step is reported as stuck.
    pub deadline: Time,
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
