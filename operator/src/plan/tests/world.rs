//! A cluster in a few structs: performs plans as the API server would, and plays Job controller, Deployment controller and kubelet.

use std::collections::BTreeMap;

use chemmodel_bundle::BundleDigest;
use chemmodel_crds::labels::{COLOUR, COMPONENT, REVISION, component};
use chemmodel_crds::status::{Colour, Phase};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::Metadata;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde_json::{Value, json};

use crate::model::ValidatedModel;
use crate::plan::{Action, Child, Guard, Kind, Observed, Plan, plan};

pub struct World {
    pub now: Timestamp,
    pub seen: Observed,
    /// Every write so far, as `verb kind name`.
    pub log: Vec<String>,
    version: u64,
}

impl World {
    pub fn new() -> Self {
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        Self { now, seen: Observed::default(), log: Vec::new(), version: 0 }
    }

    /// One reconcile: plan, apply, report.
    pub fn reconcile(&mut self, model: &ValidatedModel) -> Plan {
        let plan = plan(model, &self.seen, self.now);
        for action in plan.actions.clone() {
            self.perform(action);
        }
        self.seen.status = plan.status.clone();
        self.route();
        plan
    }

    /// Reconciles until a plan is empty, at most 20 times.
    pub fn settle(&mut self, model: &ValidatedModel) -> Plan {
        for _ in 0..20 {
            let plan = self.reconcile(model);
            if plan.actions.is_empty() && plan.status == crate::plan::plan(model, &self.seen, self.now).status {
                return plan;
            }
        }
        panic!("the planner does not settle; writes: {:#?}", self.log);
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    /// The whole way to Stable.
    pub fn deploy(&mut self, model: &ValidatedModel) {
        self.settle(model);
        if !self.seen.jobs.is_empty() {
            self.job_succeeds(&format!("manifest of {}", model.spec.model.version));
            self.settle(model);
        }
        self.pods_become_ready();
        self.settle(model);
        assert_eq!(self.phase(), Phase::Stable);
    }

    pub fn phase(&self) -> Phase {
        self.seen.status.phase.unwrap()
    }

    pub fn condition(&self, type_: &str) -> (String, String) {
        let condition = self.seen.status.conditions.iter().find(|c| c.type_ == type_).expect(type_);
        (condition.status.clone(), condition.reason.clone())
    }

    pub fn active(&self) -> Option<Colour> {
        self.seen.active().map(|(colour, _)| colour)
    }

    pub fn replicas(&self, colour: Colour) -> i32 {
        self.seen.slot(colour).map_or(0, |slot| slot.wanted)
    }

    /// The newest Job ends well and its pod reports the digest of `manifest`.
    pub fn job_succeeds(&mut self, manifest: &str) {
        let digest = BundleDigest::of(manifest.as_bytes()).to_string();
        let report = json!({"outcome": "Succeeded", "digest": digest, "name": "boiling-point", "files": 4, "bytes": 9, "reused": false, "seconds": 0.1});
        self.end_job("Complete", 0, Some(report));
    }

    pub fn job_fails(&mut self, reason: &str, message: &str) {
        let report = json!({"outcome": "Failed", "reason": reason, "message": message, "retryable": false});
        self.end_job("Failed", 20, Some(report));
    }

    pub fn job_dies_without_a_word(&mut self) {
        self.end_job("Failed", 137, None);
    }

    fn end_job(&mut self, condition: &str, exit_code: i32, report: Option<Value>) {
        let now = self.now.to_string();
        let job = self.seen.jobs.last_mut().expect("a Job");
        job.status = serde_json::from_value(json!({"conditions": [
            {"type": condition, "status": "True", "lastTransitionTime": now, "message": "Job has reached the specified backoff limit"}]}))
        .unwrap();
        let name = job.metadata.name.clone().unwrap();
        let message = report.map(|report| report.to_string());
        let pod = json!({
            "metadata": {"name": format!("{name}-x"), "labels": {COMPONENT: component::SYNC, "batch.kubernetes.io/job-name": name}},
            "status": {"containerStatuses": [{"name": "sync", "image": "i", "imageID": "i", "ready": false, "restartCount": 0,
                "state": {"terminated": {"exitCode": exit_code, "message": message, "finishedAt": now}}}]}});
        self.seen.pods.push(serde_json::from_value(pod).unwrap());
    }

    /// Every pod that a slot wants becomes available.
    pub fn pods_become_ready(&mut self) {
        for colour in Colour::ALL {
            self.slot_has(colour, i32::MAX);
        }
    }

    /// A slot has at most `ready` available pods.
    pub fn slot_has(&mut self, colour: Colour, ready: i32) {
        if let Some(deployment) = self.seen.deployments.get_mut(colour) {
            let wanted = deployment.spec.as_ref().unwrap().replicas.unwrap_or(1);
            set_counts(deployment, wanted, ready.min(wanted));
        }
        self.route();
    }

    pub fn add_pod(&mut self, pod: Value) {
        self.seen.pods.push(serde_json::from_value::<Pod>(pod).unwrap());
    }

    /// The endpoints controller: what the Service selects and is ready.
    pub fn route(&mut self) {
        let addresses = self
            .seen
            .active()
            .and_then(|(colour, revision)| {
                let slot = self.seen.slot(colour)?;
                (slot.revision == revision.as_str()).then_some(slot.ready)
            })
            .unwrap_or(0);
        let endpoint = |n: i32| Endpoint {
            addresses: vec![format!("10.0.0.{n}")],
            conditions: Some(EndpointConditions { ready: Some(true), ..EndpointConditions::default() }),
            ..Endpoint::default()
        };
        self.seen.endpoints =
            vec![EndpointSlice { endpoints: (0..addresses).map(endpoint).collect(), ..EndpointSlice::default() }];
    }

    pub fn perform(&mut self, action: Action) {
        self.version += 1;
        match action {
            Action::Apply(child, guard) => self.apply(*child, &guard),
            Action::Scale { deployment, replicas } => {
                self.log.push(format!("scale Deployment {deployment} to {replicas}"));
                let colour = if deployment.ends_with("-blue") { Colour::Blue } else { Colour::Green };
                let live = self.seen.deployments.get_mut(colour).as_mut().expect("a Deployment to scale");
                live.spec.as_mut().unwrap().replicas = Some(replicas);
                let ready = live.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0).min(replicas);
                set_counts(live, replicas.min(ready), ready);
            }
            Action::Delete(doomed) => {
                self.log.push(format!("delete {:?} {}", doomed.kind, doomed.name));
                let other = |meta: &ObjectMeta| meta.uid.as_ref() != Some(&doomed.uid);
                match doomed.kind {
                    Kind::Job => self.seen.jobs.retain(|job| other(&job.metadata)),
                    Kind::Revision => self.seen.revisions.retain(|revision| other(&revision.metadata)),
                    Kind::VolumeClaim => self.seen.volume_claim = None,
                    Kind::Autoscaler => self.seen.autoscaler = None,
                }
            }
        }
    }

