//! What comes after: nothing by itself, another try when somebody asks for it, and the same rules for the very first version.

use anyhow::{Result, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use chemmodel_tests::model::{PATIENCE, active_version, changed, is_false, manifest, phase};
use chemmodel_tests::{Bundle, Model, Outcome};
use serde_json::json;

use crate::setting::{SOON, bucket_with_both, shared, stable, switch_to};

#[test]
fn the_same_spec_again_does_nothing_and_a_retry_token_tries_again() -> Outcome {
    shared("retry", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        let strict = json!({"spec": {"rollout": {"verification": {"absTolerance": 0, "relTolerance": 0}}}});
        model.patch(&changed(switch_to(&bucket, "v2"), &strict)).await?;
        let aborted = |model: &ChemModel| phase(model) == Some(Phase::Aborted);
        model.until("has given v2 up", PATIENCE, aborted).await?;

        // Another tolerance is no other revision: the verdict stands, and no pod is started.
        let mild = json!({"spec": {"rollout": {"verification": {"absTolerance": null, "relTolerance": null}}}});
        model.patch(&mild).await?;
        let seen = model.until("has read the spec again", SOON, aborted).await?;
        ensure!(active_version(&seen) == Some("v1"), "the active version is {:?}", active_version(&seen));
        let tried = seen.status.map(|status| status.history.len());

        model.patch(&json!({"spec": {"rollout": {"retryToken": "again"}}})).await?;
        let done = model.until_stable("v2").await?;
        let history = done.status.map(|status| status.history.len());
        ensure!(history == tried.map(|tried| tried + 1), "{tried:?} rollouts before the token, {history:?} after");
        Ok(())
    })
}

#[test]
fn a_first_version_that_answers_wrongly_never_gets_the_traffic() -> Outcome {
    shared("first", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let altered = Bundle::example("v1")?.with_weights("network.dnn_head.3.weight", |_, weight| weight * 1.01)?;
        bucket.upload("bad", &altered.sealed()?).await?;
        let model = Model::apply(scene, &manifest("boiling-point", &bucket.uri("bad"), "bad")?).await?;
        let aborted = |model: &ChemModel| phase(model) == Some(Phase::Aborted);
        let seen = model.until("has given its first version up", PATIENCE, aborted).await?;
        ensure!(active_version(&seen).is_none(), "version {:?} has the traffic", active_version(&seen));
        ensure!(is_false(&seen, "Verified", "GoldenMismatch") && is_false(&seen, "Ready", "NotYetServing"), "{seen:?}");
        nothing_answers(&model).await?;
        model.patch(&switch_to(&bucket, "v2")).await?;
        model.until_stable("v2").await?;
        model.until_it_answers().await
    })
}

/// Neither a Service with the model's name nor one with a pod behind it.
async fn nothing_answers(model: &Model<'_>) -> Result<()> {
    let slices = ["get", "endpointslices", "--selector=kubernetes.io/service-name=boiling-point", "--output=name"];
    let slices = model.scene.kubectl(&slices).await?;
    ensure!(slices.trim().is_empty() || model.ask(&json!({"smiles": "CCO"})).await.is_err(), "{slices} answers");
    Ok(())
}
