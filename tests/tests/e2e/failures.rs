//! Bundles that cannot be had: each is a condition with its reason soon after the Job's failure, no pod serves, and what is mended in the
//! storage or the Secret is found without anybody touching the ChemModel.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use chemmodel_tests::model::{PATIENCE, changed, condition, is_false, manifest, phase};
use chemmodel_tests::s3::{Access, Bucket};
use chemmodel_tests::scene::secret;
use chemmodel_tests::{Bundle, Model, Outcome, Scene};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::setting::{SOON, shared};

/// From the Job's failure to the condition.
const LATENCY: Duration = Duration::from_secs(10);

#[test]
fn a_missing_bucket_is_not_found_until_it_is_there() -> Outcome {
    shared("no-bucket", async |scene| {
        scene.bucket().await?;
        let late = format!("{}-late", scene.namespace);
        let model = apply(scene, &format!("s3://{late}/v1"), &json!({})).await?;
        refused(&model, "NotFound", &[&late]).await?;
        let bucket = Access::from_environment()?.create(&late).await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        recovers(&model).await?;
        bucket.empty().await
    })
}

#[test]
fn a_wrong_prefix_is_not_found_until_a_bundle_lies_there() -> Outcome {
    shared("no-prefix", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let model = apply(scene, &bucket.uri("boiling/v1"), &json!({})).await?;
        refused(&model, "NotFound", &["boiling/v1"]).await?;
        bucket.upload("boiling/v1", &Bundle::example("v1")?).await?;
        recovers(&model).await
    })
}

#[test]
fn wrong_keys_are_access_denied_until_the_secret_has_the_right_ones() -> Outcome {
    shared("wrong-keys", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        scene.apply(&secret("s3", "NOBODY", "wrong")).await?;
        let model = apply(scene, &bucket.uri("v1"), &json!({})).await?;
        refused(&model, "AccessDenied", &["AWS_ACCESS_KEY_ID"]).await?;
        let access = Access::from_environment()?;
        scene.apply(&secret("s3", &access.key, &access.secret)).await?;
        recovers(&model).await
    })
}

#[test]
fn a_missing_secret_is_named_until_it_is_there() -> Outcome {
    shared("no-secret", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let other = json!({"spec": {"model": {"s3": {"credentialsSecretRef": {"name": "keys"}}}}});
        let model = apply(scene, &bucket.uri("v1"), &other).await?;
        // The pod waits for its Secret, so there is no failed Job: nothing to be tried again, only to be waited for.
        let told = |model: &ChemModel| {
            is_false(model, "ArtifactReady", "PodFailing") && message(model).contains("secret \"keys\" not found")
        };
        model.until("names the missing Secret", SOON, told).await?;
        nothing_serves(&model).await?;
        let access = Access::from_environment()?;
        scene.apply(&secret("keys", &access.key, &access.secret)).await?;
        recovers(&model).await
    })
}

#[test]
fn a_flipped_bit_is_an_integrity_mismatch_until_the_right_file_is_there() -> Outcome {
    let damaged = Bundle::example("v1")?.with_flipped_bit("model.onnx");
    damaged_bundle("corrupt", &damaged, "IntegrityMismatch", &["model.onnx"])
}

#[test]
fn a_tokenizer_that_is_listed_and_missing_is_not_found() -> Outcome {
    let damaged = Bundle::example("v1")?.without("tokenizer.json");
    damaged_bundle("no-tokenizer", &damaged, "NotFound", &["tokenizer.json"])
}

#[test]
fn a_manifest_without_a_tokenizer_is_an_invalid_bundle() -> Outcome {
    let damaged = Bundle::example("v1")?.without("tokenizer.json").sealed()?;
    damaged_bundle("unlisted-tokenizer", &damaged, "InvalidBundle", &["tokenizer.json"])
}

