//! The API is installed once, whoever comes first.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chemmodel_tests::environment::repository;
use chemmodel_tests::program::kubectl_ok;
use chemmodel_tests::{Outcome, Scene, beside_others};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

static INSTALLED: OnceCell<()> = OnceCell::const_new();

/// A test with the ChemModel API in place.
pub fn with_api(name: &str, body: impl AsyncFnOnce(&Scene) -> Result<()>) -> Outcome {
    beside_others(name, async |scene| {
        INSTALLED.get_or_try_init(|| install(scene)).await?;
        body(scene).await
    })
}

async fn install(scene: &Scene) -> Result<()> {
    let definition = repository("crds/chemmodel.yaml");
    let file = format!("--filename={}", definition.display());
    // Forced, because on a shared cluster the chart may have been first.
    kubectl_ok(&["apply", "--server-side", "--force-conflicts", &file], "").await?;
    // Each of the two is a moment later than the condition Established, and kubectl cannot wait for a condition of a status that is not there yet.
    scene
        .until("kubectl finds and explains chemmodels", Duration::from_secs(30), async || {
            let found = scene.kubectl(&["get", "chemmodels"]).await.is_ok();
            Ok((found && kubectl_ok(&["explain", "chemmodel"], "").await.is_ok()).then_some(()))
        })
        .await?;
    Ok(())
}

/// The least that a ChemModel needs.
pub fn minimal() -> Value {
    json!({
        "apiVersion": "chemmodel.io/v1alpha1", "kind": "ChemModel", "metadata": {"name": "boiling-point"},
        "spec": {"model": {"uri": "s3://models/boiling-point/v1", "version": "v1"}}
    })
}

/// A change as YAML, for tables that people read.
pub fn yaml(text: &str) -> Result<Value> {
    serde_saphyr::from_str(text).with_context(|| format!("not YAML: {text}"))
}
