//! The autoscaler follows the load, and a switch takes its number over.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_tests::http::{once, post};
use chemmodel_tests::load::Load;
use chemmodel_tests::model::{condition, is_stable};
use chemmodel_tests::monitoring::Monitoring;
use chemmodel_tests::{Bundle, Outcome, Scene};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::setting::{bucket_with_both, exclusive, stable, switch_to};

/// Metrics, decisions and pauses of the autoscaler add up.
const AUTOSCALER: Duration = Duration::from_secs(150);
/// Requests a second of a small molecule: more than one pod's share of the processor, some 1.4 ms each.
const PER_SECOND: u32 = 150;
/// Requests at once, of all golden molecules each: some hundred molecules wait.
const ASKERS: usize = 5;

#[test]
fn the_autoscaler_adds_pods_under_load_a_switch_keeps_them_and_quiet_takes_them_away() -> Outcome {
    exclusive("autoscaling", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        // So much memory that its share never holds a second pod: the load alone decides. It asks for one molecule, which nobody may know yet.
        let range = json!({"spec": {
            "replicas": null, "runtime": {"cache": {"maxEntries": 0}}, "autoscaling": {"minReplicas": 1, "maxReplicas": 3},
            "pod": {"resources": {"requests": {"memory": "512Mi"}}}
        }});
        let model = stable(scene, &bucket, &range).await?;
        model.until("has a working autoscaler", AUTOSCALER, |model| is_true(model, "AutoscalerReady")).await?;

        let load = Load::start(&model.address().await?, PER_SECOND);
        let began = Instant::now();
        model.until("was scaled up", AUTOSCALER, |model| ready(model) >= 2).await?;
        scene.say(&format!("FIGURE load to the second ready pod: {:.0} s", began.elapsed().as_secs_f64()));

        let before = ready(&model.get().await?);
        model.patch(&switch_to(&bucket, "v2")).await?;
        let switched = model.until_stable("v2").await?;
        ensure!(ready(&switched) >= before, "{before} pods before the switch, {} after", ready(&switched));
        let autoscaler: HorizontalPodAutoscaler = scene.api().get("boiling-point").await?;
        let target = autoscaler.spec.map(|spec| spec.scale_target_ref.name);
        ensure!(target.as_deref() == Some("boiling-point-green"), "the autoscaler scales {target:?}");

        let tally = load.stop().await;
        ensure!(tally.failed.is_empty(), "{} requests failed: {:?}", tally.failed.len(), tally.failed.first());
        let began = Instant::now();
        model.until("was scaled down", AUTOSCALER, |model| replicas(model) == 1 && is_stable(model)).await?;
        scene.say(&format!("FIGURE quiet to one pod: {:.0} s", began.elapsed().as_secs_f64()));
        Ok(())
    })
}

#[test]
fn the_autoscaler_adds_pods_when_molecules_wait_and_the_processor_is_no_reason() -> Outcome {
    exclusive("queue-depth", async |scene| {
        let monitoring = Monitoring::start(&scene.client).await?;
        let outcome = scale_on_the_queue(scene).await;
        if outcome.is_err() {
            scene.say(&monitoring.last_words());
        }
        monitoring.stop().await?;
        outcome
    })
}

async fn scale_on_the_queue(scene: &Scene) -> Result<()> {
    let bucket = bucket_with_both(scene).await?;
    // Shares of the processor and of memory that nothing reaches: the queue alone decides. And nothing is known before.
    let range = json!({"spec": {
        "replicas": null, "runtime": {"cache": {"maxEntries": 0}},
        "autoscaling": {
            "minReplicas": 1, "maxReplicas": 2, "targetQueueDepth": 20,
            "targetCPUUtilization": 1000, "targetMemoryUtilization": 1000
        },
        "pod": {"resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "500m"}}}
    }});
    let model = stable(scene, &bucket, &range).await?;
    let golden: Vec<String> = Bundle::example("v1")?.golden()?.into_iter().map(|(smiles, _)| smiles).collect();
    let (address, question) = (model.address().await?, json!({"smiles": golden}));
    let (stop, stopped) = watch::channel(false);
    let mut askers = JoinSet::new();
    for _ in 0..ASKERS {
        let (address, question, stopped) = (address.clone(), question.clone(), stopped.clone());
        askers.spawn(async move {
            while !*stopped.borrow() {
                // Refused or not: they keep the queue full.
                let _ = once(&address, post(&address, "/predict", &question)?).await;
            }
            anyhow::Ok(())
        });
    }
    let began = Instant::now();
    let scaled = model.until("was scaled up", AUTOSCALER, |model| ready(model) >= 2).await;
    let path =
        format!("/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/pods/*/chemmodel_queue_items", scene.namespace);
    let metrics = scene.kubectl(&["get", "--raw", &path]).await?;
    let _ = stop.send(true);
    while askers.join_next().await.is_some() {}
    scaled.with_context(|| format!("the metrics are {metrics}"))?;
    scene.say(&format!("FIGURE waiting molecules to the second ready pod: {:.0} s", began.elapsed().as_secs_f64()));
    let autoscaler: HorizontalPodAutoscaler = scene.api().get("boiling-point").await?;
    let seen = autoscaler.status.and_then(|status| status.current_metrics).unwrap_or_default();
    ensure!(seen.iter().any(|metric| metric.type_ == "Pods"), "the autoscaler has seen {seen:?}");
    model.until("was scaled down", AUTOSCALER, |model| replicas(model) == 1 && is_stable(model)).await?;
    Ok(())
}

fn ready(model: &ChemModel) -> i32 {
    model.status.as_ref().map_or(0, |status| status.ready_replicas)
}

fn replicas(model: &ChemModel) -> i32 {
    model.status.as_ref().map_or(0, |status| status.replicas)
}

fn is_true(model: &ChemModel, type_: &str) -> bool {
    condition(model, type_).is_some_and(|condition| condition.status == "True")
}
