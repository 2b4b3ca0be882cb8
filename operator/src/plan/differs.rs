//! Whether a live object is as it must be, so that nothing is written in the steady state.
//!
//! Every field that we want must be there with our value; fields that others added (defaults of the API server, annotations of a mesh)
//! do not count. A field that we no longer want shows in [`APPLIED`], a hash of the whole object as we applied it last.

use k8s_openapi::Metadata;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::model::quantity;

/// Annotation with the hash of the object as it was applied.
pub const APPLIED: &str = "chemmodel.io/applied";

/// Writes the hash of the object into its annotations.
pub fn stamp<K: Serialize + Metadata<Ty = ObjectMeta>>(mut desired: K) -> K {
    let json = serde_json::to_vec(&desired).unwrap_or_default();
    let hash = hex::encode(&Sha256::digest(json)[..8]);
    desired.metadata_mut().annotations.get_or_insert_default().insert(APPLIED.to_owned(), hash);
    desired
}

/// Whether `live` must be applied again to become `desired`.
pub fn differs<K: Serialize>(desired: &K, live: &K) -> bool {
    match (serde_json::to_value(desired), serde_json::to_value(live)) {
        (Ok(desired), Ok(live)) => !contains(&live, &desired),
        _ => true,
    }
}

fn contains(live: &Value, desired: &Value) -> bool {
    match (desired, live) {
        (Value::Object(want), Value::Object(have)) => {
            want.iter().all(|(key, want)| is_empty(want) || have.get(key).is_some_and(|have| contains(have, want)))
        }
        (Value::Array(want), Value::Array(have)) => {
            want.len() == have.len() && want.iter().zip(have).all(|(want, have)| contains(have, want))
        }
        (Value::String(want), Value::String(have)) => want == have || quantity::same(want, have),
        (want, have) => want == have,
    }
}

/// The API server drops empty values.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_api_server_adds_or_respells_is_no_difference() {
        let desired = json!({"spec": {"limits": {"memory": "1024Mi", "cpu": "2000m"}, "env": [], "labels": {}, "ports": [{"port": 80}]}});
        let live = json!({"spec": {"limits": {"memory": "1Gi", "cpu": "2"}, "ports": [{"port": 80, "nodePort": 31000}], "more": 1}});
        assert!(!differs(&desired, &live));
    }

    #[test]
    fn what_somebody_changed_or_took_away_is_a_difference() {
        let desired = json!({"spec": {"selector": {"colour": "blue"}, "ports": [{"port": 80}], "flag": false}});
        for live in [
            json!({"spec": {"selector": {"colour": "green"}, "ports": [{"port": 80}], "flag": false}}),
            json!({"spec": {"selector": {"colour": "blue"}, "ports": [], "flag": false}}),
            json!({"spec": {"selector": {"colour": "blue"}, "ports": [{"port": 80}, {"port": 81}], "flag": false}}),
            json!({"spec": {"selector": {"colour": "blue"}, "ports": [{"port": 80}]}}),
        ] {
            assert!(differs(&desired, &live), "{live}");
        }
    }
}
