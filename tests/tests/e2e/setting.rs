//! What most tests begin with.

use std::time::Duration;

use anyhow::Result;
use chemmodel_tests::model::{changed, manifest};
use chemmodel_tests::s3::Bucket;
use chemmodel_tests::{Bundle, Model, Outcome, Scene, alone, beside_others, operator};
use serde_json::{Value, json};

/// A molecule whose answer differs between the example's versions.
pub const ETHANOL: &str = "CCO";
/// What a person calls at once.
pub const SOON: Duration = Duration::from_secs(30);

/// A test that may share the cluster, with the operator in place.
pub fn shared(name: &str, body: impl AsyncFnOnce(&Scene) -> Result<()>) -> Outcome {
    beside_others(name, async |scene| {
        operator::install().await?;
        body(scene).await
    })
}

/// A test that has the cluster for itself, with the operator in place.
pub fn exclusive(name: &str, body: impl AsyncFnOnce(&Scene) -> Result<()>) -> Outcome {
    alone(name, async |scene| {
        operator::install().await?;
        // The test before may have killed it.
        let whole = async || Ok(operator::is_whole(&scene.client).await?.then_some(()));
        scene.until("both replicas run and one leads", operator::RECOVERY, whole).await?;
        body(scene).await
    })
}

/// A bucket with both versions of the example, at `v1` and `v2`.
pub async fn bucket_with_both(scene: &Scene) -> Result<Bucket> {
    let bucket = scene.bucket().await?;
    for version in ["v1", "v2"] {
        bucket.upload(version, &Bundle::example(version)?).await?;
    }
    Ok(bucket)
}

/// A Stable ChemModel with version `v1` of the example; `change` is merged into its manifest.
pub async fn stable<'a>(scene: &'a Scene, bucket: &Bucket, change: &Value) -> Result<Model<'a>> {
    let manifest = changed(manifest("boiling-point", &bucket.uri("v1"), "v1")?, change);
    let model = Model::apply(scene, &manifest).await?;
    model.until_stable("v1").await?;
    model.until_it_answers().await?;
    Ok(model)
}

/// The change of a spec to another version of the example.
pub fn switch_to(bucket: &Bucket, version: &str) -> Value {
    json!({"spec": {"model": {"uri": bucket.uri(version), "version": version}}})
}
