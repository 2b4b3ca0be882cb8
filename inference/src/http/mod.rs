//! HTTP: the routes, and what every answer has in common. Translates only; what an answer is, `service` decides.

pub mod accept;
mod answer;
mod body;
mod description;
mod ndjson;
pub mod ops;
mod predict;
mod problem;
mod request;
mod v2;

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use prometheus::IntGauge;
use serde::Serialize;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tracing::Instrument as _;

use self::problem::Problem;
use crate::access::Access;
use crate::batch::worker::panic_text;
use crate::health::{Health, Phase};
use crate::metrics::Metrics;
use crate::service::{Call, Service};
use crate::trace;

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
        .layer(from_fn_with_state(app.clone(), close_while_draining))
        .with_state(app)
}

/// Every route is counted, timed, ended in time, and answered even when its handler panics.
fn guard(routes: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    let panics = app.metrics.panics.clone();
    let answer_panic = move |panic: Box<dyn Any + Send>| {
        panics.inc();
        tracing::error!(panic = panic_text(&*panic), "a request panicked; this is a defect of the server");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the server has a defect; its log says more").into_response()
    };
    // From the outermost on, and as one layer: the router adds some microseconds to a request for each.
    routes.layer(
        ServiceBuilder::new()
            .layer(from_fn_with_state(app.clone(), measure))
            .layer(CatchPanicLayer::custom(answer_panic))
            // An encoding that it does not know is refused where the body is read, in a sentence.
            .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true)),
    )
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

/// Who asks, as an extension of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller(pub(crate) String);

impl Caller {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }
}

/// Turns away who may not ask, before anything is read of what they ask.
async fn authorise(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match app.access.check(request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(Caller(caller));
            next.run(request).await
        }
        Err(denied) => Problem::from(denied).counted(&app).into_response(),
    }
}

/// Counts and times predictions, turns away who may not ask, and ends what takes too long. One layer instead of three: each one costs every
/// request some microseconds.
async fn measure(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = InFlight::enter(&app.metrics.requests_in_flight);
    let span = trace::request(request.headers(), route(&request));
    let answer = authorise(State(app.clone()), request, next).instrument(span.clone());
    let answer = tokio::time::timeout(app.request_timeout, answer).await;
    let response = answer.unwrap_or_else(|_| {
        app.metrics.shed.with_label_values(&["timeout"]).inc();
        let seconds = app.request_timeout.as_secs();
        let sentence = format!("no answer within {seconds} s; the server is overloaded, try again later");
        Problem::shed(StatusCode::SERVICE_UNAVAILABLE, "timeout", sentence).into_response()
    });
    span.record("http.response.status_code", response.status().as_u16());
    app.metrics.request_seconds.observe(started.elapsed().as_secs_f64());
    app.metrics.requests.with_label_values(&[outcome(response.status())]).inc();
    response
}

/// The path with its names left out: there are as many of those as there are callers.
fn route(request: &Request) -> &str {
    request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str)
}

/// Counts a request for as long as it lives: a caller that goes away ends its future before there is an answer.
pub(crate) struct InFlight(IntGauge);

impl InFlight {
    pub(crate) fn enter(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn outcome(status: StatusCode) -> &'static str {
    match status {
        StatusCode::TOO_MANY_REQUESTS => "overloaded",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        _ if status.is_success() => "ok",
        _ if status.is_client_error() => "rejected",
        _ => "failed",
    }
}

/// A client that keeps its connection would stay with a server that is about to go.
async fn close_while_draining(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if app.health.phase() == Phase::Draining {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    /// A handler has to return something.
    fn panic_with(message: &str) -> StatusCode {
        panic!("{message}")
    }

    #[tokio::test]
    async fn a_request_whose_handler_panics_is_answered_and_counted() {
        let app = Arc::new(App::new(Arc::new(Metrics::new("m", "v", "").unwrap())));
        let panics = Router::new().route("/", post(async || panic_with("of course")));
        let router = guard(panics, &app).with_state(app.clone());
        let response = router.oneshot(Request::post("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(app.metrics.panics.get(), 1);
        assert_eq!(app.metrics.requests.with_label_values(&["failed"]).get(), 1);
        assert_eq!(app.metrics.requests_in_flight.get(), 0);
    }
}
