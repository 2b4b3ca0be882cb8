//! No traffic without positive evidence: every pod, every molecule, this digest, this revision.

use chemmodel_crds::conditions::kind;
use chemmodel_crds::status::{Colour, Phase};
use serde_json::{Value, json};

use super::world::World;
use super::{model, observing, verifying};
use crate::build::PODS;

#[test]
fn the_first_revision_is_verified_too() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.verifies = false;
    world.settle(&v1);
    world.job_succeeds("m");
    world.settle(&v1);
    world.pods_become_ready();
    world.settle(&v1);
    assert_eq!(world.phase(), Phase::Verifying);
    assert!(world.seen.service.is_none());
    world.verification_fails("GoldenMismatch", "CCO: expected 352, answered 7");
    world.settle(&v1);
    assert_eq!(world.phase(), Phase::Aborted);
    assert!(world.seen.service.is_none(), "nothing ever had traffic");
    assert_eq!(world.replicas(Colour::Blue), 0);
}

#[test]
fn the_job_asks_every_pod_by_its_address_and_the_preview_service() {
    let v2 = model(
        "v2",
        json!({"rollout": {"verification": {"relTolerance": 0.01, "maxP95Milliseconds": 50,
        "goldenConfigMapRef": {"name": "mine"}}}}),
    );
    let world = verifying(&v2);
    let job = world.newest_job("verify").unwrap();
    let pod = job.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
    let arguments = pod.containers[0].args.as_ref().unwrap();
    let revision = &v2.revision;
    for expected in [
        format!("--pod=green-{revision}-0=10.0.0.0:8080"),
        format!("--pod=green-{revision}-1=10.0.0.1:8080"),
        format!("--revision={revision}"),
        "--service=http://boiling-point-preview:80".to_owned(),
        "--golden=/etc/chemmodel/golden/golden.json".to_owned(),
        "--rel-tolerance=0.01".to_owned(),
        "--max-p95-milliseconds=50".to_owned(),
    ] {
        assert!(arguments.contains(&expected), "{expected} is not among {arguments:?}");
    }
    let pods = format!("green-{revision}-0,green-{revision}-1");
    assert_eq!(job.metadata.annotations.as_ref().unwrap()[PODS], pods);
}

#[test]
fn a_wrong_answer_gives_the_candidate_up_and_leaves_the_active_one_alone() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    let blue = world.seen.deployments.blue.clone();
    world.verification_fails("GoldenMismatch", "pod x: CCO: expected 352.1 K, answered 7.0 K");
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Aborted);
    assert_eq!(world.seen.status.reason.as_deref(), Some("GoldenMismatch"));
    assert!(world.seen.status.message.as_ref().unwrap().contains("expected 352.1 K, answered 7.0 K"));
    assert_eq!(world.condition(kind::VERIFIED), ("False".into(), "GoldenMismatch".into()));
    assert_eq!(world.condition(kind::READY).0, "True");
    assert_eq!(world.active(), Some(Colour::Blue));
    assert_eq!(world.seen.deployments.blue, blue);
    assert_eq!(world.replicas(Colour::Green), 0, "the candidate's GPUs are free");
    assert!(world.seen.jobs.is_empty());
}

#[test]
fn what_proves_less_than_everything_proves_nothing() {
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 8] = [
        ("no molecules", |report| report["molecules"] = json!(0)),
        ("no answers", |report| {
            report["answers"] = json!(0);
            report["passed"] = json!(0);
        }),
        ("fewer answers than molecules and pods", |report| {
            report["answers"] = json!(65);
            report["passed"] = json!(65);
        }),
        ("one answer failed", |report| report["passed"] = json!(report["passed"].as_u64().unwrap() - 1)),
        ("one pod less", |report| report["pods"] = json!(1)),
        ("another digest", |report| report["digest"] = json!(format!("sha256:{}", "0".repeat(64)))),
        ("another revision", |report| report["revision"] = json!("0000000000")),
        ("not a report", |report| *report = json!({"outcome": "Fine"})),
    ];
    for (what, change) in changes {
        let v2 = model("v2", json!({}));
        let mut world = verifying(&v2);
        world.verification_passes(change);
        world.settle(&v2);
        assert_eq!(world.phase(), Phase::Verifying, "{what} was taken for a proof");
        assert_eq!(world.active(), Some(Colour::Blue), "{what}");
        assert_eq!(
            world.newest_job("verify").unwrap().metadata.name,
            Some(format!("boiling-point-verify-{}-2", v2.revision))
        );
        world.pass(300);
        world.settle(&v2);
        assert_eq!(world.phase(), Phase::Aborted, "{what}");
        assert_eq!(world.seen.status.reason.as_deref(), Some("VerificationTimedOut"));
    }
}

