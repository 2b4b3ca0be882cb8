//! `spec.autoscaling`: a range of pods.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Behavior;

/// Range of pods and when to use it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.minReplicas <= self.maxReplicas")
    .message("spec.autoscaling.minReplicas must not exceed spec.autoscaling.maxReplicas"))]
pub struct Autoscaling {
    /// Fewest pods, at least 1: with none, nobody would hold a request.
    #[serde(default = "Autoscaling::default_min")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_replicas: i32,
    /// Most pods.
    #[schemars(range(min = 1, max = 1000))]
    pub max_replicas: i32,
    /// CPU use to hold, in percent of the request.
    #[serde(default = "Autoscaling::default_cpu", rename = "targetCPUUtilization")]
    #[schemars(range(min = 1, max = 1000))]
    pub target_cpu_utilization: i32,
    /// Memory use to hold, in percent of the request.
    #[serde(default = "Autoscaling::default_memory")]
    #[schemars(range(min = 1, max = 1000))]
    pub target_memory_utilization: i32,
    /// Molecules that may wait in a pod, on average: more add pods. Needs a metrics adapter in the cluster that serves `chemmodel_queue_items`
    /// for pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_048_576))]
    pub target_queue_depth: Option<i32>,
    /// How fast to scale, as in a HorizontalPodAutoscaler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<Behavior>,
}

impl Autoscaling {
    fn default_min() -> i32 {
        1
    }
    fn default_cpu() -> i32 {
        70
    }
    fn default_memory() -> i32 {
        80
    }
}
