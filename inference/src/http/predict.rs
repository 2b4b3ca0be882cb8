//! `POST /predict`: what is read, what is answered, and which refusal has which status.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use chemmodel_bundle::Output;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;

use super::request::{PredictRequest, Smiles};
use super::{App, ErrorBody, MAX_BODY_BYTES, error, json, try_again};
use crate::health::Phase;
use crate::service::{Refusal, RowError, Service, Values};

/// A body that trickles in holds a connection and memory.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) async fn predict(State(app): State<Arc<App>>, request: Request) -> Response {
    match answer(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answer(app: &App, request: Request) -> Result<Response, Response> {
    let service = serving(app)?;
    check_headers(request.headers())?;
    service.admit().map_err(|refusal| refused(app, &refusal))?;
    let body = read(request.into_body()).await?;
    let PredictRequest { smiles } = PredictRequest::parse(&body).map_err(|e| error(StatusCode::BAD_REQUEST, e))?;
    match smiles {
        Smiles::One(molecule) => {
            let rows = service.predict(vec![molecule]).await.map_err(|refusal| refused(app, &refusal))?;
            let row = rows.into_iter().next().unwrap_or(Err(RowError::Engine));
            row.map(|values| one(service, values)).map_err(|why| row_failed(&why))
        }
        Smiles::Many(molecules) => {
            let rows = service.predict(molecules).await.map_err(|refusal| refused(app, &refusal))?;
            many(service, rows)
        }
    }
}

fn serving(app: &App) -> Result<&Service, Response> {
    app.service.get().ok_or_else(|| {
        let Phase::Loading(step) = app.health.phase() else {
            return shed(app, "not_ready", StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down".to_owned());
        };
        let sentence = format!("the model is not ready: the server is {step}; try again later");
        shed(app, "not_ready", StatusCode::SERVICE_UNAVAILABLE, sentence)
    })
}

fn check_headers(headers: &HeaderMap) -> Result<(), Response> {
    let media_type = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let essence = media_type.as_deref().unwrap_or("").split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let found = media_type.as_ref().map_or("no content type".to_owned(), |m| format!("the content type \"{m}\""));
        let sentence =
            format!("the request has {found}; send JSON with the header content-type: application/json (curl: -H 'content-type: application/json')");
        return Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let encoding = String::from_utf8_lossy(encoding.as_bytes());
        let sentence = format!("the content encoding \"{encoding}\" is not supported; send the body uncompressed");
        return Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    // Said before the body is sent; the limit on the body itself does not rely on it.
    let length = headers.get(CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY_BYTES as u64) { Err(too_large()) } else { Ok(()) }
}

async fn read(body: Body) -> Result<Bytes, Response> {
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(why)) if why.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(error(StatusCode::BAD_REQUEST, "the body ended before it was complete; send it again")),
        Err(_) => {
            let sentence = format!("the body did not arrive within {} s; send it faster", BODY_TIMEOUT.as_secs());
            Err(error(StatusCode::REQUEST_TIMEOUT, sentence))
        }
    }
}

fn too_large() -> Response {
    let sentence = format!("the body has more than {MAX_BODY_BYTES} bytes; split the request");
    error(StatusCode::PAYLOAD_TOO_LARGE, sentence)
}

fn refused(app: &App, refusal: &Refusal) -> Response {
    let sentence = refusal.to_string();
    match refusal {
        Refusal::NoItems => error(StatusCode::UNPROCESSABLE_ENTITY, sentence),
        Refusal::TooManyItems { .. } => error(StatusCode::PAYLOAD_TOO_LARGE, sentence),
        Refusal::Overloaded => shed(app, "queue_full", StatusCode::TOO_MANY_REQUESTS, sentence),
        Refusal::Stopped => shed(app, "stopped", StatusCode::SERVICE_UNAVAILABLE, sentence),
    }
}

fn shed(app: &App, reason: &str, status: StatusCode, sentence: String) -> Response {
    app.metrics.shed.with_label_values(&[reason]).inc();
    try_again(status, sentence)
}

fn row_status(why: &RowError) -> StatusCode {
    match why {
        RowError::Molecule(_) => StatusCode::UNPROCESSABLE_ENTITY,
        RowError::Engine | RowError::NotFinite => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn row_failed(why: &RowError) -> Response {
    json(row_status(why), &row_error(why))
}

fn row_error(why: &RowError) -> ErrorBody {
    let position = match why {
        RowError::Molecule(molecule) => molecule.position,
        RowError::Engine | RowError::NotFinite => None,
    };
    ErrorBody { error: why.to_string(), position }
}

/// `{"prediction":351.6,"unit":"K","model":"boiling-point","version":"v1"}`
#[derive(Serialize)]
struct One<'a> {
    prediction: PerOutput<'a, f32>,
    #[serde(flatten)]
    about: About<'a>,
}

/// `{"predictions":[{"prediction":351.6},{"error":"…"}],"unit":"K","model":"boiling-point","version":"v1"}`
#[derive(Serialize)]
struct Many<'a> {
    predictions: Vec<Row<'a>>,
    #[serde(flatten)]
    about: About<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Answer { prediction: PerOutput<'a, f32> },
    Failed(ErrorBody),
}

#[derive(Serialize)]
struct About<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<PerOutput<'a, &'a str>>,
    model: &'a str,
    version: &'a str,
}

/// The plain value where the model has one output, an object by the outputs' names where it has several.
enum PerOutput<'a, T> {
    Single(T),
    Named(Vec<(&'a str, T)>),
}

impl<T: Serialize> Serialize for PerOutput<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Single(value) => value.serialize(serializer),
            Self::Named(values) => serializer.collect_map(values.iter().map(|(name, value)| (name, value))),
        }
    }
}

fn one(service: &Service, values: Values) -> Response {
    let prediction = prediction(&service.outputs, values);
    json(StatusCode::OK, &One { prediction, about: about(service) })
}

fn many(service: &Service, rows: Vec<Result<Values, RowError>>) -> Result<Response, Response> {
    // A list with some answers is an answer. A list with none that the server is to blame for is its failure.
    if !rows.iter().any(Result::is_ok)
        && let Some(Err(why)) = rows.iter().find(|r| matches!(r, Err(e) if row_status(e).is_server_error()))
    {
        return Err(row_failed(why));
    }
    let predictions = rows
        .into_iter()
        .map(|row| match row {
            Ok(values) => Row::Answer { prediction: prediction(&service.outputs, values) },
            Err(why) => Row::Failed(row_error(&why)),
        })
        .collect();
    Ok(json(StatusCode::OK, &Many { predictions, about: about(service) }))
}

fn prediction(outputs: &[Output], values: Values) -> PerOutput<'_, f32> {
    match values[..] {
        [value] => PerOutput::Single(value),
        _ => PerOutput::Named(outputs.iter().map(|o| o.name.as_str()).zip(values).collect()),
    }
}

fn about(service: &Service) -> About<'_> {
    let unit = match service.outputs.as_slice() {
        [output] => output.unit.as_deref().map(PerOutput::Single),
        outputs => {
            let named: Vec<_> = outputs.iter().filter_map(|o| Some((o.name.as_str(), o.unit.as_deref()?))).collect();
            if named.is_empty() { None } else { Some(PerOutput::Named(named)) }
        }
    };
    About { unit, model: &service.identity.model, version: &service.identity.version }
}
