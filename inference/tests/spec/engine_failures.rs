//! What happens when the engine fails: one bad molecule harms no other, and a broken engine is found out.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use chemmodel_inference::health::Phase;
use chemmodel_inference::http::{self, App};
use chemmodel_inference::metrics::Metrics;
use serde_json::json;
use tower::ServiceExt;

use crate::support::fixture::{Fixture, eventually};

#[tokio::test]
async fn a_molecule_that_fails_in_the_engine_fails_alone_even_in_a_batch() {
    let server = Fixture::default();
    let answer = server.predict(json!({"smiles": ["C", "X", "CO"]})).await;
    assert_eq!(answer.status, StatusCode::OK);
    let rows = &answer.body["predictions"];
    assert_eq!(rows[0], json!({"prediction": 9.0}));
    assert!(rows[1]["error"].as_str().unwrap().contains("engine failed"));
    assert_eq!(rows[2], json!({"prediction": 15.0}));
    assert_eq!(server.ops("/livez").await.0, StatusCode::OK, "one bad molecule made the server not live");
}

#[tokio::test]
async fn a_panic_of_the_engine_is_an_error_and_the_server_goes_on() {
    let server = Fixture::default();
    let answer = server.predict(json!({"smiles": "P"})).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!answer.error().contains("told to panic"), "the engine's own words are for the log");
    assert_eq!(server.predict(json!({"smiles": "C"})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_list_that_the_engine_could_not_answer_at_all_is_a_server_error() {
    let answer = Fixture::default().predict(json!({"smiles": ["X", "XX"]})).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn an_engine_that_fails_on_everything_is_neither_live_nor_ready_until_it_works_again() {
    let server = Fixture::default();
    server.engine.break_down();
    assert_eq!(server.predict(json!({"smiles": "C"})).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    for path in ["/livez", "/readyz"] {
        let (status, why) = server.ops(path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(why.contains("out of memory"), "{why}");
    }
    server.engine.repair();
    assert_eq!(server.predict(json!({"smiles": "C"})).await.status, StatusCode::OK);
    assert_eq!(server.ops("/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn when_the_engine_thread_is_gone_callers_are_told_and_liveness_fails() {
    let server = Fixture::default();
    server.queue.close();
    eventually("the thread ends", || server.app.health.live(std::time::Instant::now()).is_err()).await;
    let answer = server.predict(json!({"smiles": "C"})).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(server.ops("/livez").await.1.contains("thread has stopped"));
}

#[tokio::test]
async fn callers_that_wait_when_the_queue_is_abandoned_get_an_answer() {
    let server = Fixture::default();
    server.engine.hold();
    let running = server.start(json!({"smiles": "C"}));
    server.wait_until_running().await;
    let waiting = server.start(json!({"smiles": "C"}));
    server.wait_for_queue(1).await;
    server.queue.abandon();
    assert_eq!(waiting.await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
    server.engine.release();
    assert_eq!(running.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_server_that_loads_is_live_not_ready_and_says_why() {
    let app = Arc::new(App::new(Arc::new(Metrics::new("m", "v", "").unwrap())));
    app.health.enter(Phase::Loading("checking the files of the bundle"));
    let ask = |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        http::ops::router(app.clone()).oneshot(request)
    };
    assert_eq!(ask("/livez").await.unwrap().status(), StatusCode::OK);
    assert_eq!(ask("/readyz").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    let request = Request::post("/predict").header("content-type", "application/json");
    let request = request.body(Body::from("{\"smiles\":\"C\"}")).unwrap();
    let answer = http::router(app.clone()).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");
}
