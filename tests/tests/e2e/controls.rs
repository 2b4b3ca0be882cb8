//! What a person can say about a rollout that is under way: approve it, let it wait, suspend it, abort it. All of it in the spec.

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::{Outcome as Ended, Phase};
use chemmodel_tests::load::Load;
use chemmodel_tests::model::{PATIENCE, active_version, changed, phase};
use chemmodel_tests::{Model, Outcome};
use serde_json::{Value, json};

use crate::setting::{SOON, bucket_with_both, shared, stable, switch_to};

#[test]
fn a_version_waits_for_its_approval_and_says_how_to_give_it() -> Outcome {
    shared("approval", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        let seen =
            awaiting(&model, &changed(switch_to(&bucket, "v2"), &rollout(&json!({"autoPromote": false})))).await?;
        let message = seen.status.and_then(|status| status.message).unwrap_or_default();
        ensure!(message.contains("set spec.rollout.promote to v2"), "{message}");

        // The approval of another version is none of this one.
        model.patch(&rollout(&json!({"promote": "v3"}))).await?;
        let seen = model.until("has read the other approval", SOON, is_awaiting).await?;
        ensure!(active_version(&seen) == Some("v1"), "the active version is {:?}", active_version(&seen));
        model.patch(&rollout(&json!({"promote": "v2"}))).await?;
        model.until_stable("v2").await?;
        Ok(())
    })
}

#[test]
fn a_version_that_nobody_approves_in_time_is_given_up() -> Outcome {
    shared("no-approval", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        let short = rollout(&json!({"autoPromote": false, "promotionDeadlineSeconds": 10}));
        awaiting(&model, &changed(switch_to(&bucket, "v2"), &short)).await?;
        let aborted = |model: &ChemModel| phase(model) == Some(Phase::Aborted);
        let seen = model.until("is given up", PATIENCE, aborted).await?;
        ended(&seen, Ended::Aborted, "PromotionDeadlineExceeded", "v1")
    })
}

#[test]
fn a_version_with_a_time_to_wait_waits_and_then_has_the_traffic() -> Outcome {
    shared("wait", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        let wait = 8;
        let seen =
            awaiting(&model, &changed(switch_to(&bucket, "v2"), &rollout(&json!({"autoPromoteAfterSeconds": wait}))))
                .await?;
        let candidate = seen.status.and_then(|status| status.candidate).context("no candidate")?;
        let since = candidate.awaiting_since.context("no time since when it waits")?.0;
        let seen = model.until_stable("v2").await?;
        let active = seen.status.and_then(|status| status.active).context("nothing is active")?;
        let waited = active.since.0.duration_since(since).as_secs();
        ensure!(waited >= wait, "it waited {waited} s instead of {wait} s");
        Ok(())
    })
}

#[test]
fn a_suspended_rollout_stands_still_and_goes_on_afterwards() -> Outcome {
    shared("suspend", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        awaiting(&model, &changed(switch_to(&bucket, "v2"), &rollout(&json!({"autoPromote": false})))).await?;
        // Everything allows the switch now, but for the suspension.
        model.patch(&changed(rollout(&json!({"promote": "v2"})), &json!({"spec": {"suspend": true}}))).await?;
        let suspended = |model: &ChemModel| phase(model) == Some(Phase::Suspended);
        let seen = model.until("is Suspended", SOON, suspended).await?;
        ensure!(active_version(&seen) == Some("v1"), "the active version is {:?}", active_version(&seen));
        // A pod of the candidate that goes brings the operator back to look; it still changes nothing.
        scene.kubectl(&["delete", "pods", "--selector=chemmodel.io/colour=green", "--wait=false"]).await?;
        scene
            .until("the candidate has a pod again", PATIENCE, async || {
                let pods = model.pods("server").await?;
                let stays = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
                Ok((pods.len() == 2 && stays.count() == 2).then_some(()))
            })
            .await?;
        let seen = model.until("is still Suspended", SOON, suspended).await?;
        ensure!(active_version(&seen) == Some("v1"), "the active version is {:?}", active_version(&seen));
        model.patch(&json!({"spec": {"suspend": false}})).await?;
        model.until_stable("v2").await?;
        Ok(())
    })
}

#[test]
fn an_abort_before_the_switch_frees_the_candidates_pods() -> Outcome {
    shared("abort-before", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        awaiting(&model, &changed(switch_to(&bucket, "v2"), &rollout(&json!({"autoPromote": false})))).await?;
        model.patch(&rollout(&json!({"abort": "v2"}))).await?;
        let aborted = |model: &ChemModel| phase(model) == Some(Phase::Aborted);
        let seen = model.until("is given up", SOON, aborted).await?;
        ended(&seen, Ended::Aborted, "AbortRequested", "v1")?;
        only_one_pod_is_left(&model).await
    })
}

#[test]
fn an_abort_after_the_switch_brings_the_traffic_back_without_a_failed_request() -> Outcome {
    shared("abort-after", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &rollout(&json!({"observeSeconds": 600}))).await?;
        let load = Load::start(&model.address().await?, 20);
        model.patch(&switch_to(&bucket, "v2")).await?;
        let observed =
            |model: &ChemModel| phase(model) == Some(Phase::Observing) && active_version(model) == Some("v2");
        model.until("observes v2", PATIENCE, observed).await?;
        model.patch(&rollout(&json!({"abort": "v2"}))).await?;
        let back = |model: &ChemModel| phase(model) == Some(Phase::RolledBack) && active_version(model) == Some("v1");
        let seen = model.until("has v1 back", SOON, back).await?;
        ended(&seen, Ended::RolledBack, "AbortRequested", "v1")?;
        only_one_pod_is_left(&model).await?;
        let tally = load.stop().await;
        ensure!(tally.failed.is_empty(), "{} requests failed: {:?}", tally.failed.len(), tally.failed.first());
        Ok(())
    })
}

fn rollout(change: &Value) -> Value {
    json!({"spec": {"rollout": change}})
}

/// A change after which v2 waits for its promotion, verified, while v1 has the traffic.
async fn awaiting(model: &Model<'_>, change: &Value) -> Result<ChemModel> {
    model.patch(change).await?;
    let seen = model.until("awaits the promotion of v2", PATIENCE, is_awaiting).await?;
    ensure!(active_version(&seen) == Some("v1"), "the active version is {:?}", active_version(&seen));
    Ok(seen)
}

fn is_awaiting(model: &ChemModel) -> bool {
    phase(model) == Some(Phase::AwaitingPromotion)
}

/// The end of v2's rollout, as status and history tell it.
fn ended(seen: &ChemModel, outcome: Ended, reason: &str, active: &str) -> Result<()> {
    let status = seen.status.as_ref().context("no status")?;
    let entry = status.history.first().context("an empty history")?;
    let told = (entry.version.as_str(), entry.outcome, entry.reason.as_str());
    ensure!(told == ("v2", outcome, reason), "the history says {told:?}");
    ensure!(status.reason.as_deref() == Some(reason), "the status says {:?}", status.reason);
    ensure!(active_version(seen) == Some(active), "the active version is {:?}", active_version(seen));
    Ok(())
}

async fn only_one_pod_is_left(model: &Model<'_>) -> Result<()> {
    let what = "only the active pod is left";
    model.scene.until(what, PATIENCE, async || Ok((model.pods("server").await?.len() == 1).then_some(()))).await
}
