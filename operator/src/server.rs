//! `/livez`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// Something to do just before metrics are read.
pub type Refresh = Arc<dyn Fn() + Send + Sync>;

/// What the endpoints show.
#[derive(Clone)]
pub struct Health {
    /// True once this replica can take the lead: it reaches the API server. A standby is ready too.
    pub ready: Arc<AtomicBool>,
    /// The counts.
    pub metrics: Metrics,
    /// Brings gauges up to date.
    pub refresh: Refresh,
}

/// Serves until the process ends.
///
/// # Errors
/// When the address cannot be bound.
pub async fn serve(address: SocketAddr, health: Health) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    axum::serve(listener, router(health)).await
}

/// The routes, for tests without a socket.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(health)
}

async fn readyz(State(health): State<Health>) -> Response {
    if health.ready.load(Ordering::Relaxed) {
        "ok".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the API server has not answered yet").into_response()
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    (health.refresh)();
    match health.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
