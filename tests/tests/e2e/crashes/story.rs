//! What happens to a ChemModel while operators die: told by changes of the spec, over when nothing is left to do.

use anyhow::{Context as _, Result};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use chemmodel_tests::model::{PATIENCE, changed, is_stable, manifest, phase};
use chemmodel_tests::s3::Bucket;
use chemmodel_tests::{Model, Scene};
use serde_json::{Value, json};

/// Name of every story's ChemModel.
pub const MODEL: &str = "boiling-point";

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// A new version takes over, and the old one goes.
    Release,
    /// The first version of a ChemModel that there was not.
    First,
    /// A new version waits for its approval, and is aborted.
    Abort,
    /// A new version has just taken over when the old one is wanted again.
    Back,
}

impl Story {
    pub const ALL: [Self; 4] = [Self::Release, Self::First, Self::Abort, Self::Back];

    /// How it begins, before anybody dies.
    pub async fn prepare(self, scene: &Scene) -> Result<()> {
        if self == Self::First {
            scene.kubectl(&["delete", "chemmodel", MODEL, "--ignore-not-found", "--cascade=foreground"]).await?;
            let nothing =
                async || Ok(scene.kubectl(&["get", "pods,pvc", "--output=name"]).await?.is_empty().then_some(()));
            scene.until("nothing is left of the ChemModel before", PATIENCE, nothing).await?;
        }
        Ok(())
    }

    /// From the first change of the spec until everything has come to rest. `old` has the traffic, unless there is nothing yet; `new`
    /// has never been there before.
    pub async fn tell(self, scene: &Scene, bucket: &Bucket, old: &str, new: &str) -> Result<()> {
        let model = Model { scene, name: MODEL.to_owned() };
        let ask_for = |version: &str, rollout: Value| json!({"spec": {"model": {"uri": bucket.uri("v1"), "version": version}, "rollout": rollout}});
        match self {
            Self::Release => {
                model.patch(&ask_for(new, json!({"abort": null, "autoPromote": true}))).await?;
                model.until_stable(new).await?;
            }
            Self::First => {
                let manifest = changed(manifest(MODEL, &bucket.uri("v1"), new)?, &in_haste());
                Model::apply(scene, &manifest).await?;
                model.until_stable(new).await?;
            }
            Self::Abort => {
                model.patch(&ask_for(new, json!({"abort": null, "autoPromote": false}))).await?;
                model.until("waits", PATIENCE, |model| phase(model) == Some(Phase::AwaitingPromotion)).await?;
                model.patch(&json!({"spec": {"rollout": {"abort": new}}})).await?;
                model.until("is Aborted", PATIENCE, |model| phase(model) == Some(Phase::Aborted)).await?;
            }
            Self::Back => {
                model.patch(&ask_for(new, json!({"observeSeconds": 600}))).await?;
                let taken_over = |model: &ChemModel| phase(model) == Some(Phase::Observing);
                model.until("is Observing", PATIENCE, taken_over).await?;
                model.patch(&ask_for(old, json!({"observeSeconds": 1}))).await?;
                model.until_stable(old).await?;
            }
        }
        rest(scene, &model).await
    }

    /// Whether the new version has the traffic in the end.
    pub const fn promotes(self) -> bool {
        matches!(self, Self::Release | Self::First)
    }
}

/// Phases that last no longer than they must.
pub fn in_haste() -> Value {
    json!({"spec": {"rollout": {"observeSeconds": 1, "scaleDownDelaySeconds": 1, "historyLimit": 2}}})
}

/// One colour has pods, and no Job is left.
async fn rest(scene: &Scene, model: &Model<'_>) -> Result<()> {
    let over = |model: &ChemModel| {
        let status = model.status.as_ref();
        let aborted = phase(model) == Some(Phase::Aborted);
        (aborted || is_stable(model)) && status.is_some_and(|status| status.previous.is_none())
    };
    model.until("has no old pods left", PATIENCE, over).await?;
    let still = async || {
        let jobs = scene.kubectl(&["get", "jobs", "--output=name"]).await?;
        let deployments = scene.kubectl(&["get", "deployments", "--output=jsonpath={.items[*].spec.replicas}"]).await?;
        let running = deployments.split_whitespace().filter(|replicas| *replicas != "0").count();
        Ok((jobs.trim().is_empty() && running == 1).then_some(()))
    };
    scene.until("the Jobs are gone and one colour has pods", PATIENCE, still).await.context("after the story")
}
