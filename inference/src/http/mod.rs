//! HTTP: the routes, and what every answer has in common. Translates only; what an answer is, `service` decides.

pub mod accept;
mod answer;
mod body;
mod description;
mod guard;
mod ndjson;
pub mod ops;
mod predict;
mod problem;
mod request;
mod v2;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;

pub(crate) use self::guard::{Caller, InFlight};
use self::guard::{authorise, guard};
use self::problem::Problem;
use crate::access::Access;
use crate::health::{Health, Phase};
use crate::metrics::Metrics;
use crate::service::{Call, Service};

/// From the head of a request to its answer; whoever waits longer has usually gone.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// From the head of a request to the end of its body: one that trickles in holds a connection and memory.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of a body at most: 1024 molecules of 1000 characters.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// What the handlers share.
pub struct App {
    /// Whether the process lives and serves.
    pub health: Health,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// The model, once it is loaded.
    pub service: OnceLock<Arc<Service>>,
    /// Who may ask.
    pub access: Access,
    /// How long one request may take, usually [`REQUEST_TIMEOUT`].
    pub request_timeout: Duration,
    /// How long its body may take, usually [`BODY_TIMEOUT`].
    pub body_timeout: Duration,
}

impl App {
    /// A server that is still loading.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            health: Health::default(),
            metrics,
            service: OnceLock::new(),
            access: Access::Open,
            request_timeout: REQUEST_TIMEOUT,
            body_timeout: BODY_TIMEOUT,
        }
    }
}

impl App {
    /// A request that begins now.
    fn call(&self, Caller(caller): Caller, headers: &HeaderMap) -> Call {
        Call { caller, deadline: Some(Instant::now() + self.request_timeout), fresh: wants_fresh(headers) }
    }

    /// The model, or in a sentence why there is none.
    pub(crate) fn serving(&self) -> Result<&Arc<Service>, String> {
        self.service.get().ok_or_else(|| match self.health.phase() {
            Phase::Loading(step) => format!("the model is not ready: the server is {step}; try again later"),
            Phase::Ready | Phase::Draining => "the server is shutting down; try again".to_owned(),
        })
    }
}

/// The model, for a handler.
fn serving(app: &App) -> Result<&Arc<Service>, Problem> {
    app.serving().map_err(|sentence| Problem::shed(StatusCode::SERVICE_UNAVAILABLE, "not_ready", sentence))
}

/// The routes of the prediction port.
pub fn router(app: Arc<App>) -> Router {
    let predictions = Router::new().route("/predict", post(predict::predict)).merge(v2::predictions());
    let metadata = v2::metadata().merge(description::routes());
    guard(predictions, &app)
        .merge(metadata.layer(from_fn_with_state(app.clone(), authorise)))
        .merge(v2::health())
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app)
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON; this is a defect of the server");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn no_such_path(uri: Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        format!("there is nothing at {}; predictions are at POST /predict and /v2/models", uri.path()),
    )
}

async fn wrong_method(method: Method) -> Problem {
    let sentence = format!("{method} is not possible here; use POST with a JSON body such as {{\"smiles\":\"CCO\"}}");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, sentence)
}

/// Whether an answer that was given before will not do: `Cache-Control: no-cache`, as in RFC 9111, 5.2.1.4.
pub(crate) fn wants_fresh(headers: &HeaderMap) -> bool {
    let directives = headers.get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    directives.flat_map(|value| value.split(',')).any(|directive| {
        let directive = directive.trim();
        directive.eq_ignore_ascii_case("no-cache") || directive.eq_ignore_ascii_case("no-store")
    })
}
