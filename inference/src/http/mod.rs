//! HTTP: the routes, and what every answer has in common. Translates only; what an answer is, `service` decides.

pub mod accept;
mod answer;
pub mod ops;
mod predict;
mod problem;
mod request;

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use prometheus::IntGauge;
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;

use self::problem::Problem;
use crate::batch::worker::panic_text;
use crate::health::{Health, Phase};
use crate::metrics::Metrics;
use crate::service::Service;

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
    pub service: OnceLock<Service>,
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
            request_timeout: REQUEST_TIMEOUT,
            body_timeout: BODY_TIMEOUT,
        }
    }
}

/// The routes of the prediction port.
pub fn router(app: Arc<App>) -> Router {
    guard(Router::new().route("/predict", post(predict::predict)), &app)
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
    routes.layer(CatchPanicLayer::custom(answer_panic)).layer(from_fn_with_state(app.clone(), measure))
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
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}; predictions are at POST /predict", uri.path()))
}

async fn wrong_method(method: Method) -> Problem {
    let sentence = format!("{method} is not possible here; use POST with a JSON body such as {{\"smiles\":\"CCO\"}}");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, sentence)
}

/// Counts and times predictions, and ends those that take too long.
async fn measure(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = InFlight::enter(&app.metrics.requests_in_flight);
    let answer = tokio::time::timeout(app.request_timeout, next.run(request)).await;
    let response = answer.unwrap_or_else(|_| {
        app.metrics.shed.with_label_values(&["timeout"]).inc();
        let seconds = app.request_timeout.as_secs();
        let sentence = format!("no answer within {seconds} s; the server is overloaded, try again later");
        Problem::shed(StatusCode::SERVICE_UNAVAILABLE, "timeout", sentence).into_response()
    });
    app.metrics.request_seconds.observe(started.elapsed().as_secs_f64());
    app.metrics.requests.with_label_values(&[outcome(response.status())]).inc();
    response
}

/// Counts a request for as long as it lives: a caller that goes away ends its future before there is an answer.
struct InFlight(IntGauge);

impl InFlight {
    fn enter(gauge: &IntGauge) -> Self {
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
