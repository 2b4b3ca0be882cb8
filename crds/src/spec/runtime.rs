//! `spec.runtime`: the server.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The server that answers predictions.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.accelerator != 'Cpu' || !has(self.gpu)")
    .message("spec.runtime.gpu must be absent when spec.runtime.accelerator is Cpu"))]
pub struct Runtime {
    /// Image of the server. When absent: the image that the operator was installed with, for the accelerator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// `Cuda` runs on NVIDIA GPUs and never falls back to the processor in silence; `Cpu` runs on the processor.
    #[serde(default)]
    pub accelerator: Accelerator,

    /// GPUs of a pod; one `nvidia.com/gpu` when absent. Only with `accelerator: Cuda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Gpu>,

    /// Threads that compute one batch. When absent: the pod's CPU limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 256))]
    pub threads: Option<i32>,

    /// How requests are gathered into batches.
    #[serde(default)]
    pub batching: Batching,

    /// What a single request may ask for.
    #[serde(default)]
    pub limits: Limits,
}

/// What computes: `Cuda` or `Cpu`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accelerator {
    /// NVIDIA GPUs.
    #[default]
    Cuda,
    /// The processor.
    Cpu,
}

/// GPUs of one pod.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Gpu {
    /// Number of GPUs, requested and limited alike.
    #[serde(default = "Gpu::default_count")]
    #[schemars(range(min = 1, max = 16))]
    pub count: i32,
    /// Extended resource that the device plugin advertises, `nvidia.com/gpu` or a MIG profile such as `nvidia.com/mig-1g.10gb`.
    #[serde(default = "Gpu::default_resource_name")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9.-]+/[A-Za-z0-9._-]+$')")
        .message("spec.runtime.gpu.resourceName must be an extended resource such as nvidia.com/gpu"))]
    pub resource_name: String,
}

impl Gpu {
    fn default_count() -> i32 {
        1
    }
    fn default_resource_name() -> String {
        "nvidia.com/gpu".into()
    }
}

impl Default for Gpu {
    fn default() -> Self {
        Self { count: Self::default_count(), resource_name: Self::default_resource_name() }
    }
}

/// How requests are gathered into batches.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Batching {
    /// Largest batch, as its longest molecule's tokens times its molecules.
    #[schemars(range(min = 1, max = 16_777_216))]
    pub max_batch_tokens: i32,
    /// Most molecules in a batch.
    #[schemars(range(min = 1, max = 65_536))]
    pub max_batch_items: i32,
    /// Most molecules that may wait; further requests are answered 429.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub max_queue_items: i32,
}

impl Default for Batching {
    fn default() -> Self {
        Self { max_batch_tokens: 16_384, max_batch_items: 256, max_queue_items: 1024 }
    }
}

/// What a single request may ask for.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Longest SMILES, in characters.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_smiles_length: i32,
    /// Most molecules in one request.
    #[schemars(range(min = 1, max = 65_536))]
    pub max_items_per_request: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_smiles_length: 1000, max_items_per_request: 1024 }
    }
}