    fn apply(&mut self, child: Child, guard: &Guard) {
        let (version, now) = (self.version, self.now);
        let born = |meta: &mut ObjectMeta, before: Option<&ObjectMeta>, log: &mut Vec<String>, kind: &str| {
            log.push(format!("apply {kind} {}", meta.name.as_deref().unwrap()));
            let uid = before.and_then(|before| before.uid.clone());
            match guard {
                Guard::Absent => assert!(uid.is_none(), "{kind} was there"),
                Guard::SameObject { uid: seen } => assert_eq!(uid.as_ref(), Some(seen)),
                Guard::Unchanged { uid: seen, resource_version } => {
                    assert_eq!(uid.as_ref(), Some(seen));
                    assert_eq!(before.unwrap().resource_version.as_ref(), Some(resource_version));
                }
            }
            meta.uid = Some(uid.unwrap_or_else(|| format!("uid-{version}")));
            meta.resource_version = Some(version.to_string());
            meta.creation_timestamp = Some(Time(now));
        };
        macro_rules! put {
            ($slot:expr, $object:expr, $kind:literal) => {{
                let mut object = $object;
                let before = $slot.as_ref().map(|live| live.metadata().clone());
                born(object.metadata_mut(), before.as_ref(), &mut self.log, $kind);
                $slot = Some(object);
            }};
        }
        match child {
            Child::ServiceAccount(object) => put!(self.seen.service_account, object, "ServiceAccount"),
            Child::VolumeClaim(object) => put!(self.seen.volume_claim, object, "PersistentVolumeClaim"),
            Child::Service(object) => put!(self.seen.service, object, "Service"),
            Child::Autoscaler(object) => put!(self.seen.autoscaler, object, "HorizontalPodAutoscaler"),
            Child::DisruptionBudget(object) => put!(self.seen.disruption_budget, object, "PodDisruptionBudget"),
            Child::Job(mut object) => {
                born(&mut object.metadata, None, &mut self.log, "Job");
                self.seen.jobs.push(object);
            }
            Child::Revision(mut object) => {
                born(&mut object.metadata, None, &mut self.log, "ControllerRevision");
                self.seen.revisions.push(object);
            }
            Child::Deployment(mut object) => {
                let colour = Colour::parse(&object.metadata.labels.as_ref().unwrap()[COLOUR]).unwrap();
                let slot = self.seen.deployments.get_mut(colour);
                let before = slot.as_ref().map(|live| live.metadata.clone());
                born(&mut object.metadata, before.as_ref(), &mut self.log, "Deployment");
                // What server-side apply leaves alone, and what a new template does to the pods.
                let live_spec = slot.as_ref().and_then(|live| live.spec.clone());
                let spec = object.spec.as_mut().unwrap();
                spec.replicas = Some(live_spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1));
                let same_pods = live_spec.as_ref().is_some_and(|live| live.template == spec.template);
                object.status = if same_pods { slot.take().unwrap().status } else { Some(DeploymentStatus::default()) };
                *slot = Some(object);
            }
        }
    }
}

fn set_counts(deployment: &mut Deployment, existing: i32, ready: i32) {
    let counts = |n: i32| Some(n).filter(|n| *n > 0);
    deployment.status = Some(DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: counts(existing),
        updated_replicas: counts(existing),
        ready_replicas: counts(ready),
        available_replicas: counts(ready),
        ..DeploymentStatus::default()
    });
}

/// A server's pod in trouble.
pub fn server_pod(revision: &str, status: &Value) -> Value {
    let labels: BTreeMap<&str, &str> = BTreeMap::from([(COMPONENT, component::SERVER), (REVISION, revision)]);
    json!({"metadata": {"name": "boiling-point-x", "labels": labels}, "status": status})
}