#[test]
fn a_manifest_that_is_none_is_an_invalid_bundle() -> Outcome {
    let damaged = Bundle::example("v1")?.with("chemmodel.json", "{\"schema\": 1");
    damaged_bundle("bad-manifest", &damaged, "InvalidBundle", &["chemmodel.json"])
}

#[test]
fn another_bundle_than_the_demanded_one_is_an_integrity_mismatch_until_the_demanded_one_is_there() -> Outcome {
    shared("digest", async |scene| {
        let bucket = scene.bucket().await?;
        let demanded = Bundle::example("v1")?;
        bucket.upload("v1", &demanded.clone().with("golden.json", "{}").sealed()?).await?;
        let digest = demanded.digest()?.to_string();
        let model = apply(scene, &bucket.uri("v1"), &json!({"spec": {"model": {"digest": digest}}})).await?;
        refused(&model, "IntegrityMismatch", &[&digest]).await?;
        bucket.upload("v1", &demanded).await?;
        recovers(&model).await
    })
}

/// A bundle that is refused, and after it the right one at the same place.
fn damaged_bundle(name: &str, damaged: &Bundle, reason: &str, words: &[&str]) -> Outcome {
    shared(name, async |scene| {
        let bucket: Bucket = scene.bucket().await?;
        bucket.upload("v1", damaged).await?;
        let model = apply(scene, &bucket.uri("v1"), &json!({})).await?;
        refused(&model, reason, words).await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        recovers(&model).await
    })
}

/// A ChemModel at a place where something is wrong.
pub async fn apply<'a>(scene: &'a Scene, uri: &str, change: &Value) -> Result<Model<'a>> {
    Model::apply(scene, &changed(manifest("boiling-point", uri, "v1")?, change)).await
}

/// The refusal: in time, with its reason, in words that help, and without any pod that serves.
pub async fn refused(model: &Model<'_>, reason: &str, words: &[&str]) -> Result<()> {
    let refused = |model: &ChemModel| is_false(model, "ArtifactReady", reason);
    let seen = model.until(&format!("has ArtifactReady=False/{reason}"), PATIENCE, refused).await?;
    let told = Timestamp::now();
    let latency = told.duration_since(job_failed(model).await?);
    model.scene.say(&format!("FIGURE Job's failure to {reason}: at most {:.1} s", latency.as_secs_f64()));
    ensure!(
        latency.as_secs() <= i64::try_from(LATENCY.as_secs())?,
        "{reason} came {latency:#} after the Job's failure"
    );

    ensure!(phase(&seen) == Some(Phase::Blocked), "the phase is {:?}", phase(&seen));
    ensure!(is_false(&seen, "Ready", "NotYetServing"), "Ready is {:?}", condition(&seen, "Ready"));
    for word in words.iter().chain(&["next try at"]) {
        ensure!(message(&seen).contains(word), "the message lacks {word:?}: {}", message(&seen));
    }
    model.scene.say(&format!("{reason}: {}", message(&seen)));
    nothing_serves(model).await
}

/// When the last Job failed.
async fn job_failed(model: &Model<'_>) -> Result<Timestamp> {
    let jobs = model.scene.api::<Job>().list(&ListParams::default()).await?.items;
    let conditions = jobs.into_iter().filter_map(|job| job.status?.conditions).flatten();
    let failed = conditions.filter(|condition| condition.type_ == "Failed" && condition.status == "True");
    failed.filter_map(|condition| Some(condition.last_transition_time?.0)).max().context("no Job has failed")
}

/// What is wrong was mended outside of the cluster's API: it goes on by itself.
pub async fn recovers(model: &Model<'_>) -> Result<()> {
    model.until_stable("v1").await?;
    model.until_it_answers().await
}

async fn nothing_serves(model: &Model<'_>) -> Result<()> {
    let pods = model.pods("server").await?;
    ensure!(pods.is_empty(), "{} pods serve a bundle that is not there", pods.len());
    Ok(())
}

fn message(model: &ChemModel) -> String {
    model.status.as_ref().and_then(|status| status.message.clone()).unwrap_or_default()
}
