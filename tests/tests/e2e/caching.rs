//! Answers that replicas share.

use anyhow::{Context as _, Result, ensure};
use chemmodel_tests::http::{Connection, once, post};
use chemmodel_tests::redis::Redis;
use chemmodel_tests::{Outcome, Scene};
use http::Request;
use http::header::HOST;
use http_body_util::Full;
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use crate::setting::{ETHANOL, SOON, bucket_with_both, shared, stable};

#[test]
fn what_one_replica_has_answered_the_other_one_knows_and_without_redis_both_go_on() -> Outcome {
    shared("shared-cache", async |scene| {
        let redis = Redis::start(&scene.client).await?;
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "redis"}, "stringData": {"url": redis.url}
        });
        scene.apply(&secret).await?;
        let cache = json!({"spec": {
            "replicas": 2, "runtime": {"cache": {"redis": {"urlSecretRef": {"name": "redis", "key": "url"}}}}
        }});
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &cache).await?;
        let pods = model.pods("server").await?;
        let [one, other] = pods.as_slice() else { anyhow::bail!("there are {} pods", pods.len()) };

        // Another molecule each time: an answer is written a moment after it is given, and who asked too early knows it by himself.
        let mut molecule = "C".to_owned();
        scene
            .until("the other replica knows an answer", SOON, async || {
                molecule.push('C');
                ensure!(
                    ask(one, &molecule).await? == ask(other, &molecule).await?,
                    "the replicas disagree about {molecule}"
                );
                Ok((found_shared(other).await? > 0.0).then_some(()))
            })
            .await?;

        redis.stop().await?;
        for molecule in [ETHANOL, "CCN", "CCCl"] {
            ask(one, molecule).await?;
        }
        failures(scene, one).await
    })
}

/// The failed questions are counted, and nobody else notices.
async fn failures(scene: &Scene, pod: &Pod) -> Result<()> {
    scene
        .until("the failures are counted", SOON, async || {
            ask(pod, "CCBr").await?;
            Ok((metric(pod, "chemmodel_cache_failures_total", "").await? > 0.0).then_some(()))
        })
        .await
}

async fn ask(pod: &Pod, smiles: &str) -> Result<serde_json::Value> {
    let address = format!("{}:8080", ip(pod)?);
    Ok(once(&address, post(&address, "/predict", &json!({"smiles": smiles}))?).await?.json()?["prediction"].clone())
}

async fn found_shared(pod: &Pod) -> Result<f64> {
    metric(pod, "chemmodel_cache_lookups_total", "outcome=\"shared\"").await
}

/// A number of a pod, 0 when it has not been counted yet.
async fn metric(pod: &Pod, name: &str, label: &str) -> Result<f64> {
    let address = format!("{}:8081", ip(pod)?);
    let request = Request::get("/metrics").header(HOST, &address).body(Full::default())?;
    let answer = Connection::open(&address).await?.send(request).await?;
    let text = String::from_utf8(answer.body.to_vec())?;
    let line = text.lines().find(|line| line.starts_with(&format!("{name}{{")) && line.contains(label));
    line.and_then(|line| line.rsplit(' ').next()).map_or(Ok(0.0), |value| Ok(value.parse()?))
}

fn ip(pod: &Pod) -> Result<&str> {
    pod.status.as_ref().and_then(|status| status.pod_ip.as_deref()).context("the pod has no address")
}
