//! The bundle's way into the cluster.

use chemmodel_bundle::BundleDigest;
use chemmodel_crds::conditions::kind;
use chemmodel_crds::status::{Colour, Phase};
use serde_json::json;

use super::model;
use super::world::World;

#[test]
fn no_pod_starts_before_the_bundle_is_proven() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.settle(&v1);
    assert_eq!(world.phase(), Phase::Syncing);
    assert!(world.seen.deployments.blue.is_none());
}

#[test]
fn a_failed_sync_blocks_with_the_reason_of_its_report_and_touches_nothing() {
    for reason in ["AccessDenied", "NotFound", "IntegrityMismatch", "NoSpace", "UnsafeKey", "InvalidBundle"] {
        let mut world = World::new();
        let v1 = model("v1", json!({}));
        world.settle(&v1);
        world.job_fails(reason, "bucket models does not exist: create it");
        world.settle(&v1);
        assert_eq!(world.phase(), Phase::Blocked);
        assert_eq!(world.condition(kind::ARTIFACT_READY), ("False".into(), reason.into()));
        assert!(world.seen.status.message.as_ref().unwrap().contains("create it; next try at 12:00:15 UTC"));
        assert!(world.seen.deployments.blue.is_none());
    }
}

#[test]
fn a_failed_sync_is_tried_again_by_a_new_job_after_growing_pauses() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    for (attempt, pause) in [(1, 15), (2, 30), (3, 60), (4, 120), (5, 300), (6, 300)] {
        world.settle(&v1);
        assert!(world.seen.jobs[0].metadata.name.as_ref().unwrap().ends_with(&format!("-{attempt}")));
        assert_eq!(world.seen.jobs.len(), 1, "the failed one is gone");
        world.job_fails("AccessDenied", "the keys are wrong");
        world.pass(pause - 1);
        let plan = world.settle(&v1);
        assert_eq!(world.phase(), Phase::Blocked);
        assert!(plan.recheck.as_secs_f64() <= 2.0, "the next look is when the pause ends");
        world.pass(1);
    }
}

#[test]
fn after_the_fix_the_retry_goes_through() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.settle(&v1);
    world.job_fails("AccessDenied", "the keys are wrong");
    world.settle(&v1);
    world.pass(15);
    world.deploy(&v1);
    assert_eq!(world.condition(kind::DEGRADED).0, "False");
}

#[test]
fn a_job_that_died_without_a_report_proves_nothing() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.settle(&v1);
    world.job_dies_without_a_word();
    world.settle(&v1);
    assert_eq!(world.condition(kind::ARTIFACT_READY), ("False".into(), "SyncPodFailed".into()));
}

#[test]
fn a_complete_job_whose_pod_is_gone_is_run_again() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.settle(&v1);
    world.job_succeeds("m");
    world.seen.pods.clear();
    world.settle(&v1);
    assert!(world.seen.revisions.is_empty());
    assert!(world.seen.jobs[0].metadata.name.as_ref().unwrap().ends_with("-2"));
}

#[test]
fn a_changed_spec_is_synced_anew_and_the_old_job_goes() {
    let mut world = World::new();
    world.settle(&model("v1", json!({})));
    let v2 = model("v2", json!({}));
    world.settle(&v2);
    assert_eq!(world.seen.jobs.len(), 1);
    assert_eq!(world.seen.jobs[0].metadata.name, Some(format!("boiling-point-sync-{}-1", v2.revision)));
}

#[test]
fn one_version_is_one_digest() {
    let mut world = World::new();
    world.deploy(&model("v1", json!({})));
    let digest = BundleDigest::of(b"manifest of v1");

    // The next Job for this version must find the recorded digest.
    let moved = model("v1", json!({"model": {"uri": "s3://models/elsewhere"}}));
    world.settle(&moved);
    let arguments =
        world.seen.jobs[0].spec.as_ref().unwrap().template.spec.as_ref().unwrap().containers[0].args.clone();
    assert!(arguments.unwrap().contains(&format!("--digest={digest}")));
    world.job_fails("IntegrityMismatch", "the manifest is another one");
    world.settle(&moved);
    assert_eq!(world.condition(kind::ARTIFACT_READY).1, "DigestChanged");

    // A demand for another one is not even tried.
    let other = BundleDigest::of(b"another manifest").to_string();
    let demanded = model("v1", json!({"model": {"digest": other}}));
    world.settle(&demanded);
    assert!(world.seen.jobs.is_empty());
    assert_eq!(world.condition(kind::ARTIFACT_READY).1, "DigestChanged");
    assert_eq!(world.condition(kind::READY).0, "True", "the traffic stays");
    assert_eq!(world.active(), Some(Colour::Blue));
}

#[test]
fn a_sync_pod_that_cannot_start_is_named_while_the_job_still_runs() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.settle(&v1);
    let job = world.seen.jobs[0].metadata.name.clone().unwrap();
    world.add_pod(json!({
        "metadata": {"name": "sync-x", "labels": {"batch.kubernetes.io/job-name": job}},
        "status": {"containerStatuses": [{"name": "sync", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"s3\" not found"}}}]}}));
    world.settle(&v1);
    assert_eq!(world.phase(), Phase::Syncing);
    assert!(world.seen.status.message.as_ref().unwrap().contains("secret \"s3\" not found"));
    assert_eq!(world.condition(kind::DEGRADED), ("True".into(), "PodFailing".into()));
}

#[test]
fn an_ephemeral_model_has_no_volume_and_its_pods_fetch_exactly_the_proven_digest() {
    let mut world = World::new();
    world.deploy(&model("v1", json!({"storage": {"mode": "Ephemeral"}})));
    assert!(world.seen.volume_claim.is_none());
    let pod = world.seen.deployments.blue.unwrap().spec.unwrap().template.spec.unwrap();
    let digest = format!("--digest={}", BundleDigest::of(b"manifest of v1"));
    assert!(pod.init_containers.unwrap()[0].args.as_ref().unwrap().contains(&digest));
}

#[test]
fn the_volume_goes_only_when_no_pod_reads_it_any_more() {
    let mut world = World::new();
    world.deploy(&model("v1", json!({})));
    let ephemeral = model("v2", json!({"storage": {"mode": "Ephemeral"}, "rollout": {"scaleDownDelaySeconds": 60}}));
    world.deploy(&ephemeral);
    assert!(world.seen.volume_claim.is_some(), "the old colour is still warm");
    world.pass(60);
    world.settle(&ephemeral);
    assert!(world.seen.volume_claim.is_none());
}
