//! What the planner must do, as a specification. [`world`] is a cluster in a few structs: it performs plans and plays kubelet.

mod rollouts;
mod settled;
mod simulation;
mod syncs;
mod world;

use chemmodel_crds::ChemModel;
use serde_json::{Value, json};

use crate::model::{Settings, ValidatedModel, validate};

fn settings() -> Settings {
    Settings {
        server_image_cpu: "server:cpu".into(),
        server_image_cuda: "server:cuda".into(),
        job_image: "operator:1".into(),
    }
}

/// A ChemModel with version `version`; `more` is merged over its spec.
fn model(version: &str, more: Value) -> ValidatedModel {
    let mut spec = json!({"model": {"uri": format!("s3://models/boiling-point/{version}"), "version": version}});
    merge(&mut spec, more);
    let object: ChemModel = serde_json::from_value(json!({
        "apiVersion": "chemmodel.io/v1alpha1",
        "kind": "ChemModel",
        "metadata": {"name": "boiling-point", "namespace": "chem", "uid": "model-uid", "generation": 1},
        "spec": spec,
    }))
    .unwrap();
    validate(&object, &settings()).unwrap()
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
