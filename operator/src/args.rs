//! The command line.

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};

use crate::model::Settings;

/// Serves chemistry models on Kubernetes: reconciles ChemModels.
#[derive(Parser, Clone, Debug)]
#[command(name = "chemmodel-operator", version)]
pub struct Args {
    /// Image of the server for ChemModels with `accelerator: Cpu`.
    #[arg(long, env = "SERVER_IMAGE_CPU")]
    pub server_image_cpu: String,

    /// Image of the server for ChemModels with `accelerator: Cuda`.
    #[arg(long, env = "SERVER_IMAGE_CUDA")]
    pub server_image_cuda: String,

    /// Image that holds `/chemmodel-job`; normally the operator's own.
    #[arg(long, env = "JOB_IMAGE")]
    pub job_image: String,

    /// Reconcile ChemModels of this namespace only; of all namespaces when absent.
    #[arg(long, env = "WATCH_NAMESPACE")]
    pub watch_namespace: Option<String>,

    /// Namespace of the Lease by which replicas choose their leader.
    #[arg(long, env = "POD_NAMESPACE")]
    pub lease_namespace: String,

    /// Name of that Lease.
    #[arg(long, default_value = "chemmodel-operator")]
    pub lease_name: String,

    /// Who this replica is in the Lease; its pod's name.
    #[arg(long, env = "POD_NAME")]
    pub identity: String,

    /// Address of `/livez`, `/readyz` and `/metrics`.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub address: SocketAddr,

    /// Form of the log.
    #[arg(long, value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

impl Args {
    /// The part that validation needs.
    pub fn settings(&self) -> Settings {
        Settings {
            server_image_cpu: self.server_image_cpu.clone(),
            server_image_cuda: self.server_image_cuda.clone(),
            job_image: self.job_image.clone(),
        }
    }
}

/// Form of the log.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One object per line, for collectors.
    Json,
    /// For people.
    Text,
}
