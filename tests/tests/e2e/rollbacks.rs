//! The way back: because somebody asks for it, or because the new version falls apart under its first traffic.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::{Outcome as Ended, Phase};
use chemmodel_tests::http::{once, post};
use chemmodel_tests::model::{PATIENCE, active_version, changed, manifest, phase};
use chemmodel_tests::process::{of_pod, signal};
use chemmodel_tests::s3::Bucket;
use chemmodel_tests::{Model, Outcome, Scene};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::setting::{SOON, bucket_with_both, exclusive, stable, switch_to};

/// New connections are the old version's so long after `kubectl apply`.
const ROLLBACK: Duration = Duration::from_secs(2);
/// And so long after the API server knows that the new one's pods are not ready.
const RESCUE: Duration = Duration::from_secs(5);
/// How long after the switch the new version falls apart.
const COLLAPSE: Duration = Duration::from_secs(5);

#[test]
fn the_old_yaml_applied_inside_the_warm_window_has_the_old_answers_within_two_seconds() -> Outcome {
    exclusive("rollback", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        // With the window in the YAML from here on, because what is applied is the whole of it.
        let yaml = |version: &str| warm(&bucket, version);
        for (from, to, state) in [("v2", "v1", Phase::Stable), ("v2", "v1", Phase::Observing)] {
            let observe = if state == Phase::Stable { 1 } else { 300 };
            scene.apply(&yaml(from)?(observe)).await?;
            let reached = |model: &ChemModel| phase(model) == Some(state) && active_version(model) == Some(from);
            model.until(&format!("is {state:?} with {from}"), PATIENCE, reached).await?;
            let pods = model.pods("server").await?.len();

            let asked = Instant::now();
            scene.apply(&yaml(to)?(observe)).await?;
            let applied = Instant::now();
            let back = answered_by(scene, &model, to).await?;
            scene.say(&format!(
                "FIGURE rollback while {state:?}: new connections are {to}'s {:.2} s after kubectl apply, {:.2} s after its start",
                back.saturating_duration_since(applied).as_secs_f64(),
                back.duration_since(asked).as_secs_f64()
            ));
            ensure!(model.pods("server").await?.len() == pods, "pods were started or ended for the way back");
            model.until_stable(to).await?;
            let took = back.saturating_duration_since(applied);
            ensure!(took <= ROLLBACK, "the rollback while {state:?} took {:.2} s", took.as_secs_f64());
        }
        Ok(())
    })
}

#[test]
fn a_version_that_collapses_after_its_switch_gives_the_traffic_back_by_itself() -> Outcome {
    exclusive("collapse", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model =
            stable(scene, &bucket, &json!({"spec": {"replicas": 2, "rollout": {"observeSeconds": 120}}})).await?;
        model.patch(&switch_to(&bucket, "v2")).await?;
        let observed =
            |model: &ChemModel| phase(model) == Some(Phase::Observing) && active_version(model) == Some("v2");
        let seen = model.until("observes v2", PATIENCE, observed).await?;
        let switched = seen.status.and_then(|status| status.active).context("nothing is active")?.since.0;
        scene
            .until("v2 has had the traffic for some seconds", SOON, async || {
                let age = jiff::Timestamp::now().duration_since(switched);
                Ok((age.as_secs() >= i64::try_from(COLLAPSE.as_secs())?).then_some(()))
            })
            .await?;

        let back = tokio::select! {
            back = seen_and_answered(scene, &model) => back?,
            never = keep_killing(&model) => never?,
        };
        scene.say(&format!(
            "FIGURE collapse that the API server knows of to the old answers: {:.2} s",
            back.as_secs_f64()
        ));
        let rolled_back =
            |model: &ChemModel| phase(model) == Some(Phase::RolledBack) && active_version(model) == Some("v1");
        let seen = model.until("tells of the rollback", SOON, rolled_back).await?;
        let status = seen.status.context("no status")?;
        let entry = status.history.first().context("an empty history")?;
        let told = (entry.version.as_str(), entry.outcome, entry.reason.as_str());
        ensure!(told == ("v2", Ended::RolledBack, "Collapsed"), "the history says {told:?}");
        let events = ["get", "events", "--field-selector=reason=Collapsed,type=Warning", "--no-headers"];
        ensure!(!scene.kubectl(&events).await?.trim().is_empty(), "no Warning tells of the collapse");
        scene
            .until("the pods of v2 are gone", PATIENCE, async || Ok((greens(&model).await?.is_empty()).then_some(())))
            .await?;
        ensure!(back <= RESCUE, "the way back took {:.2} s", back.as_secs_f64());
        Ok(())
    })
}

/// The whole YAML of a version, with a long warm window, for so many seconds of observation.
fn warm(bucket: &Bucket, version: &str) -> Result<impl Fn(u32) -> Value + use<>> {
    let base = manifest("boiling-point", &bucket.uri(version), version)?;
    Ok(move |seconds| {
        changed(base.clone(), &json!({"spec": {"rollout": {"scaleDownDelaySeconds": 600, "observeSeconds": seconds}}}))
    })
}

/// When the first of ten new connections in a row was asked for that a version answered.
async fn answered_by(scene: &Scene, model: &Model<'_>, version: &str) -> Result<Instant> {
    let address = model.address().await?;
    let question = json!({"smiles": "CCO"});
    let mut since: Option<(Instant, u32)> = None;
    let deadline = Instant::now() + SOON;
    while Instant::now() < deadline {
        let began = Instant::now();
        let answer = async { once(&address, post(&address, "/predict", &question)?).await?.json() };
        since = match (answer.await, since) {
            (Ok(answer), since) if answer["version"] == version => {
                let (first, count) = since.unwrap_or((began, 0));
                Some((first, count + 1))
            }
            _ => None,
        };
        if let Some((first, 10..)) = since {
            return Ok(first);
        }
        // No faster than people ask.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.say("the Service does not answer as it should");
    anyhow::bail!("{version} does not answer new connections")
}

/// From the first pod that the API server shows as not ready, with less than half of them left, to answers of v1.
async fn seen_and_answered(scene: &Scene, model: &Model<'_>) -> Result<Duration> {
    let collapsed = async || {
        let pods = greens(model).await?;
        Ok((pods.iter().filter(|pod| is_ready(pod)).count() == 0).then(Instant::now))
    };
    let known = scene.until("no pod of v2 is ready", SOON, collapsed).await?;
    Ok(answered_by(scene, model, "v1").await?.saturating_duration_since(known))
}

/// Ends the servers of v2, and those that come after them.
async fn keep_killing(model: &Model<'_>) -> Result<Duration> {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        for pod in greens(model).await? {
            if let Ok(process) = of_pod(&pod) {
                // It may have ended in between.
                let _ = signal(process, "KILL").await;
            }
        }
    }
}

async fn greens(model: &Model<'_>) -> Result<Vec<Pod>> {
    let mut pods = model.pods("server").await?;
    pods.retain(|pod| pod.metadata.labels.iter().flatten().any(|(_, value)| value == "green"));
    Ok(pods)
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
