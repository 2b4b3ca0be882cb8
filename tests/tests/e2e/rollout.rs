//! A change of the model: the traffic never stops, and the way back is short.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chemmodel_tests::load::{Load, Tally};
use chemmodel_tests::model::active_version;
use chemmodel_tests::{Bundle, Model, Outcome};
use kube::ResourceExt;
use serde_json::json;

use crate::setting::{ETHANOL, SOON, bucket_with_both, exclusive, stable, switch_to};

const PER_SECOND: u32 = 50;

#[test]
fn no_request_fails_while_a_version_takes_over_and_answers_become_its_own() -> Outcome {
    exclusive("switch", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({"spec": {"replicas": 2}})).await?;
        ensure_answers_of(&model, "v1").await?;
        let load = Load::start(&model.address().await?, PER_SECOND);
        answered(&model, &load, "v1", 100).await?;

        let began = Instant::now();
        model.patch(&switch_to(&bucket, "v2")).await?;
        model.until_stable("v2").await?;
        scene.say(&format!("FIGURE v1 to v2: {:.1} s", began.elapsed().as_secs_f64()));
        // Until the last old pod has gone: that is when kept connections are closed.
        gone_is_the_old(&model, "v1").await?;
        answered(&model, &load, "v2", 100).await?;

        let events = scene.kubectl(&["get", "events", "--field-selector=reason=Promoted", "--output=wide"]).await?;
        for told in ["version v1 in blue has the traffic", "version v2 in green has the traffic"] {
            ensure!(events.contains(told), "no Event says {told:?}: {events}");
        }

        let tally = load.stop().await;
        scene.say(&format!(
            "FIGURE requests during the switch: {:?} answered, {} failed",
            tally.answered,
            tally.failed.len()
        ));
        none_failed(&tally)?;
        ensure_answers_of(&model, "v2").await
    })
}

#[test]
fn back_inside_the_warm_window_needs_no_new_pod_and_fails_no_request() -> Outcome {
    exclusive("way-back", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let warm = json!({"spec": {"rollout": {"scaleDownDelaySeconds": 300}}});
        let model = stable(scene, &bucket, &warm).await?;
        let load = Load::start(&model.address().await?, PER_SECOND);
        model.patch(&switch_to(&bucket, "v2")).await?;
        model.until_stable("v2").await?;
        let pods = names(&model).await?;

        let began = Instant::now();
        model.patch(&switch_to(&bucket, "v1")).await?;
        model.until("has v1 active again", SOON, |model| active_version(model) == Some("v1")).await?;
        let took = began.elapsed();
        model.until_stable("v1").await?;
        ensure!(names(&model).await? == pods, "pods were started for the way back");
        answered(&model, &load, "v1", 50).await?;

        let tally = load.stop().await;
        scene.say(&format!("FIGURE way back: {:.1} s, {} requests failed", took.as_secs_f64(), tally.failed.len()));
        none_failed(&tally)?;
        ensure!(took <= Duration::from_secs(10), "the way back took {:.1} s", took.as_secs_f64());
        ensure_answers_of(&model, "v1").await
    })
}

/// Waits until a version has answered so many further requests.
async fn answered(model: &Model<'_>, load: &Load, version: &str, more: u64) -> Result<()> {
    let count = || load.tally().answered.get(version).copied().unwrap_or_default();
    let goal = count() + more;
    let what = format!("{version} answers {more} requests of the load");
    model.scene.until(&what, SOON, async || Ok((count() >= goal).then_some(()))).await
}

async fn gone_is_the_old(model: &Model<'_>, version: &str) -> Result<()> {
    let argument = format!("--version={version}");
    let runs_old = |pod: &k8s_openapi::api::core::v1::Pod| {
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        containers.flat_map(|container| container.args.iter().flatten()).any(|given| *given == argument)
    };
    let what = format!("the pods of {version} are gone");
    let limit = Duration::from_secs(90);
    model
        .scene
        .until(&what, limit, async || Ok((!model.pods("server").await?.iter().any(runs_old)).then_some(())))
        .await
}

async fn names(model: &Model<'_>) -> Result<BTreeSet<String>> {
    Ok(model.pods("server").await?.iter().map(ResourceExt::name_any).collect())
}

async fn ensure_answers_of(model: &Model<'_>, version: &str) -> Result<()> {
    let reference = Bundle::example(version)?.golden()?.into_iter().find(|(smiles, _)| smiles == ETHANOL);
    let (_, reference) = reference.ok_or_else(|| anyhow::anyhow!("{ETHANOL} is no golden molecule of {version}"))?;
    let predicted = model.predict(&[ETHANOL]).await?[0];
    ensure!(
        (predicted - reference).abs() / reference <= 1e-4,
        "{ETHANOL}: {predicted} instead of {version}'s {reference}"
    );
    Ok(())
}

fn none_failed(tally: &Tally) -> Result<()> {
    let first: Vec<_> = tally.failed.iter().take(10).collect();
    ensure!(first.is_empty(), "{} of {} requests failed, first {first:#?}", tally.failed.len(), tally.total());
    Ok(())
}
