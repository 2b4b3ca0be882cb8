//! A settled ChemModel: what it owns, and that nothing is written any more.

use chemmodel_crds::status::{Colour, Phase};
use serde_json::json;

use super::model;
use super::world::World;
use crate::plan::{Hindrance, Observed, hindered};

#[test]
fn the_first_deployment_creates_every_child_once_and_then_writes_nothing() {
    let mut world = World::new();
    let v1 = model("v1", json!({"autoscaling": {"maxReplicas": 3}}));
    world.deploy(&v1);

    let mut log = world.log.clone();
    log.retain(|line| line.starts_with("apply"));
    let revision = &v1.revision;
    assert_eq!(
        log,
        [
            "apply ServiceAccount boiling-point".to_owned(),
            "apply PersistentVolumeClaim boiling-point".to_owned(),
            format!("apply Job boiling-point-sync-{revision}-1"),
            format!("apply ControllerRevision boiling-point-{revision}"),
            "apply Deployment boiling-point-blue".to_owned(),
            "apply Service boiling-point-preview".to_owned(),
            format!("apply Job boiling-point-verify-{revision}-1"),
            "apply Service boiling-point".to_owned(),
            "apply HorizontalPodAutoscaler boiling-point".to_owned(),
            "apply PodDisruptionBudget boiling-point".to_owned(),
        ]
    );

    for _ in 0..3 {
        world.pass(300);
        let status = world.seen.status.clone();
        assert!(world.reconcile(&v1).actions.is_empty());
        assert_eq!(world.seen.status, status, "the status of a settled ChemModel does not change");
    }
}

#[test]
fn a_child_that_somebody_changed_is_put_right() {
    let mut world = World::new();
    let v1 = model("v1", json!({"replicas": 2}));
    world.deploy(&v1);

    let service = world.seen.service.as_mut().unwrap();
    service.spec.as_mut().unwrap().ports.as_mut().unwrap()[0].port = 8080;
    world.settle(&v1);
    assert_eq!(world.seen.service.unwrap().spec.unwrap().ports.unwrap()[0].port, 80);
}

#[test]
fn a_child_that_somebody_deleted_comes_back() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.deploy(&v1);
    world.seen.disruption_budget = None;
    world.seen.service_account = None;
    world.settle(&v1);
    assert!(world.seen.disruption_budget.is_some() && world.seen.service_account.is_some());
}

#[test]
fn what_an_annotation_writer_or_the_api_server_adds_is_left_alone() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    world.deploy(&v1);
    let service = world.seen.service.as_mut().unwrap();
    service.metadata.annotations.get_or_insert_default().insert("mesh".into(), "on".into());
    service.spec.as_mut().unwrap().cluster_ip = Some("10.96.0.7".into());
    assert!(world.reconcile(&v1).actions.is_empty());
}

#[test]
fn taking_autoscaling_out_of_the_spec_deletes_the_autoscaler_and_fixes_the_number() {
    let mut world = World::new();
    world.deploy(&model("v1", json!({"autoscaling": {"minReplicas": 1, "maxReplicas": 5}})));
    world.deploy(&model("v1", json!({"replicas": 3})));
    assert!(world.seen.autoscaler.is_none());
    assert_eq!(world.replicas(Colour::Blue), 3);
}

#[test]
fn a_network_policy_comes_and_goes_with_the_spec_and_starts_no_rollout() {
    let mut world = World::new();
    world.deploy(&model("v1", json!({})));
    assert!(world.seen.network_policy.is_none());
    let closed = model("v1", json!({"security": {"networkPolicy": {"enabled": true}}}));
    let plan = world.settle(&closed);
    assert_eq!(plan.status.phase, Some(Phase::Stable));
    assert!(world.seen.network_policy.is_some());
    world.settle(&model("v1", json!({})));
    assert!(world.seen.network_policy.is_none());
}

#[test]
fn an_autoscaler_owns_the_number_of_pods() {
    let mut world = World::new();
    let v1 = model("v1", json!({"autoscaling": {"minReplicas": 1, "maxReplicas": 5}}));
    world.deploy(&v1);
    world.seen.deployments.blue.as_mut().unwrap().spec.as_mut().unwrap().replicas = Some(4);
    world.pods_become_ready();
    assert!(world.reconcile(&v1).actions.is_empty());
    assert_eq!(world.replicas(Colour::Blue), 4);
}

#[test]
fn replicas_and_service_settings_make_no_revision() {
    let before = model("v1", json!({"replicas": 2}));
    for change in [
        json!({"replicas": 5}),
        json!({"autoscaling": {"maxReplicas": 9}}),
        json!({"rollout": {"scaleDownDelaySeconds": 1}}),
        json!({"service": {"port": 8080}}),
        json!({"suspend": true}),
    ] {
        assert_eq!(model("v1", change.clone()).revision, before.revision, "{change}");
    }
    for change in [
        json!({"model": {"uri": "s3://models/other"}}),
        json!({"runtime": {"threads": 2}}),
        json!({"pod": {"labels": {"team": "chem"}}}),
        json!({"storage": {"mode": "Ephemeral"}}),
    ] {
        assert_ne!(model("v1", change.clone()).revision, before.revision, "{change}");
    }
}

#[test]
fn a_suspended_model_is_left_as_it_is() {
    let mut world = World::new();
    world.deploy(&model("v1", json!({})));
    let writes = world.log.len();
    world.settle(&model("v2", json!({"suspend": true, "replicas": 7})));
    assert_eq!(world.log.len(), writes);
    assert_eq!(world.phase(), chemmodel_crds::status::Phase::Suspended);
    assert_eq!(world.condition("Ready").0, "True");
}

#[test]
fn a_refused_write_is_told_in_the_status() {
    let mut world = World::new();
    let v1 = model("v1", json!({}));
    let plan = world.reconcile(&v1);
    let why = Hindrance { reason: "WriteRefused", message: "exceeded quota".into() };
    let seen = Observed { status: plan.status.clone(), ..Observed::default() };
    let hindered = hindered(plan, Some(1), &seen, &why, world.now);
    assert_eq!(hindered.status.phase, Some(chemmodel_crds::status::Phase::Blocked));
    assert_eq!(hindered.status.message.as_deref(), Some("exceeded quota"));
    let degraded: Vec<_> = hindered.status.conditions.iter().filter(|c| c.type_ == "Degraded").collect();
    assert_eq!(degraded.len(), 1);
    assert_eq!((degraded[0].status.as_str(), degraded[0].reason.as_str()), ("True", "WriteRefused"));
    assert!(hindered.notices[0].warning);
}

#[test]
fn old_revisions_beyond_the_limit_go_and_the_ones_in_use_stay() {
    let mut world = World::new();
    for number in 1..=6 {
        world
            .deploy(&model(&format!("v{number}"), json!({"rollout": {"historyLimit": 2, "scaleDownDelaySeconds": 0}})));
        world.pass(1);
        world
            .settle(&model(&format!("v{number}"), json!({"rollout": {"historyLimit": 2, "scaleDownDelaySeconds": 0}})));
    }
    let versions: Vec<String> = world.seen.records().into_values().map(|record| record.version).collect();
    // v6 is active, v5 is in the other slot; of the unused ones, the two newest stay.
    for kept in ["v6", "v5", "v4", "v3"] {
        assert!(versions.contains(&kept.to_owned()), "{kept} in {versions:?}");
    }
    assert_eq!(versions.len(), 4);
}
