//! Storage mode `Ephemeral`: no volume, each pod fetches its own copy.

use anyhow::ensure;
use chemmodel_tests::Outcome;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::ListParams;
use serde_json::json;

use crate::setting::{ETHANOL, bucket_with_both, shared, stable, switch_to};

#[test]
fn pods_fetch_their_own_copy_and_no_volume_is_claimed() -> Outcome {
    shared("ephemeral", async |scene| {
        let bucket = bucket_with_both(scene).await?;
        let model = stable(scene, &bucket, &json!({"spec": {"storage": {"mode": "Ephemeral"}, "replicas": 2}})).await?;
        let claims = scene.api::<PersistentVolumeClaim>().list(&ListParams::default()).await?.items;
        ensure!(claims.is_empty(), "{} volumes are claimed", claims.len());
        let first = model.predict(&[ETHANOL]).await?;
        model.patch(&switch_to(&bucket, "v2")).await?;
        model.until_stable("v2").await?;
        ensure!(model.predict(&[ETHANOL]).await? != first, "v2 answers like v1");
        Ok(())
    })
}
