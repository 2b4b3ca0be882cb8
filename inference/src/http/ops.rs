//! The port for Kubernetes and Prometheus: `/livez`, `/readyz`, `/metrics`. It answers from the first second on.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::App;
use crate::metrics;

/// The routes of the ops port.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(|State(app): State<Arc<App>>| async move { verdict(app.health.live(Instant::now())) }))
        .route("/readyz", get(|State(app): State<Arc<App>>| async move { verdict(app.health.ready(Instant::now())) }))
        .route("/metrics", get(render))
        .with_state(app)
}

/// The reason is the body: `kubectl describe` shows it with the failed probe.
fn verdict(health: Result<(), String>) -> Response {
    match health {
        Ok(()) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn render(State(app): State<Arc<App>>) -> Response {
    match app.metrics.render() {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(why) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("the metrics cannot be shown: {why}\n")).into_response()
        }
    }
}
