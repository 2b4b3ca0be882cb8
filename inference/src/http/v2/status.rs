//! Everything of the protocol that predicts nothing: health and metadata.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::Named;
use crate::http::problem::Problem;
use crate::http::{App, json as answer, serving};
use crate::infer;
use crate::infer::contract::{BYTES, EXTENSIONS, INPUT, PLATFORM, SHAPE, outputs};

#[derive(Serialize)]
struct ModelMetadata<'a> {
    name: &'a str,
    versions: [&'a str; 1],
    platform: &'static str,
    inputs: [TensorMetadata<'a>; 1],
    outputs: Vec<TensorMetadata<'a>>,
}

#[derive(Serialize)]
struct TensorMetadata<'a> {
    name: &'a str,
    datatype: &'static str,
    shape: [i64; 1],
}

pub(super) async fn server() -> Response {
    let metadata = json!({
        "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"), "extensions": EXTENSIONS,
    });
    answer(StatusCode::OK, &metadata)
}

/// The protocol's page calls the field of both answers `live`, KServe's client reads `ready`: both are there.
pub(super) async fn live(State(app): State<Arc<App>>) -> Response {
    match app.health.live(Instant::now()) {
        Ok(()) => answer(StatusCode::OK, &json!({"live": true})),
        Err(sentence) => unavailable(sentence),
    }
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.health.ready(Instant::now()) {
        Ok(()) => answer(StatusCode::OK, &json!({"live": true, "ready": true})),
        Err(sentence) => unavailable(sentence),
    }
}

pub(super) async fn model(State(app): State<Arc<App>>, Path(named): Path<Named>) -> Result<Response, Problem> {
    let service = serving(&app)?;
    infer::check_name(service, &named.model, &named.version)?;
    let tensor = |(name, datatype)| TensorMetadata { name, datatype, shape: SHAPE };
    let metadata = ModelMetadata {
        name: &service.identity.model,
        versions: [&service.identity.version],
        platform: PLATFORM,
        inputs: [tensor((INPUT, BYTES))],
        outputs: outputs(&service.outputs).map(tensor).collect(),
    };
    Ok(answer(StatusCode::OK, &metadata))
}

pub(super) async fn model_ready(State(app): State<Arc<App>>, Path(named): Path<Named>) -> Result<Response, Problem> {
    infer::check_name(serving(&app)?, &named.model, &named.version)?;
    Ok(match app.health.ready(Instant::now()) {
        Ok(()) => answer(StatusCode::OK, &json!({"name": named.model, "ready": true})),
        Err(sentence) => unavailable(sentence),
    })
}

fn unavailable(sentence: String) -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, sentence).into_response()
}
