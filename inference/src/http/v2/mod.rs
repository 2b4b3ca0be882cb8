//! The Open Inference Protocol over HTTP, with the binary tensor extension. What it means is in [`crate::infer`].

mod answer;
mod request;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::problem::Problem;
use super::{App, Caller, body, serving};
use crate::infer::{self, Fault, InferRequest};
use crate::service::{Refusal, RowError};

/// What a path names.
#[derive(Deserialize)]
struct Named {
    model: String,
    #[serde(default)]
    version: String,
}

/// Routes that predict.
pub(super) fn predictions() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/models/{model}/infer", post(predict))
        .route("/v2/models/{model}/versions/{version}/infer", post(predict))
}

/// Routes for whoever watches the server.
pub(super) fn health() -> Router<Arc<App>> {
    Router::new().route("/v2/health/live", get(status::live)).route("/v2/health/ready", get(status::ready))
}

/// Routes that tell.
pub(super) fn metadata() -> Router<Arc<App>> {
    Router::new()
        .route("/v2", get(status::server))
        .route("/v2/models/{model}", get(status::model))
        .route("/v2/models/{model}/ready", get(status::model_ready))
        .route("/v2/models/{model}/versions/{version}", get(status::model))
        .route("/v2/models/{model}/versions/{version}/ready", get(status::model_ready))
}

async fn predict(State(app): State<Arc<App>>, Path(named): Path<Named>, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    let caller = Caller::of(&head.extensions);
    let answer = answer(&app, named, &head.headers, &mut body, caller).await;
    if answer.is_err() {
        body::discard(&head.headers, &mut body, app.body_timeout).await;
    }
    answer.unwrap_or_else(|problem| problem.counted(&app).into_response())
}

async fn answer(
    app: &App,
    named: Named,
    headers: &HeaderMap,
    body: &mut Body,
    caller: Caller,
) -> Result<Response, Problem> {
    let call = app.call(caller, headers);
    let service = serving(app)?;
    infer::check_name(service, &named.model, &named.version)?;
    check_headers(headers)?;
    service.admit()?;
    let body = body::read(body, app.body_timeout).await?;
    let asked = request::read(headers, &body).map_err(|sentence| Problem::new(StatusCode::BAD_REQUEST, sentence))?;
    let request::Asked { id, inputs, outputs, binary } = asked;
    let request = InferRequest { model: named.model, version: named.version, inputs, outputs, call };
    let found = infer::infer(service, request).await?;
    Ok(answer::write(&service.identity, id, &found, &binary))
}

/// Triton's own client names no type at all.
fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    match body::media_type(headers).as_str() {
        "" | "application/json" | "application/octet-stream" => body::check(headers),
        other => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the request has the content type \"{other}\"; send application/json or application/octet-stream"),
        )),
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let sentence = fault.to_string();
        match fault {
            Fault::NoSuchModel { .. } | Fault::NoSuchVersion { .. } => Self::new(StatusCode::NOT_FOUND, sentence),
            Fault::Invalid(_) | Fault::Row { why: RowError::Molecule(_), .. } | Fault::Refused(Refusal::NoItems) => {
                Self::new(StatusCode::BAD_REQUEST, sentence)
            }
            Fault::Row { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, sentence),
            Fault::Refused(refusal) => refusal.into(),
        }
    }
}
