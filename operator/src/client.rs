//! The connection to the API server.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]

use std::error::Error;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::{Client, Config};

/// Connects by kubeconfig or as a pod.
///
/// The client does not retry: a write that is repeated after a lost answer must be planned anew, and a renewal of the Lease that
/// sleeps in a retry outlives the Lease. What fails is tried again by the controller's own schedule.
///
/// # Errors
/// When there is neither a kubeconfig nor a service account, or no crypto provider.
pub async fn connect() -> Result<Client, Box<dyn Error>> {
    // Explicit, because rustls panics when two crates each bring a default.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "another TLS provider was installed before")?;
    let mut config = Config::infer().await?;
    config.default_retry = false;
    config
        .headers
        .push((USER_AGENT, HeaderValue::from_static(concat!("chemmodel-operator/", env!("CARGO_PKG_VERSION")))));
    Ok(Client::try_from(config)?)
}
