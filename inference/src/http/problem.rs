//! Every answer that is not a prediction: `{"error":"a sentence"}`, and which status says what.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{App, json};
use crate::access::Denied;
use crate::service::{Refusal, RowError};

/// Of what a caller that was shed is told to wait: sooner is of no use, later is a guess.
const RETRY_AFTER: RangeInclusive<u64> = 1..=30;

/// Why there is no prediction.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    body: ErrorBody,
    /// Whether other credentials might help.
    challenge: bool,
    /// Set when the same request may succeed later or elsewhere.
    shed: Option<Shed>,
}

#[derive(Debug, Clone, Copy)]
struct Shed {
    /// The label of its counter.
    reason: &'static str,
    /// When it may be tried again.
    wait: Duration,
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
        Self { status, body: ErrorBody { error: sentence.into(), position: None }, challenge: false, shed: None }
    }

    /// Not now: `reason` is the label under which it is counted.
    pub(super) fn shed(status: StatusCode, reason: &'static str, sentence: impl Into<String>) -> Self {
        Self::shed_for(Duration::ZERO, status, reason, sentence)
    }

    fn shed_for(wait: Duration, status: StatusCode, reason: &'static str, sentence: impl Into<String>) -> Self {
        Self { shed: Some(Shed { reason, wait }), ..Self::new(status, sentence) }
    }

    /// Counts it when it is about load or phase.
    pub(super) fn counted(self, app: &App) -> Self {
        if let Some(Shed { reason, .. }) = self.shed {
            app.metrics.shed.with_label_values(&[reason]).inc();
        }
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::NoItems => Self::new(StatusCode::UNPROCESSABLE_ENTITY, sentence),
            Refusal::TooManyItems { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, sentence),
            Refusal::Overloaded { wait } => Self::shed_for(wait, StatusCode::TOO_MANY_REQUESTS, "queue_full", sentence),
            Refusal::TooLate { wait } => Self::shed_for(wait, StatusCode::TOO_MANY_REQUESTS, "too_late", sentence),
            Refusal::Stopped => Self::shed(StatusCode::SERVICE_UNAVAILABLE, "stopped", sentence),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let sentence = denied.to_string();
        match denied {
            Denied::Missing | Denied::Unknown => {
                Self { challenge: true, ..Self::new(StatusCode::UNAUTHORIZED, sentence) }
            }
            Denied::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, sentence),
            Denied::Unavailable => Self::shed(StatusCode::SERVICE_UNAVAILABLE, "access", sentence),
        }
    }
}

impl From<RowError> for Problem {
    fn from(why: RowError) -> Self {
        let status = match why {
            RowError::Molecule(_) => StatusCode::UNPROCESSABLE_ENTITY,
            RowError::Engine | RowError::NotFinite => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, body: why.into(), challenge: false, shed: None }
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
        if self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(Shed { wait, .. }) = self.shed {
            let seconds = wait.as_secs().saturating_add(1).clamp(*RETRY_AFTER.start(), *RETRY_AFTER.end());
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
