//! What `status.history` tells.

use chemmodel_crds::status::{Colour, Outcome};
use serde_json::json;

use super::world::World;
use super::{model, observing, verifying};

fn told(world: &World) -> Vec<(String, Outcome, String)> {
    let entries = world.seen.status.history.iter();
    entries.map(|entry| (entry.version.clone(), entry.outcome, entry.reason.clone())).collect()
}

#[test]
fn a_good_rollout_is_told_once_with_what_its_verification_found() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    world.stand_the_trial(&v2);
    world.pass(600);
    world.settle(&v2);
    let expected = [("v2", Outcome::Promoted, "Promoted"), ("v1", Outcome::Promoted, "Promoted")];
    assert_eq!(told(&world), expected.map(|(version, outcome, reason)| (version.into(), outcome, reason.into())));
    let entry = &world.seen.status.history[0];
    assert_eq!(entry.verification.as_ref().unwrap().passed, 260);
    assert!(entry.started_at.0 < entry.finished_at.0);
}

#[test]
fn a_bad_one_is_told_with_its_reason() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.verification_fails("GoldenMismatch", "CCO is wrong");
    world.settle(&v2);
    assert_eq!(told(&world)[0], ("v2".into(), Outcome::Aborted, "GoldenMismatch".into()));
    assert!(world.seen.status.history[0].message.contains("CCO is wrong"));
    assert!(world.seen.status.history[0].digest.is_some());
    let worst = &world.seen.status.history[0].verification.as_ref().unwrap().worst;
    assert_eq!(worst, &["CCO: expected 352, answered 7"]);
}

#[test]
fn the_ways_back_are_told_apart() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    world.slot_has(Colour::Green, 0);
    world.settle(&v2);
    assert_eq!(told(&world)[0], ("v2".into(), Outcome::RolledBack, "Collapsed".into()));

    let mut world = observing(&v2);
    world.settle(&model("v1", json!({})));
    assert_eq!(told(&world)[0], ("v2".into(), Outcome::RolledBack, "SpecChanged".into()));
    assert_eq!(told(&world).len(), 2);
}

#[test]
fn a_candidate_that_another_spec_replaced_is_told_as_superseded() {
    let mut world = verifying(&model("v2", json!({})));
    world.settle(&model("v3", json!({})));
    assert_eq!(told(&world)[0], ("v2".into(), Outcome::Superseded, "SpecChanged".into()));
}

#[test]
fn no_more_is_kept_than_the_limit() {
    let mut world = World::new();
    for number in 1..=5 {
        world.deploy(&model(&format!("v{number}"), json!({"rollout": {"historyLimit": 3}})));
    }
    let versions: Vec<_> = world.seen.status.history.iter().map(|entry| entry.version.clone()).collect();
    assert_eq!(versions, ["v5", "v4", "v3"]);
}
