//! What a user says in `spec.rollout`: approve, wait, abort, try again, stop.

use chemmodel_crds::conditions::kind;
use chemmodel_crds::status::{Colour, Phase};
use serde_json::json;

use super::world::World;
use super::{model, observing, verifying};

#[test]
fn without_auto_promotion_a_verified_revision_waits_and_says_what_for() {
    let by_hand = json!({"rollout": {"autoPromote": false}});
    let v2 = model("v2", by_hand);
    let mut world = verifying(&v2);
    world.verification_passes(|_| {});
    let plan = world.settle(&v2);
    assert_eq!(world.phase(), Phase::AwaitingPromotion);
    assert_eq!(world.active(), Some(Colour::Blue));
    let message = world.seen.status.message.clone().unwrap();
    assert!(message.contains("set spec.rollout.promote to v2"), "{message}");
    assert!(plan.actions.is_empty());

    for other in ["v1", "v3"] {
        let wrong = model("v2", json!({"rollout": {"autoPromote": false, "promote": other}}));
        world.settle(&wrong);
        assert_eq!(world.active(), Some(Colour::Blue), "the approval of {other} is none of v2");
    }
    let approved = model("v2", json!({"rollout": {"autoPromote": false, "promote": "v2"}}));
    world.settle(&approved);
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn an_approval_that_does_not_come_frees_the_pods() {
    let v2 = model("v2", json!({"rollout": {"autoPromote": false, "promotionDeadlineSeconds": 60}}));
    let mut world = verifying(&v2);
    world.verification_passes(|_| {});
    world.settle(&v2);
    world.pass(59);
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::AwaitingPromotion);
    world.pass(1);
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Aborted);
    assert_eq!(world.seen.status.reason.as_deref(), Some("PromotionDeadlineExceeded"));
    assert_eq!(world.replicas(Colour::Green), 0);
}

#[test]
fn auto_promotion_may_wait_and_an_approval_ends_the_wait() {
    let later = json!({"rollout": {"autoPromoteAfterSeconds": 120}});
    let v2 = model("v2", later.clone());
    let mut world = verifying(&v2);
    world.verification_passes(|_| {});
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::AwaitingPromotion);
    world.pass(119);
    let plan = world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Blue));
    assert!(plan.recheck.as_secs() <= 2, "it looks again when the time has come");
    world.pass(1);
    world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Green));

    let mut world = verifying(&v2);
    world.verification_passes(|_| {});
    world.settle(&v2);
    world.settle(&model("v2", json!({"rollout": {"autoPromoteAfterSeconds": 120, "promote": "v2"}})));
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn an_abort_gives_a_candidate_up_at_any_step_whatever_its_health() {
    let abort = model("v2", json!({"rollout": {"abort": "v2"}}));
    for ready in [0, 1, 2] {
        let mut world = verifying(&model("v2", json!({})));
        world.slot_has(Colour::Green, ready);
        world.settle(&abort);
        assert_eq!(world.phase(), Phase::Aborted);
        assert_eq!(world.seen.status.reason.as_deref(), Some("AbortRequested"));
        assert_eq!((world.replicas(Colour::Blue), world.replicas(Colour::Green)), (2, 0));
        assert_eq!(world.active(), Some(Colour::Blue));
    }
}

#[test]
fn an_abort_stops_a_fetch_that_is_under_way() {
    let mut world = World::new();
    world.deploy(&model("v1", json!({})));
    world.settle(&model("v2", json!({})));
    assert_eq!(world.phase(), Phase::Syncing);
    world.settle(&model("v2", json!({"rollout": {"abort": "v2"}})));
    assert_eq!(world.phase(), Phase::Aborted);
    assert!(world.seen.jobs.is_empty());
}

#[test]
fn an_abort_of_another_version_does_nothing() {
    let v2 = model("v2", json!({"rollout": {"abort": "v1"}}));
    let mut world = verifying(&v2);
    world.verification_passes(|_| {});
    world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Green), "v1 was stable, and v2 is the candidate");
}

#[test]
fn an_abort_after_the_switch_sends_the_traffic_back() {
    let mut world = observing(&model("v2", json!({})));
    let abort = model("v2", json!({"rollout": {"abort": "v2"}}));
    world.settle(&abort);
    assert_eq!(world.active(), Some(Colour::Blue));
    assert_eq!(world.phase(), Phase::RolledBack);
    assert_eq!(world.replicas(Colour::Green), 0);
}

#[test]
fn the_same_spec_after_an_abort_does_nothing_and_another_token_tries_again() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.verification_fails("GoldenMismatch", "wrong");
    world.settle(&v2);
    let writes = world.log.len();
    world.pass(86_400);
    world.settle(&v2);
    world.settle(&model("v2", json!({"replicas": 2, "rollout": {"scaleDownDelaySeconds": 31}})));
    assert_eq!(world.log.len(), writes, "nothing was tried");
    assert_eq!(world.phase(), Phase::Aborted);

    let again = model("v2", json!({"rollout": {"retryToken": "2"}}));
    world.settle(&again);
    world.pods_become_ready();
    world.settle(&again);
    assert_eq!(world.phase(), Phase::Verifying);
    assert!(world.seen.status.failed.is_none());
    world.verification_passes(|_| {});
    world.settle(&again);
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn another_spec_clears_the_failure_of_the_one_before() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.verification_fails("GoldenMismatch", "wrong");
    world.settle(&v2);
    world.settle(&model("v1", json!({})));
    assert_eq!(world.phase(), Phase::Stable);
    assert_eq!(world.condition(kind::DEGRADED).0, "False");
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Starting, "it was asked for anew");
}

#[test]
fn a_suspension_stops_the_clocks_and_keeps_traffic_and_pods() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.slot_has(Colour::Green, 1);
    world.settle(&v2);
    let writes = world.log.len();
    let suspended = model("v2", json!({"suspend": true}));
    world.settle(&suspended);
    assert_eq!(world.phase(), Phase::Suspended);
    world.pass(86_400);
    world.settle(&suspended);
    assert_eq!(world.log.len(), writes);
    assert_eq!(world.condition(kind::READY).0, "True");
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Starting, "the time in suspension does not count");
}
