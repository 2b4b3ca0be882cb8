//! After the switch: the new revision is watched, the old one is the way back.

use chemmodel_crds::status::{Colour, Phase};
use serde_json::json;

use super::world::World;
use super::{model, observing};

#[test]
fn a_revision_is_stable_only_after_it_was_watched() {
    let v2 = model("v2", json!({"rollout": {"observeSeconds": 60}}));
    let mut world = observing(&v2);
    let stable = |world: &World| world.seen.status.stable.clone().unwrap().version;
    assert_eq!(world.seen.status.active.clone().unwrap().version, "v2");
    assert_eq!(stable(&world), "v1");
    world.pass(59);
    world.settle(&v2);
    assert_eq!((world.phase(), stable(&world)), (Phase::Observing, "v1".into()));
    assert_eq!(world.replicas(Colour::Blue), 2, "the way back is warm as long as the watch lasts");
    world.pass(1);
    world.settle(&v2);
    assert_eq!((world.phase(), stable(&world)), (Phase::Stable, "v2".into()));
}

#[test]
fn a_collapse_while_it_is_watched_sends_the_traffic_back_by_itself() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    world.pass(5);
    world.slot_has(Colour::Green, 0);
    let verdict = world.reconcile(&v2);
    assert!(verdict.actions.is_empty(), "the verdict is written down first");
    assert!(verdict.recheck.is_zero());
    let plan = world.reconcile(&v2);
    assert_eq!(plan.actions.len(), 1, "and the way back is one write");
    assert_eq!(world.active(), Some(Colour::Blue));
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::RolledBack);
    assert_eq!(world.seen.status.reason.as_deref(), Some("Collapsed"));
    assert_eq!(world.replicas(Colour::Green), 0);
    world.pass(86_400);
    world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Blue), "and it is not tried again");
}

#[test]
fn one_lost_pod_of_several_is_no_collapse() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    world.slot_has(Colour::Green, 1);
    world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn a_collapse_of_both_is_no_reason_to_give_the_new_one_up() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    world.slot_has(Colour::Blue, 0);
    world.slot_has(Colour::Green, 0);
    world.settle(&v2);
    assert_eq!(
        (world.active(), world.phase()),
        (Some(Colour::Green), Phase::Observing),
        "the old one would do no better"
    );
    world.slot_has(Colour::Blue, 1);
    world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Blue), "until it does");
}

#[test]
fn the_traffic_never_goes_back_to_pods_that_are_not_there() {
    let mut world = observing(&model("v2", json!({})));
    let abort = model("v2", json!({"rollout": {"abort": "v2"}}));
    world.slot_has(Colour::Blue, 0);
    world.settle(&abort);
    assert_eq!(world.active(), Some(Colour::Green));
    assert_eq!((world.phase(), world.seen.status.reason.as_deref()), (Phase::Blocked, Some("NoWayBack")));
    world.slot_has(Colour::Blue, 1);
    world.settle(&abort);
    assert_eq!(world.active(), Some(Colour::Blue), "as soon as one is");
}

