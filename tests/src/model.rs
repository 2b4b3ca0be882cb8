//! A ChemModel in a test's namespace, and what its Service answers.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::Scene;
use crate::environment::variable;
use crate::http::{once, post};

/// From apply to Stable on a busy machine; what is faster is measured where it is claimed.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// A ChemModel.
pub struct Model<'a> {
    /// Its test.
    pub scene: &'a Scene,
    /// Its name.
    pub name: String,
}

/// A ChemModel for one small pod on the processor, which reads the test's bucket with the Secret `s3`.
pub fn manifest(name: &str, uri: &str, version: &str) -> Result<Value> {
    Ok(json!({
        "apiVersion": "chemmodel.io/v1alpha1", "kind": "ChemModel", "metadata": {"name": name},
        "spec": {
            "model": {
                "uri": uri, "version": version,
                "s3": {
                    "endpoint": variable("S3_ENDPOINT")?, "region": variable("AWS_REGION")?, "forcePathStyle": true,
                    "credentialsSecretRef": {"name": "s3"}
                }
            },
            "runtime": {"accelerator": "Cpu"},
            "pod": {"resources": {
                "requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}
            }},
            "storage": {"size": "1Gi"},
            "replicas": 1,
            // Short, because tests wait for the end; those that need the window open it themselves.
            "rollout": {"scaleDownDelaySeconds": 5, "observeSeconds": 5}
        }
    }))
}

/// `base` with the fields of `change`; null takes a field away (RFC 7386).
#[must_use]
pub fn changed(mut base: Value, change: &Value) -> Value {
    merge(&mut base, change);
    base
}

fn merge(base: &mut Value, change: &Value) {
    let (Value::Object(fields), Value::Object(changes)) = (&mut *base, change) else {
        *base = change.clone();
        return;
    };
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

impl<'a> Model<'a> {
    /// Applies a manifest.
    pub async fn apply(scene: &'a Scene, manifest: &Value) -> Result<Self> {
        let name = manifest["metadata"]["name"].as_str().context("the manifest has no name")?.to_owned();
        scene.apply(manifest).await?;
        Ok(Self { scene, name })
    }

    /// Merges a change into it.
    pub async fn patch(&self, change: &Value) -> Result<()> {
        let api = self.scene.api::<ChemModel>();
        api.patch(&self.name, &PatchParams::default(), &Patch::Merge(change)).await?;
        Ok(())
    }

    /// As it is now.
    pub async fn get(&self) -> Result<ChemModel> {
        Ok(self.scene.api().get(&self.name).await?)
    }

    /// Waits until it is as wanted, and its status is about the spec as it is now.
    pub async fn until(&self, what: &str, limit: Duration, holds: impl Fn(&ChemModel) -> bool) -> Result<ChemModel> {
        let what = format!("{} {what}", self.name);
        self.scene
            .until(&what, limit, async || {
                let model = self.get().await?;
                Ok((is_current(&model) && holds(&model)).then_some(model))
            })
            .await
    }

    /// Waits until a version has the traffic and nothing is under way.
    pub async fn until_stable(&self, version: &str) -> Result<ChemModel> {
        let what = format!("is Stable with version {version}");
        self.until(&what, PATIENCE, |model| is_stable(model) && active_version(model) == Some(version)).await
    }

    /// `address:port` of its Service, as the node reaches it.
    pub async fn address(&self) -> Result<String> {
        let service: Service = self.scene.api().get(&self.name).await?;
        let spec = service.spec.context("the Service has no spec")?;
        let ip = spec.cluster_ip.context("the Service has no address")?;
        let port = spec.ports.unwrap_or_default().first().context("the Service has no port")?.port;
        Ok(format!("{ip}:{port}"))
    }

    /// The answer to a question, by the Service.
    pub async fn ask(&self, question: &Value) -> Result<Value> {
        let address = self.address().await?;
        once(&address, post(&address, "/predict", question)?).await?.json()
    }

    /// The prediction for every molecule, in order.
    pub async fn predict(&self, smiles: &[&str]) -> Result<Vec<f64>> {
        let answer = self.ask(&json!({"smiles": smiles})).await?;
        let predictions = answer["predictions"].as_array().with_context(|| format!("no predictions: {answer}"))?;
        ensure!(predictions.len() == smiles.len(), "{} molecules got {} answers", smiles.len(), predictions.len());
        predictions
            .iter()
            .map(|one| one["prediction"].as_f64().with_context(|| format!("no prediction: {one}")))
            .collect()
    }

    /// Waits until the Service answers: the node's proxy hears of endpoints a moment after the status does.
    pub async fn until_it_answers(&self) -> Result<()> {
        let what = format!("the Service {} answers", self.name);
        let question = json!({"smiles": "CCO"});
        self.scene.until(&what, Duration::from_secs(10), async || Ok(Some(self.ask(&question).await?))).await?;
        Ok(())
    }

    /// Its pods, of one component (`server`, `sync` or `verify`).
    pub async fn pods(&self, component: &str) -> Result<Vec<Pod>> {
        let selector = format!("chemmodel.io/model={},app.kubernetes.io/component={component}", self.name);
        Ok(self.scene.api().list(&ListParams::default().labels(&selector)).await?.items)
    }
}

fn is_current(model: &ChemModel) -> bool {
    let observed = model.status.as_ref().and_then(|status| status.observed_generation);
    observed.is_some() && observed == model.metadata.generation
}

/// Its phase.
pub fn phase(model: &ChemModel) -> Option<Phase> {
    model.status.as_ref()?.phase
}

/// Whether the revision of the spec has the traffic and answers.
pub fn is_stable(model: &ChemModel) -> bool {
    phase(model) == Some(Phase::Stable) && condition(model, "Ready").is_some_and(|ready| ready.status == "True")
}

/// The version that has the traffic.
pub fn active_version(model: &ChemModel) -> Option<&str> {
    Some(&model.status.as_ref()?.active.as_ref()?.version)
}

/// A condition.
pub fn condition<'m>(model: &'m ChemModel, type_: &str) -> Option<&'m Condition> {
    model.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether a condition is False with a reason.
pub fn is_false(model: &ChemModel, type_: &str, reason: &str) -> bool {
    condition(model, type_).is_some_and(|condition| condition.status == "False" && condition.reason == reason)
}
