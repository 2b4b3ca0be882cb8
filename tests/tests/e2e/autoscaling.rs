//! The autoscaler follows the load, and a switch takes its number over.

use std::time::{Duration, Instant};

use anyhow::ensure;
use chemmodel_crds::ChemModel;
use chemmodel_tests::Outcome;
use chemmodel_tests::load::Load;
use chemmodel_tests::model::{condition, is_stable};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::json;

use crate::setting::{bucket_with_both, exclusive, stable, switch_to};

/// Metrics, decisions and pauses of the autoscaler add up.
const AUTOSCALER: Duration = Duration::from_secs(150);

#[test]
fn the_autoscaler_adds_pods_under_load_a_switch_keeps_them_and_quiet_takes_them_away() -> Outcome {
    exclusive("autoscaling", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        // So much memory that its share never holds a second pod: the load alone decides.
        let range = json!({"spec": {
            "replicas": null, "autoscaling": {"minReplicas": 1, "maxReplicas": 3},
            "pod": {"resources": {"requests": {"memory": "512Mi"}}}
        }});
        let model = stable(scene, &bucket, &range).await?;
        model.until("has a working autoscaler", AUTOSCALER, |model| is_true(model, "AutoscalerReady")).await?;

        let load = Load::start(&model.address().await?, 50);
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

fn ready(model: &ChemModel) -> i32 {
    model.status.as_ref().map_or(0, |status| status.ready_replicas)
}

fn replicas(model: &ChemModel) -> i32 {
    model.status.as_ref().map_or(0, |status| status.replicas)
}

fn is_true(model: &ChemModel, type_: &str) -> bool {
    condition(model, type_).is_some_and(|condition| condition.status == "True")
}
