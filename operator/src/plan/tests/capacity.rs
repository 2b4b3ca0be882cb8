//! When there is no room for two revisions at once.

use chemmodel_crds::conditions::kind;
use chemmodel_crds::status::{Colour, Phase};
use serde_json::{Value, json};

use super::model;
use super::world::World;
use crate::model::ValidatedModel;

const SENTENCE: &str = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.";

/// A cluster with so many GPUs: pods beyond them are not scheduled, and those that are get ready.
fn schedule(world: &mut World, gpus: i32) {
    world.gpus = Some(gpus);
    world.play();
}

/// v1 is Stable, and the pods of v2 are asked for.
fn asked_for(spec: Value) -> (World, ValidatedModel) {
    let mut world = World::new();
    world.deploy(&model("v1", spec.clone()));
    let v2 = model("v2", spec);
    world.settle(&v2);
    world.job_succeeds("manifest of v2");
    world.settle(&v2);
    (world, v2)
}

/// v1 is Stable with three pods on three GPUs, and v2 is asked for.
fn full(capacity: &str) -> (World, ValidatedModel) {
    let spec = json!({"replicas": 3, "rollout": {"capacity": capacity}});
    let (mut world, v2) = asked_for(spec);
    schedule(&mut world, 3);
    world.settle(&v2);
    (world, v2)
}

/// Lets half a minute pass, reconciled every second.
fn half_a_minute(world: &mut World, model: &ValidatedModel, gpus: i32) {
    for _ in 0..30 {
        world.pass(1);
        schedule(world, gpus);
        world.settle(model);
    }
}

#[test]
fn surge_waits_says_so_and_gives_up_at_the_deadline() {
    let (mut world, v2) = full("Surge");
    assert_eq!(world.condition(kind::SCHEDULED), ("False".into(), "InsufficientGPU".into()));
    assert!(world.seen.status.message.as_ref().unwrap().contains(SENTENCE));
    world.pass(599);
    world.settle(&v2);
    assert_eq!((world.replicas(Colour::Blue), world.replicas(Colour::Green)), (3, 3));
    world.pass(1);
    world.settle(&v2);
    assert_eq!((world.phase(), world.seen.status.reason.as_deref()), (Phase::Aborted, Some("InsufficientGPU")));
    assert_eq!((world.replicas(Colour::Blue), world.replicas(Colour::Green)), (3, 0));
}

#[test]
fn shrink_gives_up_one_pod_at_a_time_never_the_last_and_makes_do_with_what_there_is() {
    let (mut world, v2) = full("Shrink");
    let mut sizes = vec![world.replicas(Colour::Blue)];
    for _ in 0..120 {
        world.pass(1);
        schedule(&mut world, 3);
        let active = world.active();
        world.settle(&v2);
        if active == Some(Colour::Blue) && world.active() == active {
            sizes.push(world.replicas(Colour::Blue));
        }
        if world.phase() == Phase::Observing {
            break;
        }
    }
    sizes.dedup();
    assert_eq!(sizes, [3, 2, 1]);
    assert_eq!(world.active(), Some(Colour::Green), "{:?}", world.seen.status.message);
    assert_eq!(world.seen.slot(Colour::Green).unwrap().available, 2, "two of three GPUs serve the new version");
    half_a_minute(&mut world, &v2, 3);
    half_a_minute(&mut world, &v2, 3);
    assert_eq!((world.replicas(Colour::Blue), world.seen.slot(Colour::Green).unwrap().available), (0, 3));
    assert_eq!(world.phase(), Phase::Stable);
}

#[test]
fn shrink_gives_everything_back_when_the_candidate_fails() {
    let (mut world, v2) = full("Shrink");
    world.verifies = false;
    for _ in 0..120 {
        world.pass(1);
        schedule(&mut world, 3);
        world.settle(&v2);
        if world.phase() == Phase::Verifying {
            break;
        }
    }
    assert_eq!(world.replicas(Colour::Blue), 1);
    world.verification_fails("GoldenMismatch", "wrong");
    world.settle(&v2);
    assert_eq!((world.phase(), world.replicas(Colour::Blue), world.replicas(Colour::Green)), (Phase::Aborted, 3, 0));
}

#[test]
fn with_one_pod_shrink_has_nothing_to_give() {
    let spec = json!({"replicas": 1, "rollout": {"capacity": "Shrink"}});
    let (mut world, v2) = asked_for(spec);
    half_a_minute(&mut world, &v2, 1);
    assert_eq!(world.replicas(Colour::Blue), 1);
    world.pass(600);
    world.settle(&v2);
    assert_eq!((world.phase(), world.replicas(Colour::Blue)), (Phase::Aborted, 1));
}

#[test]
fn auto_surges_until_the_deadline_and_then_shrinks() {
    let (mut world, v2) = full("Auto");
    world.pass(500);
    world.settle(&v2);
    assert_eq!(world.replicas(Colour::Blue), 3);
    world.pass(100);
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Starting);
    half_a_minute(&mut world, &v2, 3);
    assert!(world.replicas(Colour::Blue) < 3, "{:?}", world.seen.status);
    half_a_minute(&mut world, &v2, 3);
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn recreate_stops_the_old_revision_first_and_brings_it_back_when_the_new_one_fails() {
    let (mut world, _) = full("Recreate");
    assert_eq!((world.replicas(Colour::Blue), world.replicas(Colour::Green)), (0, 3));
    assert_eq!(world.active(), Some(Colour::Green), "{:?}", world.seen.status.message);
    assert_eq!(world.log.iter().filter(|line| line.contains("scale Deployment boiling-point-blue")).count(), 2);

    let v3 = model("v3", json!({"replicas": 3, "rollout": {"capacity": "Recreate"}}));
    world.verifies = false;
    world.settle(&v3);
    world.job_succeeds("manifest of v3");
    world.settle(&v3);
    assert_eq!((world.replicas(Colour::Green), world.replicas(Colour::Blue)), (0, 3));
    world.verification_fails("GoldenMismatch", "wrong");
    world.settle(&v3);
    assert_eq!((world.replicas(Colour::Green), world.replicas(Colour::Blue)), (3, 0));
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn while_pods_are_given_up_the_autoscaler_does_not_ask_for_them_again() {
    let spec = json!({"autoscaling": {"minReplicas": 2, "maxReplicas": 5}, "rollout": {"capacity": "Shrink"}});
    let (mut world, v2) = asked_for(spec);
    for _ in 0..40 {
        world.pass(1);
        schedule(&mut world, 2);
        world.settle(&v2);
        if world.replicas(Colour::Blue) == 1 {
            break;
        }
    }
    assert_eq!(world.replicas(Colour::Blue), 1);
    let scaler = world.seen.autoscaler.clone().unwrap().spec.unwrap();
    assert_eq!((scaler.min_replicas, scaler.max_replicas), (Some(1), 1));
    half_a_minute(&mut world, &v2, 2);
    assert_eq!(world.active(), Some(Colour::Green));
    let scaler = world.seen.autoscaler.clone().unwrap().spec.unwrap();
    assert_eq!((scaler.min_replicas, scaler.max_replicas), (Some(2), 5));
}