#[test]
fn a_verification_that_could_not_reach_the_pods_or_died_is_repeated_until_its_time_is_over() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.verification_fails("Unreachable", "connection refused");
    let late = world.now.checked_add(jiff::SignedDuration::from_secs(300)).unwrap();
    let overdue = crate::plan::plan(&v2, &world.seen, late).status.message.unwrap();
    assert!(overdue.contains("connection refused"), "{overdue}");
    world.settle(&v2);
    world.verification_dies_without_a_word();
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Verifying);
    world.verification_passes(|_| {});
    world.settle(&v2);
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn another_pod_needs_evidence_of_its_own() {
    let v2 = model("v2", json!({"rollout": {"autoPromote": false}}));
    let mut world = verifying(&v2);
    world.verification_passes(|_| {});
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::AwaitingPromotion);
    let larger = model("v2", json!({"replicas": 3, "rollout": {"autoPromote": false}}));
    world.settle(&larger);
    world.pods_become_ready();
    world.settle(&larger);
    assert_eq!(world.phase(), Phase::Verifying, "the third pod was never asked");
    let approved = model("v2", json!({"replicas": 3, "rollout": {"autoPromote": false, "promote": "v2"}}));
    world.settle(&approved);
    assert_eq!(world.active(), Some(Colour::Blue), "an approval is no evidence");
    world.verification_passes(|_| {});
    world.settle(&approved);
    assert_eq!(world.active(), Some(Colour::Green));
}

#[test]
fn a_pod_that_replaced_another_needs_evidence_of_its_own() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.births += 1;
    world.play();
    world.verification_passes(|_| {});
    world.settle(&v2);
    assert_eq!((world.phase(), world.active()), (Phase::Verifying, Some(Colour::Blue)), "as many pods, but others");
}

#[test]
fn a_pod_that_falls_while_it_is_verified_takes_the_evidence_with_it() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.slot_has(Colour::Green, 1);
    world.verification_passes(|_| {});
    world.settle(&v2);
    assert_eq!(world.phase(), Phase::Starting);
    assert_eq!(world.active(), Some(Colour::Blue), "a candidate that is not complete gets no traffic, verified or not");
}

#[test]
fn pods_that_the_preview_does_not_list_get_no_traffic() {
    let v2 = model("v2", json!({}));
    let mut world = verifying(&v2);
    world.verification_passes(|_| {});
    world.seen.preview_endpoints.0.clear();
    let plan = crate::plan::plan(&v2, &world.seen, world.now);
    assert_eq!(plan.status.phase, Some(Phase::Starting));
    assert!(plan.status.active.unwrap().colour == Colour::Blue);
}

#[test]
fn nothing_is_asked_when_the_spec_says_so() {
    let spec = json!({"rollout": {"verification": {"required": false}}});
    let mut world = World::new();
    world.verifies = false;
    world.deploy(&model("v1", spec.clone()));
    assert_eq!(world.condition(kind::VERIFIED), ("False".into(), "VerificationNotRequired".into()));
    assert!(world.log.iter().all(|line| !line.contains("verify")));
}

#[test]
fn what_was_found_stays_in_the_status_and_its_job_goes() {
    let v2 = model("v2", json!({}));
    let mut world = observing(&v2);
    world.settle(&v2);
    assert!(world.seen.jobs.is_empty());
    let found = world.seen.status.active.clone().unwrap().verification.unwrap();
    assert_eq!((found.passed, found.total, found.pods, found.provider.as_deref()), (260, 260, 2, Some("CPU")));
    assert_eq!(world.condition(kind::VERIFIED).0, "True");
}
