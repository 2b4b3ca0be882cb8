//! A leader that froze and wakes up again writes to no Service any more: somebody else leads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use chemmodel_tests::model::{PATIENCE, manifest, phase};
use chemmodel_tests::operator::{RECOVERY, is_whole, leader};
use chemmodel_tests::process::{of_pod, signal};
use chemmodel_tests::{Model, Outcome, Scene};
use futures::StreamExt as _;
use http::StatusCode;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::crashes::without_the_installed_operator;
use crate::mortal::Operator;
use crate::setting::{SOON, bucket_with_both, exclusive, stable, switch_to};

const TERM: &str = "chemmodel.io/term";
/// A holder of the Lease counts as gone after 15 s.
const FAILOVER: Duration = Duration::from_secs(40);

#[test]
fn a_switch_that_a_frozen_leader_had_under_way_is_refused() -> Outcome {
    exclusive("held-switch", async |scene| {
        without_the_installed_operator(scene, async || {
            let bucket = bucket_with_both(scene).await?;
            let mut old = Operator::start(scene, "old").await?;
            let model = Model::apply(scene, &manifest("boiling-point", &bucket.uri("v1"), "v1")?).await?;
            model.until_stable("v1").await?;

            // The old leader has decided for v2, and freezes when its write is on its way.
            old.hold("services/boiling-point");
            model.patch(&switch_to(&bucket, "v2")).await?;
            tokio::time::timeout(PATIENCE, old.held()).await.context("the old leader never wanted to switch")?;
            signal(old.process()?, "STOP").await?;
            let first: Service = scene.api().get("boiling-point").await?;
            // Meanwhile the Lease ends, somebody else leads, and somebody wants v1 again.
            let new = Operator::start(scene, "new").await?;
            model.patch(&switch_to(&bucket, "v1")).await?;
            model.until_stable("v1").await?;
            let before: Service = scene.api().get("boiling-point").await?;
            ensure!(term(&before) > term(&first), "the new leader has not written its term");

            let known = old.writes().len();
            old.release();
            let answered = async || Ok((old.writes().len() > known).then(|| old.writes()));
            let writes = scene.until("the old leader's write was answered", SOON, answered).await?;
            let late = &writes[known];
            ensure!(late.object == "services/boiling-point", "another write came first: {late:?}");
            ensure!(late.answer == StatusCode::CONFLICT, "the late switch was answered {}", late.answer);
            // It goes on, finds that it does not lead, and ends; the new one is at work.
            signal(old.process()?, "CONT").await?;
            tokio::time::timeout(SOON, old.ended()).await.context("the old leader goes on")??;
            model.patch(&json!({"spec": {"replicas": 2}})).await?;
            let two = |model: &ChemModel| model.status.as_ref().is_some_and(|status| status.ready_replicas == 2);
            model.until("follows the new leader", PATIENCE, two).await?;
            let accepted: Vec<_> = old
                .writes()
                .into_iter()
                .skip(known)
                .filter(|write| write.answer.is_success() && is_state(&write.object))
                .collect();
            ensure!(accepted.is_empty(), "writes of the old leader were accepted: {accepted:#?}");
            let after: Service = scene.api().get("boiling-point").await?;
            ensure!(before.resource_version() == after.resource_version(), "somebody wrote to the Service");
            drop(new);
            Ok(())
        })
        .await
    })
}

#[test]
fn a_leader_that_is_stopped_in_mid_rollout_writes_to_no_service_when_it_goes_on() -> Outcome {
    exclusive("fencing", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        // Cold at once, so that each switch is a whole rollout: warm pods are not verified.
        let model =
            stable(scene, &bucket, &json!({"spec": {"rollout": {"observeSeconds": 2, "scaleDownDelaySeconds": 1}}}))
                .await?;
        let services = Services::watch(scene);
        for (version, at) in [("v2", Phase::Starting), ("v1", Phase::Verifying), ("v2", Phase::Promoting)] {
            let first = leader(&scene.client).await?.context("nobody leads")?;
            let frozen = of_pod(&first)?;
            model.patch(&switch_to(&bucket, version)).await?;
            // Promoting lasts for less than a look may take: what comes right after it will do.
            let there = |model: &ChemModel| {
                phase(model) == Some(at) || (at == Phase::Promoting && phase(model) == Some(Phase::Observing))
            };
            model.until(&format!("is {at:?}"), PATIENCE, there).await?;
            signal(frozen, "STOP").await?;
            let outcome = async {
                let another = async || {
                    Ok(leader(&scene.client).await?.filter(|pod| pod.name_any() != first.name_any()).map(drop))
                };
                scene.until("another replica leads", FAILOVER, another).await?;
                model.until_stable(version).await
            };
            let outcome = outcome.await;
            // Whatever happened, nothing may stay stopped.
            signal(frozen, "CONT").await?;
            outcome?;
            let ended = async || Ok((!std::path::Path::new(&format!("/proc/{frozen}")).exists()).then_some(()));
            scene.until("the one that was stopped has ended", SOON, ended).await?;
            let whole = async || Ok(is_whole(&scene.client).await?.then_some(()));
            scene.until("two replicas run again", RECOVERY, whole).await?;
        }
        let history = services.history();
        scene.say(&format!("the Service over three takeovers: {history:?}"));
        ensure!(history.len() >= 4, "the Service's history is too short to say anything: {history:?}");
        let stale = history.windows(2).filter(|pair| pair[1].term < pair[0].term).count();
        scene.say(&format!("FIGURE writes of a stale leader to the Service: {stale} of {}", history.len()));
        ensure!(stale == 0, "a stale leader wrote: {history:?}");
        Ok(())
    })
}

/// State, rather than a story about it.
fn is_state(object: &str) -> bool {
    !object.starts_with("events")
}

/// What a version of the Service said.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    term: Option<i32>,
    selector: Option<String>,
}

/// Every version of the Service, as a watch saw it.
struct Services {
    history: Arc<Mutex<Vec<Said>>>,
    watch: JoinHandle<()>,
}

impl Services {
    fn watch(scene: &Scene) -> Self {
        let config = watcher::Config::default().fields("metadata.name=boiling-point");
        let mut events = watcher(scene.api::<Service>(), config).boxed();
        let history = Arc::<Mutex<Vec<Said>>>::default();
        let told = history.clone();
        let watch = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if let Ok(Event::Apply(service) | Event::InitApply(service)) = event {
                    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
                    let colour = selector.and_then(|selector| selector.get("chemmodel.io/colour").cloned());
                    let said = Said { term: term(&service), selector: colour };
                    told.lock().unwrap_or_else(PoisonError::into_inner).push(said);
                }
            }
        });
        Self { history, watch }
    }

    fn history(&self) -> Vec<Said> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

fn term(service: &Service) -> Option<i32> {
    service.annotations().get(TERM)?.parse().ok()
}
