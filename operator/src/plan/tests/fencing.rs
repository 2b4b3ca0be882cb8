//! An operator that slept while another one took the lead changes nothing.

use serde_json::json;

use super::world::World;
use super::{model, verifying};
use crate::plan::{Action, Child, Guard, plan};

#[test]
fn a_new_leader_writes_every_service_once_so_that_older_writes_are_refused() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.deploy(&v1);
    world.seen.term = 7;
    let plan = world.reconcile(&v1);
    assert_eq!(plan.actions.len(), 1);
    assert!(
        matches!(&plan.actions[0], Action::Apply(child, Guard::Unchanged { .. }) if matches!(**child, Child::Service(_)))
    );
    assert!(world.reconcile(&v1).actions.is_empty());
}

#[test]
fn a_leader_of_the_past_plans_nothing() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.seen.term = 7;
    world.settle(&v2);
    world.seen.term = 6;
    world.verification_passes(|_| {});
    let plan = plan(&v2, &world.seen, world.now);
    assert!(plan.actions.is_empty());
    assert_eq!(plan.status, world.seen.status);
}
