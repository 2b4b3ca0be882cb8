//! From one revision to the next.

use chemmodel_crds::conditions::kind;
use chemmodel_crds::status::{Colour, Phase};
use serde_json::json;

use super::world::{World, server_pod};
use super::{model, observing};
use crate::plan::{Action, Child};

/// v1 is Stable in blue; the bundle of v2 is synced and its pods are starting in green.
fn half_way() -> World {
    let mut world = World::new();
    world.deploy(&model("v1", json!({})));
    world.settle(&model("v2", json!({})));
    world.job_succeeds("manifest of v2");
    world.settle(&model("v2", json!({})));
    assert_eq!(world.phase(), Phase::Starting);
    world
}

#[test]
fn the_first_revision_gets_traffic_only_when_all_its_pods_are_available() {
    let mut world = World::new();
    let v1 = model("v1", json!({"replicas": 2}));
    world.settle(&v1);
    world.job_succeeds("m");
    world.settle(&v1);
    world.slot_has(Colour::Blue, 1);
    world.settle(&v1);
    assert!(world.seen.service.is_none());
    assert_eq!(world.condition(kind::READY), ("False".into(), "NotYetServing".into()));
    world.slot_has(Colour::Blue, 2);
    world.settle(&v1);
    assert_eq!(world.active(), Some(Colour::Blue));
}

#[test]
fn a_candidate_starts_in_the_other_colour_and_the_active_one_is_not_touched() {
    let world = half_way();
    assert_eq!(world.active(), Some(Colour::Blue));
    assert_eq!((world.replicas(Colour::Blue), world.replicas(Colour::Green)), (2, 2));
    assert_eq!(world.seen.status.active.as_ref().unwrap().version, "v1");
    assert_eq!(world.seen.status.candidate.as_ref().unwrap().version, "v2");
}

#[test]
fn the_switch_is_one_write_and_the_old_colour_stays_warm_for_the_delay() {
    let mut world = half_way();
    let v2 = model("v2", json!({}));
    world.pods_become_ready();
    world.reconcile(&v2); // the verify Job
    let plan = world.reconcile(&v2);
    assert_eq!(plan.actions.len(), 1, "switch and scale-down are never in one plan: {:?}", world.log);
    assert!(matches!(&plan.actions[0], Action::Apply(child, _) if matches!(**child, Child::Service(_))));
    assert_eq!(world.active(), Some(Colour::Green));

    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Blue), 2);
    assert_eq!(world.seen.status.previous.as_ref().unwrap().version, "v1");
    world.pass(29);
    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Blue), 2);
    world.pass(1);
    world.reconcile(&v2);
    let plan = world.reconcile(&v2);
    assert_eq!(world.replicas(Colour::Blue), 0);
    assert!(world.seen.status.previous.is_none());
    assert!(plan.notices.iter().any(|notice| notice.reason == "ScaledDown"), "{:?}", plan.notices);
}

#[test]
fn an_operator_that_died_after_the_switch_still_gives_the_old_colour_its_delay() {
    let mut world = half_way();
    let v2 = model("v2", json!({}));
    world.pods_become_ready();
    world.reconcile(&v2); // the verify Job
    let status_before = world.seen.status.clone();
    world.reconcile(&v2);
    assert_eq!(world.active(), Some(Colour::Green));
    world.seen.status = status_before; // the switch was written, the status was not
    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Blue), 2);
    world.pass(30);
    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Blue), 0);
}

#[test]
fn the_old_colour_is_never_given_up_while_nothing_else_answers() {
    let v2 = model("v2", json!({"rollout": {"observeSeconds": 10, "scaleDownDelaySeconds": 60}}));
    let mut world = observing(&v2);
    world.stand_the_trial(&v2);
    world.slot_has(Colour::Green, 0);
    world.pass(3600);
    world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Green), "its trial is over");
    assert_eq!(world.replicas(Colour::Blue), 2, "the old pods may still be needed");
    world.pods_become_ready();
    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Blue), 0);
}