#[test]
fn after_the_watch_a_collapse_changes_nothing() {
    let v2 = model("v2", json!({"rollout": {"observeSeconds": 10, "scaleDownDelaySeconds": 60}}));
    let mut world = observing(&v2);
    world.pass(10);
    world.settle(&v2);
    world.slot_has(Colour::Green, 0);
    world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn a_third_revision_waits_until_the_watch_is_over() {
    let mut world = observing(&model("v2", json!({})));
    let v3 = model("v3", json!({}));
    world.settle(&v3);
    world.job_succeeds("manifest of v3");
    world.settle(&v3);
    assert_eq!(world.phase(), Phase::Observing);
    assert_eq!(world.replicas(Colour::Blue), 2, "the way back is not taken for a candidate");
    assert!(world.seen.status.message.as_ref().unwrap().contains("then version v3 starts"));
    world.pass(30);
    world.settle(&v3);
    assert_eq!(world.phase(), Phase::Starting);
    assert_eq!(world.seen.slot(Colour::Blue).unwrap().revision, v3.revision);
}

#[test]
fn a_third_revision_does_not_save_the_second_from_its_verdict() {
    let mut world = observing(&model("v2", json!({})));
    let v3 = model("v3", json!({}));
    world.settle(&v3);
    world.slot_has(Colour::Green, 0);
    world.settle(&v3);
    assert_eq!(world.active(), Some(Colour::Blue));
    world.job_succeeds("manifest of v3");
    world.settle(&v3);
    assert_eq!(world.seen.slot(Colour::Green).unwrap().revision, v3.revision, "and v3 gets its turn");
}

#[test]
fn going_back_by_the_spec_needs_neither_verification_nor_approval_while_the_old_pods_are_warm() {
    let by_hand = json!({"rollout": {"autoPromote": false, "promote": "v2"}});
    let mut world = observing(&model("v2", by_hand.clone()));
    world.verifies = false;
    let v1 = model("v1", by_hand);
    let plan = world.reconcile(&v1);
    assert_eq!(plan.actions.len(), 1);
    assert_eq!(world.active(), Some(Colour::Blue));
    world.settle(&v1);
    assert_eq!(world.phase(), Phase::Stable);
}

#[test]
fn going_back_to_pods_that_were_just_told_to_go_is_a_whole_rollout() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    world.pass(31);
    world.lags = true;
    world.reconcile(&v2);
    assert_eq!(world.replicas(Colour::Blue), 0);
    assert_eq!(world.seen.slot(Colour::Blue).unwrap().ready, 2, "the Deployment has not followed yet");
    world.verifies = false;
    let v1 = model("v1", json!({}));
    world.settle(&v1);
    assert_eq!(world.active(), Some(Colour::Green), "the traffic was given to pods that go");
    world.follow();
    world.pods_become_ready();
    world.settle(&v1);
    assert_eq!(world.phase(), Phase::Verifying);
    world.verification_passes(|_| {});
    world.settle(&v1);
    assert_eq!(world.active(), Some(Colour::Blue));
}

#[test]
fn pods_that_the_spec_takes_away_are_no_collapse() {
    let mut world = observing(&model("v2", json!({"replicas": 4})));
    let smaller = model("v2", json!({"replicas": 1}));
    world.settle(&smaller);
    assert_eq!(world.replicas(Colour::Green), 1);
    assert_eq!(world.phase(), Phase::Observing);
    world.slot_has(Colour::Green, 0);
    world.settle(&smaller);
    assert_eq!(world.active(), Some(Colour::Blue), "but the loss of the last one is");
}

#[test]
fn going_back_later_is_a_whole_rollout_that_fetches_nothing() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    world.pass(31);
    world.settle(&v2);
    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Blue), 0);
    let v1 = model("v1", json!({}));
    world.verifies = false;
    let jobs = world.log.iter().filter(|line| line.contains("-sync-")).count();
    world.settle(&v1);
    assert_eq!(world.phase(), Phase::Starting);
    world.pods_become_ready();
    world.settle(&v1);
    assert_eq!(world.phase(), Phase::Verifying);
    assert_eq!(world.log.iter().filter(|line| line.contains("-sync-")).count(), jobs);
}

#[test]
fn until_the_endpoints_follow_the_switch_the_old_pods_stay_however_long_it_takes() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    // The endpoints controller is behind: it still lists the old pods.
    let green = world.seen.endpoints.clone();
    world.seen.endpoints.0.clear();
    world.pass(3600);
    let plan = crate::plan::plan(&v2, &world.seen, world.now);
    assert!(plan.actions.is_empty(), "{:?}", plan.actions);
    assert_eq!(plan.status.stable.unwrap().version, "v1");
    assert_eq!(plan.status.phase, Some(Phase::Blocked));
    world.seen.endpoints = green;
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Stable);
}
