//! Candidates whose pods do not come up, or do not stay.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use chemmodel_tests::model::{PATIENCE, changed, phase};
use chemmodel_tests::process::{of_pod, signal};
use chemmodel_tests::{Bundle, Model, Outcome};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::{given_up, rejected};
use crate::setting::shared;

/// Between two looks at the candidate's pods.
const PERIOD: Duration = Duration::from_millis(100);

#[test]
fn a_network_that_is_cut_off_cannot_be_loaded() -> Outcome {
    let bundle = Bundle::example("v2")?;
    let half = bundle.files.get("model.onnx").map(|content| content[..content.len() / 2].to_vec()).unwrap_or_default();
    let cut = bundle.with("model.onnx", half).sealed()?;
    given_up("cut-off", &cut, &impatient(&json!({})), &["PodFailing"], &["model.onnx", "progressDeadlineSeconds"])
}

#[test]
fn a_precision_that_the_bundle_lacks_is_named() -> Outcome {
    let int8 = impatient(&json!({"runtime": {"precision": "Int8"}}));
    given_up("no-variant", &Bundle::example("v2")?, &int8, &["PodFailing"], &["--precision int8", "fp32 only"])
}

#[test]
fn pods_without_enough_memory_are_out_of_memory() -> Outcome {
    let resources = json!({"requests": {"memory": "16Mi"}, "limits": {"memory": "24Mi"}});
    let small = impatient(&json!({"pod": {"resources": resources}}));
    given_up("memory", &Bundle::example("v2")?, &small, &["PodFailing"], &["OOMKilled"])
}

#[test]
fn an_image_that_does_not_exist_is_named() -> Outcome {
    let image = "chemmodel-inference:there-is-none";
    let change = impatient(&json!({"runtime": {"image": image}}));
    given_up("image", &Bundle::example("v2")?, &change, &["ImagePullFailed"], &[image])
}

#[test]
fn gpus_that_no_node_has_are_insufficient_in_the_schedulers_words() -> Outcome {
    let cuda = json!({"runtime": {"accelerator": "Cuda", "gpu": {"count": 2}, "image": "chemmodel-inference:dev-cpu"}});
    let words = ["Insufficient nvidia.com/gpu"];
    given_up("no-gpu", &Bundle::example("v2")?, &impatient(&cuda), &["InsufficientGPU"], &words)
}

#[test]
fn a_server_that_crashes_after_its_warm_up_is_given_up() -> Outcome {
    // It is verified and waits for an approval that nobody gives; from then on, each time that it is ready, it dies.
    let waits = impatient(&json!({"rollout": {"autoPromote": false, "promotionDeadlineSeconds": 60}}));
    shared("crash", async |scene| {
        let crash = async |model: &Model<'_>| {
            let waits = |model: &ChemModel| phase(model) == Some(Phase::AwaitingPromotion);
            model.until("is verified", PATIENCE, waits).await?;
            whenever_ready(model, "KILL").await
        };
        rejected(scene, &Bundle::example("v2")?, &waits, &["PodFailing"], &["exit code 137"], crash).await
    })
}

#[test]
fn a_server_that_hangs_once_it_is_ready_is_given_up() -> Outcome {
    // A process that is stopped still has its port: connections are made, and nothing is ever answered.
    let hangs = impatient(&json!({"rollout": {"verification": {"timeoutSeconds": 40}}}));
    shared("hang", async |scene| {
        let hang = async |model: &Model<'_>| whenever_ready(model, "STOP").await;
        let reasons = ["NotAnswered", "VerificationTimedOut", "ProgressDeadlineExceeded", "PodFailing"];
        rejected(scene, &Bundle::example("v2")?, &hangs, &reasons, &[], hang).await
    })
}

/// A change with little time for the start.
fn impatient(spec: &serde_json::Value) -> serde_json::Value {
    changed(json!({"spec": {"rollout": {"progressDeadlineSeconds": 25}}}), &json!({"spec": spec}))
}

/// Sends a signal to the candidate's servers, each time that they are ready; does not end by itself.
async fn whenever_ready(model: &Model<'_>, name: &str) -> Result<()> {
    let mut hit = std::collections::BTreeSet::new();
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        for pod in model.pods("server").await?.iter().filter(|pod| is_green(pod)) {
            let container = ready_container(pod);
            if let Some(container) = container.filter(|container| !hit.contains(container)) {
                // It may have ended just now.
                if let Ok(process) = of_pod(pod) {
                    signal(process, name).await.context("the candidate's server cannot be reached")?;
                    hit.insert(container);
                }
            }
        }
    }
}

fn is_green(pod: &Pod) -> bool {
    let labels = pod.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get("chemmodel.io/colour")).is_some_and(|colour| colour == "green")
}

/// The id of the container, once it is ready.
fn ready_container(pod: &Pod) -> Option<String> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    containers.first().filter(|container| container.ready)?.container_id.clone()
}
