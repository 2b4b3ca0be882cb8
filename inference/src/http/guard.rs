//! What surrounds every route of predictions: it is counted, timed, ended in time, asked only by who may, and answered even when its
//! handler panics.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use prometheus::IntGauge;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tracing::Instrument as _;

use super::App;
use super::problem::Problem;
use crate::batch::worker::panic_text;
use crate::trace;

/// Adds it to routes.
pub(super) fn guard(routes: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
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

/// Who asks, as an extension of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller(pub(crate) String);

impl Caller {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }
}

/// Turns away who may not ask, before anything is read of what they ask.
pub(super) async fn authorise(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
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

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::post;
    use tower::ServiceExt;

    use super::*;
    use crate::metrics::Metrics;

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
