//! What the planner must do, as a specification. [`world`] is a cluster in a few structs: it performs plans and plays kubelet.

mod capacity;
mod controls;
mod fencing;
mod history;
mod rollouts;
mod settled;
mod simulation;
mod syncs;
mod trials;
mod verification;
mod world;

use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use serde_json::{Value, json};
use world::World;

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

/// v1 is Stable in blue; all pods of v2 are ready in green, and its verify Job runs.
fn verifying(v2: &ValidatedModel) -> World {
    let mut world = World::new();
    world.deploy(&model("v1", json!({})));
    world.verifies = false;
    world.settle(v2);
    world.job_succeeds("manifest of v2");
    world.settle(v2);
    world.pods_become_ready();
    world.settle(v2);
    assert_eq!(world.phase(), Phase::Verifying, "{:?}", world.seen.status);
    world
}

/// v2 has the traffic and is watched; v1 is warm.
fn observing(v2: &ValidatedModel) -> World {
    let mut world = verifying(v2);
    world.verification_passes(|_| {});
    world.settle(v2);
    assert_eq!(world.phase(), Phase::Observing);
    world.verifies = true;
    world
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
