//! `spec.runtime`: the server.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretKeyRef;

/// The server that answers predictions.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.accelerator != 'Cpu' || !has(self.gpu)")
    .message("spec.runtime.gpu must be absent when spec.runtime.accelerator is Cpu"))]
#[x_kube(validation = Rule::new("!has(self.precision) || self.precision != 'Int8' || self.accelerator == 'Cpu'")
    .message("spec.runtime.precision: Int8 needs spec.runtime.accelerator: Cpu, because GPUs have no kernels for it"))]
pub struct Runtime {
    /// Image of the server. When absent: the image that the operator was installed with, for the accelerator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// `Cuda` runs on NVIDIA GPUs and never falls back to the processor in silence; `Cpu` runs on the processor.
    #[serde(default)]
    pub accelerator: Accelerator,

    /// Numbers that the network computes with: `Fp32`, or a variant that the bundle has, `Int8` (only with `accelerator: Cpu`) or `Fp16`.
    // Not written when it is the default: the hash of a revision must not change with the operator's version.
    #[serde(default, skip_serializing_if = "Precision::is_default")]
    pub precision: Precision,

    /// GPUs of a pod; one `nvidia.com/gpu` when absent. Only with `accelerator: Cuda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Gpu>,

    /// Threads that compute one batch. When absent: 1, with as many batches at once as the pod's limit has CPUs; more, with fewer batches at
    /// once, where copies of the network would take more than 1 GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 256))]
    pub threads: Option<i32>,

    /// How requests are gathered into batches.
    #[serde(default)]
    pub batching: Batching,

    /// What a single request may ask for.
    #[serde(default)]
    pub limits: Limits,

    /// Answers that are kept and given again.
    // Not written when it is the default: the hash of a revision must not change with the operator's version.
    #[serde(default, skip_serializing_if = "Cache::is_default")]
    pub cache: Cache,
}

/// Answers that are kept and given again.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Cache {
    /// Most answers that a pod keeps in its memory; 0 keeps none.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub max_entries: i32,
    /// A Redis that the pods share answers in, and that may outlive them. Without it they go on, and slower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
}

impl Default for Cache {
    fn default() -> Self {
        Self { max_entries: 16_384, redis: None }
    }
}

impl Cache {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A Redis.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Redis {
    /// Secret with the address, `redis://:password@host:6379/0` or `rediss://...` for TLS.
    pub url_secret_ref: SecretKeyRef,
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

/// Numbers that a network computes with: `Fp32`, `Int8` or `Fp16`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// As it was trained.
    #[default]
    Fp32,
    /// Products of 8-bit whole numbers, for processors.
    Int8,
    /// Half precision, for GPUs.
    Fp16,
}

impl Precision {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
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
    /// Memory of the GPU that the server takes at most, in MiB; all when absent. For GPUs that pods share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 64, max = 1_048_576))]
    pub memory_limit_mebibytes: Option<i32>,
    /// True lets the GPU round the factors of products to 10 bits: faster, and answers change by about a thousandth.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tf32: bool,
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
        Self {
            count: Self::default_count(),
            resource_name: Self::default_resource_name(),
            memory_limit_mebibytes: None,
            tf32: false,
        }
    }
}

/// How requests are gathered into batches.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Batching {
    /// Largest batch, as its longest molecule's tokens times its molecules, or as all atoms and directed bonds of its graphs.
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
