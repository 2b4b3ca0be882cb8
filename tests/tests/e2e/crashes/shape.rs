//! The objects of a ChemModel as somebody wanted them: without what the cluster adds, under names that are the same in each story.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use chemmodel_operator::build::RecordedRevision;
use chemmodel_tests::Scene;
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::api::ListParams;
use serde_json::Value;

/// Names that are different in each rollout, and what they stand for.
pub struct Names(BTreeMap<String, String>);

impl Names {
    pub async fn read(scene: &Scene, model: &str) -> Result<Self> {
        let records = scene.api::<ControllerRevision>().list(&ListParams::default()).await?.items;
        let mut records: Vec<_> = records.iter().filter_map(RecordedRevision::read).collect();
        records.sort_by_key(|(_, number, _)| std::cmp::Reverse(*number));
        let mut names = BTreeMap::new();
        for (age, (hash, _, record)) in records.into_iter().enumerate() {
            names.insert(hash.to_string(), format!("REVISION-{age}"));
            names.insert(record.version, format!("VERSION-{age}"));
        }
        let service = scene.kubectl(&["get", "service", model, "--output=jsonpath={.spec.selector}"]).await?;
        let (active, idle) = if service.contains("green") { ("green", "blue") } else { ("blue", "green") };
        names.insert(active.to_owned(), "ACTIVE".to_owned());
        names.insert(idle.to_owned(), "IDLE".to_owned());
        Ok(Self(names))
    }

    pub fn replace(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, meaning)| text.replace(name, meaning))
    }
}

/// The objects of the ChemModel: what somebody wanted of them, without what the cluster adds.
pub async fn shape(scene: &Scene, names: &Names) -> Result<Value> {
    const KINDS: &str = "deployments,services,jobs,controllerrevisions,persistentvolumeclaims,horizontalpodautoscalers,\
                         poddisruptionbudgets,serviceaccounts";
    const ADDED: [&str; 13] = [
        "uid",
        "volumeName",
        "clusterIP",
        "clusterIPs",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
        "revision",
        "status",
        "chemmodel.io/term",
        "chemmodel.io/applied",
        "deployment.kubernetes.io/revision",
    ];
    let ours = ["get", KINDS, "--selector=chemmodel.io/model=boiling-point", "--output=json"];
    let text = names.replace(&scene.kubectl(&ours).await?);
    let mut list: Value = serde_json::from_str(&text)?;
    strip(&mut list, &ADDED.into_iter().collect());
    // In the order of the names that stand for others.
    let mut objects: Vec<Value> = list["items"].as_array().cloned().context("no list")?;
    objects.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
    Ok(Value::Array(objects))
}

fn strip(value: &mut Value, added: &BTreeSet<&str>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !added.contains(name.as_str()));
            fields.values_mut().for_each(|field| strip(field, added));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, added)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
