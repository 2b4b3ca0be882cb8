//! `kubectl scale`.

use anyhow::{Result, ensure};
use chemmodel_tests::model::{PATIENCE, is_stable};
use chemmodel_tests::program::kubectl;
use chemmodel_tests::{Bundle, Model, Outcome};
use serde_json::json;

use crate::setting::{shared, stable};

#[test]
fn kubectl_scale_changes_the_pods_and_starts_no_rollout() -> Outcome {
    shared("scale", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        let revision = revision(&model).await?;
        for wanted in [3, 1] {
            scene.kubectl(&["scale", "chemmodel/boiling-point", &format!("--replicas={wanted}")]).await?;
            let what = format!("has {wanted} pods");
            model
                .until(&what, PATIENCE, |model| {
                    let counts = model.status.as_ref().map(|status| (status.replicas, status.ready_replicas));
                    counts == Some((wanted, wanted)) && is_stable(model)
                })
                .await?;
        }
        ensure!(self::revision(&model).await? == revision, "another number of pods made another revision");
        let selector = model.get().await?.status.and_then(|status| status.selector).unwrap_or_default();
        let pods = scene.kubectl(&["get", "pods", "--selector", &selector, "--output=name"]).await?;
        ensure!(pods.lines().count() >= 1, "the scale's selector {selector:?} finds no pod");
        Ok(())
    })
}

#[test]
fn a_number_beside_an_autoscaler_is_refused_by_message() -> Outcome {
    shared("scale-refused", async |scene| {
        let bucket = scene.bucket().await?;
        let range = json!({"spec": {"replicas": null, "autoscaling": {"maxReplicas": 2}}});
        let manifest = chemmodel_tests::model::manifest("boiling-point", &bucket.uri("v1"), "v1")?;
        Model::apply(scene, &chemmodel_tests::model::changed(manifest, &range)).await?;
        let scale = ["--namespace", &scene.namespace, "scale", "chemmodel/boiling-point", "--replicas=2"];
        let answer = kubectl(&scale, "").await?;
        ensure!(!answer.success, "a number was accepted beside a range");
        ensure!(answer.errors.contains("spec.replicas and spec.autoscaling are exclusive"), "{}", answer.errors);
        Ok(())
    })
}

async fn revision(model: &Model<'_>) -> Result<Option<String>> {
    Ok(model.get().await?.status.and_then(|status| status.active).map(|active| active.revision))
}
