//! `spec.service`: the address of the model.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Service that has the ChemModel's name.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceSettings {
    /// `ClusterIP`, `NodePort` or `LoadBalancer`.
    #[serde(rename = "type")]
    pub type_: ServiceType,
    /// Port of the Service for HTTP.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: i32,
    /// Port of the Service for gRPC.
    #[schemars(range(min = 1, max = 65_535))]
    pub grpc_port: i32,
    /// Annotations of the Service, for load balancers mostly.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self { type_: ServiceType::default(), port: 80, grpc_port: 9000, annotations: BTreeMap::new() }
    }
}

/// Kind of Service.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceType {
    /// Reachable inside the cluster.
    #[default]
    ClusterIP,
    /// Reachable on a port of every node.
    NodePort,
    /// Reachable through a load balancer of the cloud.
    LoadBalancer,
}
