//! Every answer that is not a prediction: `{"error":"a sentence"}`, and which status says what.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::json;
use crate::service::{Refusal, RowError};

/// Seconds after which a caller that was shed may try again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Why there is no prediction.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    body: ErrorBody,
    /// Set when the same request may succeed later or elsewhere: the label of its counter.
    pub(super) shed: Option<&'static str>,
}

/// How a problem reads, alone or as one row of many.
#[derive(Debug, Serialize)]
pub(super) struct ErrorBody {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
}

impl Problem {
    /// The request, or the server, is at fault and trying again would not help.
    pub(super) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, body: ErrorBody { error: sentence.into(), position: None }, shed: None }
    }

    /// Not now: `reason` is the label under which it is counted.
    pub(super) fn shed(status: StatusCode, reason: &'static str, sentence: impl Into<String>) -> Self {
        Self { shed: Some(reason), ..Self::new(status, sentence) }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::NoItems => Self::new(StatusCode::UNPROCESSABLE_ENTITY, sentence),
            Refusal::TooManyItems { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, sentence),
            Refusal::Overloaded => Self::shed(StatusCode::TOO_MANY_REQUESTS, "queue_full", sentence),
            Refusal::Stopped => Self::shed(StatusCode::SERVICE_UNAVAILABLE, "stopped", sentence),
        }
    }
}

impl From<RowError> for Problem {
    fn from(why: RowError) -> Self {
        let status = match why {
            RowError::Molecule(_) => StatusCode::UNPROCESSABLE_ENTITY,
            RowError::Engine | RowError::NotFinite => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, body: why.into(), shed: None }
    }
}

impl From<RowError> for ErrorBody {
    fn from(why: RowError) -> Self {
        let error = why.to_string();
        let position = match why {
            RowError::Molecule(molecule) => molecule.position,
            RowError::Engine | RowError::NotFinite => None,
        };
        Self { error, position }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = json(self.status, &self.body);
        if self.shed.is_some() {
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}
