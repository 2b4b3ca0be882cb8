//! Answers that were given before: the same as without a cache, and no request is worse off for there being one.

use axum::http::Request;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::fixture::{Budget, Fixture, Options};
use crate::support::redis::Redis;

fn with_memory() -> Options {
    Options { cache_entries: 100, ..Options::default() }
}

fn with_redis(address: String) -> Options {
    Options { redis: Some(address), ..Options::default() }
}

#[tokio::test]
async fn the_engine_is_asked_once_for_the_same_text() {
    let server = Fixture::new(with_memory());
    let first = server.predict(json!({"smiles": "CO"})).await;
    let second = server.predict(json!({"smiles": "CO"})).await;
    assert_eq!(first.body, second.body);
    assert_eq!(server.engine.batches().len(), 1);
    assert_eq!(server.metric("cache_lookups_total", "miss").await.to_string(), "1");
    assert_eq!(server.metric("cache_lookups_total", "own").await.to_string(), "1");
}

#[tokio::test]
async fn a_request_of_old_new_and_bad_molecules_is_answered_as_without_a_cache() {
    let (cached, plain) = (Fixture::new(with_memory()), Fixture::default());
    let request = json!({"smiles": ["C", "C C", "CO", "", "N", "C"]});
    cached.predict(json!({"smiles": ["N", "C"]})).await;
    let answer = cached.predict(request.clone()).await;
    assert_eq!(answer.body, plain.predict(request).await.body);
    assert_eq!(cached.engine.batches(), [(2, 3), (1, 4)]);
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let server = Fixture::new(with_memory());
    server.engine.break_down();
    let failed = server.predict(json!({"smiles": "C"})).await;
    assert!(!failed.status.is_success());
    server.engine.repair();
    assert_eq!(server.predict(json!({"smiles": "C"})).await.body["prediction"], 9.0);
}

#[tokio::test]
async fn whoever_wants_a_fresh_answer_gets_one_and_others_profit_from_it() {
    let server = Fixture::new(with_memory());
    let fresh = |directives: &str| {
        let request = Request::post("/predict").header("content-type", "application/json");
        request.header("cache-control", directives).body(r#"{"smiles":"C"}"#.into()).unwrap()
    };
    for directives in ["no-cache", "max-age=0, No-Cache", "no-store"] {
        assert_eq!(server.send(fresh(directives)).await.body["prediction"], 9.0);
    }
    assert_eq!(server.engine.batches().len(), 3);
    assert_eq!(server.predict(json!({"smiles": "C"})).await.body["prediction"], 9.0);
    server.send(fresh("max-age=60")).await;
    assert_eq!(server.engine.batches().len(), 3, "the engine was asked although nobody insisted");
}

#[tokio::test]
async fn a_full_memory_forgets_and_goes_on() {
    let batch = Budget { tokens: 1000, items: 16, overhead: 1000 };
    let server = Fixture::new(Options { cache_entries: 2, batch, ..Options::default() });
    for _ in 0..3 {
        for (smiles, sum) in [("C", 9.0), ("N", 10.0), ("O", 11.0), ("CC", 13.0)] {
            assert_eq!(server.predict(json!({"smiles": smiles})).await.body["prediction"], sum);
        }
    }
}

#[tokio::test]
async fn replicas_share_answers_through_redis() {
    let redis = Redis::start();
    let (first, second) = (Fixture::new(with_redis(redis.address())), Fixture::new(with_redis(redis.address())));
    let asked = first.predict(json!({"smiles": ["C", "CO"]})).await;
    // The answer is written after it was given.
    while second.metric("cache_lookups_total", "shared").await < 2.0 {
        assert_eq!(second.predict(json!({"smiles": ["C", "CO"]})).await.body, asked.body);
    }
    let before = second.engine.batches().len();
    assert_eq!(second.predict(json!({"smiles": ["CO", "C"]})).await.body["predictions"][0]["prediction"], 15.0);
    assert_eq!(second.engine.batches().len(), before, "the engine was asked for what Redis has");
}

#[tokio::test]
async fn what_redis_gives_is_kept_in_memory() {
    let redis = Redis::start();
    let first = Fixture::new(with_redis(redis.address()));
    let second = Fixture::new(Options { cache_entries: 100, ..with_redis(redis.address()) });
    first.predict(json!({"smiles": "C"})).await;
    first.predict(json!({"smiles": "C"})).await;
    while second.metric("cache_lookups_total", "own").await < 1.0 {
        assert_eq!(second.predict(json!({"smiles": "C"})).await.body["prediction"], 9.0);
    }
}

#[tokio::test]
async fn without_its_redis_a_server_answers_all_the_same() {
    let redis = Redis::start();
    let server = Fixture::new(with_redis(redis.address()));
    server.predict(json!({"smiles": "C"})).await;
    drop(redis);
    for _ in 0..3 {
        assert_eq!(server.predict(json!({"smiles": "C"})).await.body["prediction"], 9.0);
    }
    assert!(server.metric("cache_failures_total", "").await >= 1.0);
}

#[tokio::test]
async fn a_redis_that_never_answers_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("redis://{}", silent.local_addr().unwrap());
    let server = Fixture::new(with_redis(address));
    for _ in 0..3 {
        assert_eq!(server.predict(json!({"smiles": "C"})).await.body["prediction"], 9.0);
    }
    assert!(server.metric("cache_failures_total", "").await >= 1.0);
}