#[test]
fn going_back_inside_the_delay_is_one_write() {
    let mut world = half_way();
    world.pods_become_ready();
    world.settle(&model("v2", json!({})));
    world.pass(5);
    let writes = world.log.len();
    let plan = world.reconcile(&model("v1", json!({})));
    assert_eq!(plan.actions.len(), 1);
    assert!(plan.notices.iter().all(|notice| notice.reason != "ScaledDown"), "{:?}", plan.notices);
    assert_eq!(world.log.len(), writes + 1);
    assert_eq!(world.active(), Some(Colour::Blue));
}

#[test]
fn a_new_spec_in_mid_rollout_takes_the_candidates_slot_and_leaves_the_active_one_alone() {
    let mut world = half_way();
    let v3 = model("v3", json!({}));
    world.settle(&v3);
    world.job_succeeds("manifest of v3");
    world.settle(&v3);
    assert_eq!(world.active(), Some(Colour::Blue));
    assert_eq!(world.seen.slot(Colour::Green).unwrap().revision, v3.revision);
    world.pods_become_ready();
    world.settle(&v3);
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn taking_the_change_back_gives_up_the_candidate_at_once() {
    let mut world = half_way();
    world.settle(&model("v1", json!({})));
    assert_eq!(world.replicas(Colour::Green), 0);
    assert_eq!(world.phase(), Phase::Stable);
}

#[test]
fn the_candidate_has_as_many_pods_as_the_autoscaler_gave_the_active_colour() {
    let scaling = json!({"autoscaling": {"minReplicas": 1, "maxReplicas": 5}});
    let mut world = World::new();
    world.deploy(&model("v1", scaling.clone()));
    world.seen.deployments.blue.as_mut().unwrap().spec.as_mut().unwrap().replicas = Some(4);
    world.pods_become_ready();
    let v2 = model("v2", scaling);
    world.settle(&v2);
    world.job_succeeds("manifest of v2");
    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Green), 4);
    world.pods_become_ready();
    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Green), 4, "the switch does not reset the number");
    let target = world.seen.autoscaler.unwrap().spec.unwrap().scale_target_ref.name;
    assert_eq!(target, "boiling-point-green", "the autoscaler follows the active colour");
}

#[test]
fn a_candidate_that_does_not_get_ready_in_time_is_given_up_and_the_traffic_stays() {
    let mut world = half_way();
    let v2 = model("v2", json!({}));
    world.add_pod(server_pod(
        v2.revision,
        &json!({"containerStatuses": [{"name": "server", "image": "server:cuda", "imageID": "", "ready": false, "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "model.onnx: wrong outputs"}}}]}),
    ));
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Starting);
    assert!(world.seen.status.message.as_ref().unwrap().contains("wrong outputs"));
    world.pass(600);
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Aborted);
    assert!(world.seen.status.message.as_ref().unwrap().contains("wrong outputs"));
    assert_eq!(world.replicas(Colour::Green), 0, "its GPUs are free");
    assert_eq!(world.active(), Some(Colour::Blue));
    assert_eq!(world.condition(kind::READY).0, "True");
    assert_eq!(world.condition(kind::DEGRADED).0, "True");
}

#[test]
fn the_schedulers_sentence_about_gpus_is_shown() {
    let mut world = half_way();
    let v2 = model("v2", json!({}));
    world.add_pod(server_pod(
        v2.revision,
        &json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."}]}),
    ));
    world.settle(&v2);
    assert_eq!(world.condition(kind::SCHEDULED), ("False".into(), "InsufficientGPU".into()));
    assert!(world.seen.status.message.as_ref().unwrap().contains("1 Insufficient nvidia.com/gpu"));
}

#[test]
fn a_change_of_the_number_of_pods_starts_no_rollout_and_resets_none() {
    let mut world = half_way();
    let since = world.seen.status.candidate.as_ref().unwrap().started_at.clone();
    world.pass(60);
    world.settle(&model("v2", json!({"replicas": 3})));
    assert_eq!(world.seen.status.candidate.as_ref().unwrap().started_at, since);
    assert_eq!((world.replicas(Colour::Blue), world.replicas(Colour::Green)), (3, 3));
}

#[test]
fn an_existing_revision_keeps_its_pods_when_a_newer_operator_renders_others() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.deploy(&v1);
    let before = world.seen.deployments.blue.clone();
    let mut newer = v1.clone();
    newer.server_image = "server:next".into();
    world.settle(&newer);
    assert_eq!(world.seen.deployments.blue, before);
}
