//! The operator dies: nothing is lost, and somebody leads again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::status::Phase;
use chemmodel_tests::load::Load;
use chemmodel_tests::model::{active_version, changed, is_stable, manifest, phase};
use chemmodel_tests::operator::{RECOVERY, kill_all, leader, lease};
use chemmodel_tests::process::{of_pod, signal};
use chemmodel_tests::{Bundle, Model, Outcome, Scene};
use kube::ResourceExt as _;
use serde_json::json;

use crate::setting::{SOON, bucket_with_both, exclusive, stable, switch_to};

/// A holder of the Lease counts as gone after 15 s; others look every 2 s.
const FAILOVER: Duration = Duration::from_secs(20);

#[test]
fn killed_in_mid_sync_it_still_converges() -> Outcome {
    exclusive("kill-sync", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let model = Model::apply(scene, &manifest("boiling-point", &bucket.uri("v1"), "v1")?).await?;
        model.until("is Syncing", SOON, |model| phase(model) == Some(Phase::Syncing)).await?;
        kill_all(&scene.client).await?;
        recovered(&model, "v1").await
    })
}

#[test]
fn killed_again_and_again_in_mid_rollout_it_still_converges_and_no_request_fails() -> Outcome {
    exclusive("kill-rollout", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        let load = Load::start(&model.address().await?, 20);
        model.patch(&switch_to(&bucket, "v2")).await?;
        let starting = |model: &chemmodel_crds::ChemModel| phase(model) == Some(Phase::Starting);
        model.until("is Starting", SOON, starting).await?;
        kill_all(&scene.client).await?;
        scene.until("somebody leads", RECOVERY, async || leads_anew(scene).await).await?;
        let switched = |model: &chemmodel_crds::ChemModel| active_version(model) == Some("v2");
        model.until("has v2 active", RECOVERY * 2, switched).await?;
        kill_all(&scene.client).await?;
        recovered(&model, "v2").await?;
        let tally = load.stop().await;
        ensure!(tally.failed.is_empty(), "{} requests failed: {:?}", tally.failed.len(), tally.failed.first());
        Ok(())
    })
}

#[test]
fn one_of_two_replicas_leads_and_a_frozen_leader_is_replaced_by_the_other() -> Outcome {
    exclusive("failover", async |scene| {
        let first = leader(&scene.client).await?.context("nobody leads")?;
        let frozen = of_pod(&first)?;
        signal(frozen, "STOP").await?;
        let began = Instant::now();
        let other = scene
            .until("the other replica leads", FAILOVER * 2, async || {
                Ok(leader(&scene.client).await?.filter(|pod| pod.name_any() != first.name_any()))
            })
            .await;
        let took = began.elapsed();
        // Awake again, it finds the Lease taken and ends; its pod stands by.
        signal(frozen, "CONT").await?;
        other?;
        scene.say(&format!("FIGURE frozen leader to the next: {:.1} s", took.as_secs_f64()));
        ensure!(took <= FAILOVER, "the failover took {:.1} s", took.as_secs_f64());
        scene
            .until("the one that was frozen has ended", SOON, async || {
                Ok((!std::path::Path::new(&format!("/proc/{frozen}")).exists()).then_some(()))
            })
            .await
    })
}

#[test]
fn a_deleted_leader_gives_the_lease_back_at_once() -> Outcome {
    exclusive("hand-over", async |scene| {
        let first = leader(&scene.client).await?.context("nobody leads")?.name_any();
        let namespace = ["--namespace", chemmodel_tests::operator::NAMESPACE];
        let began = Instant::now();
        let delete = [&namespace[..], &["delete", "pod", &first, "--wait=false"]].concat();
        chemmodel_tests::program::kubectl_ok(&delete, "").await?;
        scene
            .until("another replica leads", FAILOVER, async || {
                Ok(leader(&scene.client).await?.filter(|pod| pod.name_any() != first))
            })
            .await?;
        let took = began.elapsed();
        scene.say(&format!("FIGURE deleted leader to the next: {:.1} s", took.as_secs_f64()));
        ensure!(took <= Duration::from_secs(12), "giving the Lease back took {:.1} s", took.as_secs_f64());
        Ok(())
    })
}

/// Stable with a version, with an operator that is at work: the status follows a further change.
async fn recovered(model: &Model<'_>, version: &str) -> Result<()> {
    model.until_stable(version).await?;
    let resized = changed(json!({}), &json!({"spec": {"replicas": 2}}));
    model.patch(&resized).await?;
    let two = |model: &chemmodel_crds::ChemModel| {
        is_stable(model) && model.status.as_ref().is_some_and(|status| status.ready_replicas == 2)
    };
    model.until("follows a change after the operator was killed", RECOVERY * 2, two).await?;
    Ok(())
}

/// Whether the Lease was renewed within the last seconds by a pod that is there.
async fn leads_anew(scene: &Scene) -> Result<Option<()>> {
    let renewed = lease(&scene.client).await?.spec.and_then(|spec| spec.renew_time).context("never renewed")?;
    let fresh = jiff::Timestamp::now().duration_since(renewed.0).as_secs() < 3;
    Ok(leader(&scene.client).await?.filter(|_| fresh).map(drop))
}
