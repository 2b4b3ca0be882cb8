//! A bundle that is whole and cannot be served: the traffic stays with the version that can.

use std::time::Duration;

use anyhow::ensure;
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use chemmodel_tests::load::Load;
use chemmodel_tests::model::{PATIENCE, active_version, condition, phase};
use chemmodel_tests::{Bundle, Outcome};
use serde_json::json;

use crate::setting::{shared, stable, switch_to};

#[test]
fn the_traffic_stays_where_it_is_and_the_status_says_why_the_candidate_fails() -> Outcome {
    shared("bad-candidate", async |scene| {
        let bucket = scene.bucket().await?;
        let good = Bundle::example("v1")?;
        bucket.upload("v1", &good).await?;
        bucket.upload("bad", &good.with("model.onnx", "no network at all").sealed()?).await?;
        let model = stable(scene, &bucket, &json!({"spec": {"rollout": {"progressDeadlineSeconds": 20}}})).await?;
        let load = Load::start(&model.address().await?, 5);

        model.patch(&switch_to(&bucket, "bad")).await?;
        let says_why = |model: &ChemModel| {
            let degraded = condition(model, "Degraded").filter(|condition| condition.status == "True");
            degraded
                .is_some_and(|condition| condition.reason == "PodFailing" && condition.message.contains("model.onnx"))
        };
        let seen = model.until("says that the candidate cannot load model.onnx", PATIENCE, says_why).await?;
        ensure!(active_version(&seen) == Some("v1"), "the active version is {:?}", active_version(&seen));
        let blocked = |model: &ChemModel| phase(model) == Some(Phase::Blocked) && says_why(model);
        let seen = model.until("is Blocked after its deadline", Duration::from_mins(1), blocked).await?;
        ensure!(condition(&seen, "Ready").is_some_and(|ready| ready.status == "True"), "the live endpoint answers");
        ensure!(active_version(&seen) == Some("v1"), "the active version is {:?}", active_version(&seen));

        model.patch(&switch_to(&bucket, "v1")).await?;
        model.until_stable("v1").await?;
        let tally = load.stop().await;
        ensure!(tally.failed.is_empty(), "{} requests failed: {:?}", tally.failed.len(), tally.failed.first());
        ensure!(tally.answered.keys().eq(["v1"]), "answers came from {:?}", tally.answered);
        Ok(())
    })
}
