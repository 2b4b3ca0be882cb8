//! `POST /predict`: the steps from a request to its answer, each of which may end it with a [`Problem`].

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::problem::Problem;
use super::request::{PredictRequest, Smiles};
use super::{App, MAX_BODY_BYTES, answer};
use crate::health::Phase;
use crate::service::{RowError, Service};

/// Bytes of an unwanted body that are read only to be thrown away.
const DISCARDED_BYTES: usize = 16 << 20;

pub(super) async fn predict(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    let answer = answer(&app, &head.headers, &mut body).await;
    if answer.is_err() && !head.headers.contains_key(EXPECT) {
        // Many clients send all before they read, and closing under them loses the answer. Those that asked whether to
        // send have not begun.
        let _ = tokio::time::timeout(app.body_timeout, discard(&mut body)).await;
    }
    answer.unwrap_or_else(|problem| {
        if let Some(reason) = problem.shed {
            app.metrics.shed.with_label_values(&[reason]).inc();
        }
        problem.into_response()
    })
}

async fn answer(app: &App, headers: &HeaderMap, body: &mut Body) -> Result<Response, Problem> {
    let service = serving(app)?;
    check_headers(headers)?;
    service.admit()?;
    let body = read(body, app.body_timeout).await?;
    let PredictRequest { smiles } =
        PredictRequest::parse(&body).map_err(|sentence| Problem::new(StatusCode::BAD_REQUEST, sentence))?;
    match smiles {
        Smiles::One(molecule) => {
            let row = service.predict(vec![molecule]).await?.pop().unwrap_or(Err(RowError::Engine));
            Ok(answer::one(service, row?))
        }
        Smiles::Many(molecules) => answer::many(service, service.predict(molecules).await?),
    }
}

fn serving(app: &App) -> Result<&Service, Problem> {
    app.service.get().ok_or_else(|| {
        let sentence = match app.health.phase() {
            Phase::Loading(step) => format!("the model is not ready: the server is {step}; try again later"),
            Phase::Ready | Phase::Draining => "the server is shutting down; try again".to_owned(),
        };
        Problem::shed(StatusCode::SERVICE_UNAVAILABLE, "not_ready", sentence)
    })
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let unsupported = |what: String| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, what);
    let media_type = headers.get(CONTENT_TYPE).map(text);
    let essence = media_type.as_deref().and_then(|m| m.split(';').next()).unwrap_or_default();
    if !essence.trim().eq_ignore_ascii_case("application/json") {
        let found = media_type.map_or("no content type".to_owned(), |m| format!("the content type \"{m}\""));
        return Err(unsupported(format!(
            "the request has {found}; send JSON as application/json (curl: -H 'content-type: application/json')"
        )));
    }
    if let Some(encoding) = headers.get(CONTENT_ENCODING).map(text).filter(|e| !e.eq_ignore_ascii_case("identity")) {
        return Err(unsupported(format!(
            "the content encoding \"{encoding}\" is not supported; send the body uncompressed"
        )));
    }
    // Said before the body is sent; the limit on the body itself does not rely on it.
    let length = headers.get(CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY_BYTES as u64) { Err(too_large()) } else { Ok(()) }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

async fn read(body: &mut Body, time: Duration) -> Result<Bytes, Problem> {
    match tokio::time::timeout(time, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(why)) if why.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "the body ended before it was complete; send it again"))
        }
        Err(_) => {
            let sentence = format!("the body did not arrive within {} s; send it faster", time.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, sentence))
        }
    }
}

async fn discard(body: &mut Body) {
    let mut left = DISCARDED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

fn too_large() -> Problem {
    let sentence = format!("the body has more than {MAX_BODY_BYTES} bytes; split the request");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, sentence)
}
