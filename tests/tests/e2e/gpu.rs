//! GPUs, as the scheduler sees them: the node may claim some, there is none behind.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_tests::model::{PATIENCE, active_version, condition, is_false};
use chemmodel_tests::program::kubectl_ok;
use chemmodel_tests::{Bundle, Model, Outcome};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::json;

use crate::setting::{ETHANOL, exclusive, stable, switch_to};

#[test]
fn without_a_free_gpu_the_candidate_waits_in_the_schedulers_words_and_the_traffic_stays() -> Outcome {
    exclusive("gpu", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        claim_gpus(0).await?;

        // The server without CUDA: it must refuse rather than fall back.
        let cuda = json!({"spec": {"runtime": {"accelerator": "Cuda", "image": "chemmodel-inference:dev-cpu"}}});
        model.patch(&cuda).await?;
        let waits = |model: &ChemModel| is_false(model, "Scheduled", "InsufficientGPU");
        let seen = model.until("waits for a GPU", PATIENCE, waits).await?;
        let sentence = condition(&seen, "Scheduled").map(|scheduled| scheduled.message.clone()).unwrap_or_default();
        ensure!(sentence.contains("Insufficient nvidia.com/gpu"), "not the scheduler's words: {sentence}");
        ensure!(active_version(&seen) == Some("v1"), "the traffic moved");
        let pods = model.pods("server").await?;
        let asks = pods.iter().filter(|pod| gpus(pod) == (Some("1"), Some("1"))).count();
        ensure!(asks == 1, "{asks} pods request and limit one nvidia.com/gpu");
        model.predict(&[ETHANOL]).await?;

        claim_gpus(1).await?;
        let outcome = never_falls_back(&model).await;
        claim_gpus(0).await?;
        outcome?;
        model.patch(&json!({"spec": {"runtime": {"accelerator": "Cpu", "image": null}}})).await?;
        model.patch(&switch_to(&bucket, "v1")).await?;
        model.until_stable("v1").await?;
        Ok(())
    })
}

/// With a GPU claimed that is not there, the pod finds its node and the server says what is missing.
async fn never_falls_back(model: &Model<'_>) -> Result<()> {
    let placed = |model: &ChemModel| {
        condition(model, "Scheduled").is_some_and(|scheduled| scheduled.status == "True")
            && condition(model, "Degraded").is_some_and(|degraded| degraded.reason == "PodFailing")
    };
    let seen = model.until("has a node, and a server that refuses to start without CUDA", PATIENCE, placed).await?;
    let message = condition(&seen, "Degraded").map(|degraded| degraded.message.clone()).unwrap_or_default();
    ensure!(message.to_lowercase().contains("cuda"), "the status does not name CUDA: {message}");
    ensure!(active_version(&seen) == Some("v1"), "the traffic moved");
    Ok(())
}

/// GPUs that the pod requests, and its limit.
fn gpus(pod: &Pod) -> (Option<&str>, Option<&str>) {
    let resources = pod.spec.as_ref().and_then(|spec| spec.containers.first()?.resources.as_ref());
    (
        resources.and_then(|resources| gpu(resources.requests.as_ref())),
        resources.and_then(|resources| gpu(resources.limits.as_ref())),
    )
}

fn gpu(amounts: Option<&BTreeMap<String, Quantity>>) -> Option<&str> {
    Some(amounts?.get("nvidia.com/gpu")?.0.as_str())
}

/// As `cluster gpu N` does it.
async fn claim_gpus(count: u32) -> Result<()> {
    let nodes = kubectl_ok(&["get", "nodes", "--output=name"], "").await?;
    let node = nodes.lines().next().context("the cluster has no node")?;
    let amount = json!({"nvidia.com/gpu": count.to_string()});
    let patch = json!({"status": {"capacity": amount, "allocatable": amount}}).to_string();
    kubectl_ok(&["patch", node, "--subresource=status", "--type=merge", "--patch", &patch], "").await?;
    Ok(())
}
