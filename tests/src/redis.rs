//! A real Redis on the node, without a disk.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use kube::Client;
use tokio::process::{Child, Command};

use crate::node;

/// Runs for as long as it lives.
pub struct Redis {
    child: Child,
    /// For clients in pods.
    pub url: String,
}

impl Redis {
    /// Starts one. It may take a moment to listen.
    pub async fn start(client: &Client) -> Result<Self> {
        let address = node::address(client).await?;
        let port = node::free_port(address)?.to_string();
        let child = Command::new("redis-server")
            .args(["--bind", &address.to_string(), "--port", &port, "--save", "", "--protected-mode", "no"])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("redis-server cannot be started")?;
        Ok(Self { child, url: format!("redis://{address}:{port}") })
    }

    /// Ends it, and whatever is asked of it from now on fails.
    pub async fn stop(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}
