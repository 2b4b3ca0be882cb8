//! Candidates that must not get a single request. What they have in common: the version that can answer goes on, untouched, while the
//! other one is given up with its reason, and its pods go.

mod answers;
mod pods;
mod retry;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::{Outcome as Ended, Phase};
use chemmodel_tests::load::Load;
use chemmodel_tests::model::{PATIENCE, active_version, changed, condition, phase};
use chemmodel_tests::{Bundle, Model, Outcome, Scene};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};

use crate::setting::{shared, stable, switch_to};

/// Requests a second that watch the traffic.
const PER_SECOND: u32 = 5;

/// A rollout to `bundle` as version v2, by `change`, that is given up for one of `reasons`, in words that help.
fn given_up(name: &str, bundle: &Bundle, change: &Value, reasons: &[&str], words: &[&str]) -> Outcome {
    shared(name, async |scene| rejected(scene, bundle, change, reasons, words, async |_| Ok(())).await)
}

/// The same; `meanwhile` does something to the candidate for as long as it takes.
async fn rejected(
    scene: &Scene,
    bundle: &Bundle,
    change: &Value,
    reasons: &[&str],
    words: &[&str],
    meanwhile: impl AsyncFnOnce(&Model<'_>) -> Result<()>,
) -> Result<()> {
    let bucket = scene.bucket().await?;
    bucket.upload("v1", &Bundle::example("v1")?).await?;
    bucket.upload("v2", bundle).await?;
    let model = stable(scene, &bucket, &json!({})).await?;
    let untouched = old_colour(&model).await?;
    let load = Load::start(&model.address().await?, PER_SECOND);

    model.patch(&changed(switch_to(&bucket, "v2"), change)).await?;
    // The verdict is written first, and acted upon next: then the message says what to do, too.
    let aborted = |model: &ChemModel| {
        let message = model.status.as_ref().and_then(|status| status.message.as_deref());
        phase(model) == Some(Phase::Aborted) && message.is_some_and(|message| message.contains("retryToken"))
    };
    let seen = tokio::select! {
        seen = model.until("has given v2 up", PATIENCE, aborted) => seen?,
        ended = meanwhile(&model) => {
            ended?;
            model.until("has given v2 up", PATIENCE, aborted).await?
        }
    };
    tells_why(&model, &seen, reasons, words).await?;
    ensure!(active_version(&seen) == Some("v1"), "the active version is {:?}", active_version(&seen));
    ensure!(condition(&seen, "Ready").is_some_and(|ready| ready.status == "True"), "the live endpoint answers");

    scene
        .until("only the pods of v1 are left, untouched", PATIENCE, async || {
            let now = old_colour(&model).await?;
            ensure!(now == untouched, "the old colour was {untouched:?} and is {now:?}");
            let pods = model.pods("server").await?;
            Ok((pods.len() == untouched.len() - 1).then_some(()))
        })
        .await?;
    let tally = load.stop().await;
    ensure!(tally.failed.is_empty(), "{} requests failed: {:?}", tally.failed.len(), tally.failed.first());
    ensure!(tally.answered.keys().eq(["v1"]), "answers came from {:?}", tally.answered);
    Ok(())
}

/// The reason is the same one everywhere, and the words are where a person looks.
async fn tells_why(model: &Model<'_>, seen: &ChemModel, reasons: &[&str], words: &[&str]) -> Result<()> {
    let status = seen.status.as_ref().context("no status")?;
    let failed = status.failed.as_ref().context("status.failed is empty")?;
    let reason = failed.reason.as_str();
    ensure!(reasons.contains(&reason), "given up for {reason}, not one of {reasons:?}: {}", failed.message);
    ensure!(failed.version == "v2" && failed.outcome == Ended::Aborted, "{failed:?}");
    ensure!(status.reason.as_deref() == Some(reason), "the status says {:?}, not {reason}", status.reason);
    let message = status.message.as_deref().unwrap_or_default();
    model.scene.say(&format!("{reason}: {message}"));
    for word in words.iter().chain(&["version v2 was given up"]) {
        ensure!(message.contains(word), "the message lacks {word:?}: {message}");
    }
    let entry = status.history.first().context("an empty history")?;
    let told = (entry.version.as_str(), entry.outcome, entry.reason.as_str());
    ensure!(told == ("v2", Ended::Aborted, reason), "the history says {told:?}");
    ensure!(condition(seen, "Degraded").is_some_and(|degraded| degraded.status == "True"), "not Degraded");
    warned(model, reason).await
}

/// An Event tells it.
async fn warned(model: &Model<'_>, reason: &str) -> Result<()> {
    let about = format!("--field-selector=reason={reason},type=Warning,involvedObject.kind=ChemModel");
    model
        .scene
        .until(&format!("a Warning tells {reason}"), PATIENCE, async || {
            let events = model.scene.kubectl(&["get", "events", &about, "--no-headers"]).await?;
            Ok((!events.trim().is_empty()).then_some(()))
        })
        .await
}

/// The pods of v1 with their starts, and the generation of their Deployment.
async fn old_colour(model: &Model<'_>) -> Result<BTreeMap<String, i64>> {
    let deployment: Deployment = model.scene.api().get("boiling-point-blue").await?;
    let mut old = BTreeMap::from([("generation".to_owned(), deployment.metadata.generation.unwrap_or_default())]);
    for pod in model.pods("server").await? {
        let labels = pod.metadata.labels.unwrap_or_default();
        if labels.get("chemmodel.io/colour").is_some_and(|colour| colour == "blue") {
            let containers = pod.status.and_then(|status| status.container_statuses).unwrap_or_default();
            let starts = containers.iter().map(|container| i64::from(container.restart_count)).sum();
            old.insert(pod.metadata.uid.context("a pod without uid")?, starts);
        }
    }
    Ok(old)
}
