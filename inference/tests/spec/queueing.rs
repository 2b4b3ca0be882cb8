//! How molecules wait: together, bounded, and only as long as somebody wants the answer.

use std::time::Duration;

use axum::http::StatusCode;
use chemmodel_inference::health::Phase;
use serde_json::json;

use crate::support::fixture::{Budget, Fixture, Options};

#[tokio::test]
async fn what_arrives_while_the_engine_is_busy_runs_as_one_batch() {
    let server = Fixture::default();
    server.engine.hold();
    let first = server.start(json!({"smiles": "C"}));
    server.wait_until_running().await;
    let others = [("CC", 13.0), ("CN", 14.0), ("CO", 15.0), ("NO", 16.0), ("OO", 17.0)];
    let others = others.map(|(smiles, sum)| (server.start(json!({"smiles": smiles})), sum));
    server.wait_for_queue(5).await;
    server.engine.release();
    assert_eq!(first.await.unwrap().body["prediction"], 9.0);
    for (other, sum) in others {
        assert_eq!(other.await.unwrap().body["prediction"], sum);
    }
    assert_eq!(server.engine.batches(), [(1, 3), (5, 4)]);
}

#[tokio::test]
async fn the_same_molecule_twice_in_a_batch_is_run_once_and_answered_twice() {
    let server = Fixture::default();
    let answer = server.predict(json!({"smiles": ["C", "CO", "C", "C"]})).await.body;
    let predictions = [9.0, 15.0, 9.0, 9.0].map(|prediction| json!({"prediction": prediction}));
    assert_eq!(answer["predictions"], json!(predictions));
    assert_eq!(server.engine.batches(), [(2, 4)]);
}

#[tokio::test]
async fn an_answer_does_not_depend_on_the_company_in_its_batch() {
    let server = Fixture::default();
    let together = server.predict(json!({"smiles": ["C", "CCCCCCCCCC", "N"]})).await.body;
    for (row, smiles) in ["C", "CCCCCCCCCC", "N"].into_iter().enumerate() {
        let alone = server.predict(json!({"smiles": smiles})).await.body;
        assert_eq!(together["predictions"][row]["prediction"], alone["prediction"]);
    }
}

#[tokio::test]
async fn a_molecule_that_costs_more_than_a_whole_batch_is_still_predicted() {
    let batch = Budget { tokens: 4, items: 16, overhead: 1000 };
    let server = Fixture::new(Options { batch, ..Options::default() });
    let answer = server.predict(json!({"smiles": ["CCCCC", "C", "CCCCC"]})).await;
    let expected = json!([{"prediction": 25.0}, {"prediction": 9.0}, {"prediction": 25.0}]);
    assert_eq!(answer.body["predictions"], expected);
    assert!(server.engine.batches().iter().all(|(rows, _)| *rows == 1));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_says_when_to_come_back() {
    let server = Fixture::new(Options { queue: 4, ..Options::default() });
    server.engine.hold();
    let running = server.start(json!({"smiles": "C"}));
    server.wait_until_running().await;
    let waiting = server.start(json!({"smiles": ["C", "C", "C", "C"]}));
    server.wait_for_queue(4).await;

    let refused = server.predict(json!({"smiles": "C"})).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(refused.error().contains("queue is full"));
    assert!((server.metric("shed_total", "reason=\"queue_full\"").await - 1.0).abs() < 1e-9);

    server.engine.release();
    assert_eq!(running.await.unwrap().status, StatusCode::OK);
    assert_eq!(waiting.await.unwrap().status, StatusCode::OK);
    assert_eq!(server.predict(json!({"smiles": "C"})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_molecules_of_a_request_are_queued_together_or_not_at_all() {
    let server = Fixture::new(Options { queue: 4, ..Options::default() });
    server.engine.hold();
    let running = server.start(json!({"smiles": "C"}));
    server.wait_until_running().await;
    let waiting = server.start(json!({"smiles": ["C", "C"]}));
    server.wait_for_queue(2).await;

    assert_eq!(server.predict(json!({"smiles": ["C", "C", "C"]})).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(server.app.metrics.queue_items.get(), 2, "a part of the refused request was queued");

    server.engine.release();
    assert_eq!(running.await.unwrap().status, StatusCode::OK);
    assert_eq!(waiting.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_caller_that_goes_away_costs_no_inference_and_no_room() {
    let server = Fixture::new(Options { queue: 2, ..Options::default() });
    server.engine.hold();
    let running = server.start(json!({"smiles": "C"}));
    server.wait_until_running().await;
    let gone = server.start(json!({"smiles": "CCCCC"}));
    server.wait_for_queue(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    let stays = server.start(json!({"smiles": ["CC", "CO"]}));
    server.wait_for_queue(2).await;
    server.engine.release();
    assert_eq!(running.await.unwrap().status, StatusCode::OK);
    assert_eq!(stays.await.unwrap().status, StatusCode::OK);
    assert_eq!(server.engine.batches(), [(1, 3), (2, 4)], "the molecule that nobody waited for was run");
}

#[tokio::test]
async fn a_request_that_waits_too_long_is_told_so() {
    let request_timeout = Duration::from_millis(50);
    let server = Fixture::new(Options { request_timeout, ..Options::default() });
    server.engine.hold();
    let answer = server.predict(json!({"smiles": "C"})).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["retry-after"], "1");
    assert!((server.metric("requests_total", "outcome=\"unavailable\"").await - 1.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_draining_server_is_not_ready_but_still_answers() {
    let server = Fixture::default();
    server.app.health.enter(Phase::Draining);
    let (status, why) = server.ops("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(why.contains("shutting down"));
    assert_eq!(server.ops("/livez").await.0, StatusCode::OK);
    let answer = server.predict(json!({"smiles": "C"})).await;
    assert_eq!(answer.status, StatusCode::OK);
}
