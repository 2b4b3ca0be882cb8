//! A cluster in a few structs: performs plans as the API server would, and plays Job controller, Deployment controller and kubelet.

use std::collections::BTreeMap;

use chemmodel_bundle::BundleDigest;
use chemmodel_crds::labels::{COLOUR, COMPONENT, REVISION, component};
use chemmodel_crds::status::{Colour, Phase};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::Metadata;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde_json::{Value, json};

use crate::build::PODS;
use crate::model::ValidatedModel;
use crate::model::revision::RevisionHash;
use crate::plan::{Action, Child, Endpoints, Guard, Kind, Observed, Plan, plan};

pub struct World {
    pub now: Timestamp,
    pub seen: Observed,
    /// Every write so far, as `verb kind name`.
    pub log: Vec<String>,
    /// Whether verify Jobs pass as soon as they are created.
    pub verifies: bool,
    /// How many GPUs there are, one for each pod; when set, pods are scheduled and get ready as far as these go.
    pub gpus: Option<i32>,
    /// Whether Deployments follow a new size only when told to.
    pub lags: bool,
    /// How often pods were replaced by others of the same kind.
    pub births: u32,
    version: u64,
}

impl World {
    pub fn new() -> Self {
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        Self {
            now,
            seen: Observed::default(),
            log: Vec::new(),
            verifies: true,
            gpus: None,
            lags: false,
            births: 0,
            version: 0,
        }
    }

    /// One reconcile: plan, apply, report.
    pub fn reconcile(&mut self, model: &ValidatedModel) -> Plan {
        let plan = plan(model, &self.seen, self.now);
        for action in plan.actions.clone() {
            self.perform(action);
        }
        self.seen.status = plan.status.clone();
        self.play();
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
        if self.newest_job(component::SYNC).is_some() {
            self.job_succeeds(&format!("manifest of {}", model.spec.model.version));
            self.settle(model);
        }
        self.pods_become_ready();
        self.settle(model);
        self.stand_the_trial(model);
        assert_eq!(self.phase(), Phase::Stable);
    }

    /// The seconds for which a revision is watched pass.
    pub fn stand_the_trial(&mut self, model: &ValidatedModel) {
        if self.phase() == Phase::Observing {
            self.pass(model.spec.rollout.observe_seconds.into());
            self.reconcile(model);
            self.settle(model);
        }
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

    /// The newest sync Job ends well and its pod reports the digest of `manifest`.
    pub fn job_succeeds(&mut self, manifest: &str) {
        let digest = BundleDigest::of(manifest.as_bytes()).to_string();
        let report = json!({"outcome": "Succeeded", "digest": digest, "name": "boiling-point", "files": 4, "bytes": 9, "reused": false, "seconds": 0.1});
        self.end_job(component::SYNC, "Complete", 0, Some(report));
    }

    pub fn job_fails(&mut self, reason: &str, message: &str) {
        let report = json!({"outcome": "Failed", "reason": reason, "message": message, "retryable": false});
        self.end_job(component::SYNC, "Failed", 20, Some(report));
    }

    pub fn job_dies_without_a_word(&mut self) {
        self.end_job(component::SYNC, "Failed", 137, None);
    }

    /// The newest verify Job ends well; `change` may make its report another one.
    pub fn verification_passes(&mut self, change: impl FnOnce(&mut Value)) {
        let mut report = self.report();
        change(&mut report);
        self.end_job(component::VERIFY, "Complete", 0, Some(report));
    }

    /// What the newest verify Job reports when all is well.
    fn report(&self) -> Value {
        let job = self.newest_job(component::VERIFY).expect("a verify Job");
        let container = &job.spec.as_ref().unwrap().template.spec.as_ref().unwrap().containers[0];
        let argument = |name: &str| {
            let arguments = container.args.as_ref().unwrap();
            arguments.iter().find_map(|argument| argument.strip_prefix(name)).unwrap().to_owned()
        };
        let pods = job.metadata.annotations.as_ref().unwrap()[PODS].split(',').count();
        json!({
            "outcome": "Passed", "digest": argument("--digest="), "revision": argument("--revision="), "pods": pods, "molecules": 64,
            "answers": 130 * pods, "passed": 130 * pods, "provider": "CPU", "p50Milliseconds": 1.8, "p95Milliseconds": 2.5, "seconds": 0.4})
    }

    pub fn verification_fails(&mut self, reason: &str, message: &str) {
        let retryable = reason == "Unreachable";
        let mut report = self.report();
        report.as_object_mut().unwrap().extend([
            ("outcome".to_owned(), json!("Failed")),
            ("reason".to_owned(), json!(reason)),
            ("message".to_owned(), json!(message)),
            ("retryable".to_owned(), json!(retryable)),
            ("passed".to_owned(), json!(1)),
            ("worst".to_owned(), json!([{"smiles": "CCO", "expected": 352.0, "answered": 7.0}])),
        ]);
        self.end_job(component::VERIFY, "Failed", 30, Some(report));
    }

    pub fn verification_dies_without_a_word(&mut self) {
        self.end_job(component::VERIFY, "Failed", 137, None);
    }

    pub fn newest_job(&self, component: &str) -> Option<&Job> {
        let is = |job: &&Job| job.metadata.labels.as_ref().is_some_and(|labels| labels[COMPONENT] == component);
        self.seen.jobs.iter().rev().find(is)
    }

    fn end_job(&mut self, component: &str, condition: &str, exit_code: i32, report: Option<Value>) {
        let now = self.now.to_string();
        let name = self.newest_job(component).expect("a Job").metadata.name.clone().unwrap();
        let job = self.seen.jobs.iter_mut().find(|job| job.metadata.name.as_ref() == Some(&name)).unwrap();
        job.status = serde_json::from_value(json!({"conditions": [
            {"type": condition, "status": "True", "lastTransitionTime": now, "message": "Job has reached the specified backoff limit"}]}))
        .unwrap();
        let message = report.map(|report| report.to_string());
        let pod = json!({
            "metadata": {"name": format!("{name}-x"), "labels": {COMPONENT: component, "batch.kubernetes.io/job-name": name}},
            "status": {"containerStatuses": [{"name": component, "image": "i", "imageID": "i", "ready": false, "restartCount": 0,
                "state": {"terminated": {"exitCode": exit_code, "message": message, "finishedAt": now}}}]}});
        self.seen.pods.push(serde_json::from_value(pod).unwrap());
    }

    /// The Deployments have the sizes that they were told to have.
    pub fn follow(&mut self) {
        for colour in Colour::ALL {
            let deployment = self.seen.deployments.get(colour).as_ref();
            let status = deployment.and_then(|deployment| deployment.status.as_ref());
            let ready = status.and_then(|status| status.ready_replicas).unwrap_or(0);
            self.available(colour, ready);
        }
    }

    /// Every pod that a slot wants becomes available.
    pub fn pods_become_ready(&mut self) {
        for colour in Colour::ALL {
            self.slot_has(colour, i32::MAX);
        }
    }

    /// A slot has at most `ready` available pods.
    pub fn slot_has(&mut self, colour: Colour, ready: i32) {
        self.available(colour, ready);
        self.play();
    }

    fn available(&mut self, colour: Colour, ready: i32) {
        if let Some(deployment) = self.seen.deployments.get_mut(colour) {
            let wanted = deployment.spec.as_ref().unwrap().replicas.unwrap_or(1);
            set_counts(deployment, wanted, ready.min(wanted));
        }
    }

    pub fn add_pod(&mut self, pod: Value) {
        self.seen.pods.push(serde_json::from_value::<Pod>(pod).unwrap());
    }

    /// The controllers and the verifier do their part.
    pub fn play(&mut self) {
        self.run_pods();
        self.seen.endpoints = self.route(self.seen.service.as_ref());
        self.seen.preview_endpoints = self.route(self.seen.preview.as_ref());
        let unfinished = |job: &Job| job.status.is_none();
        if self.verifies && self.newest_job(component::VERIFY).is_some_and(unfinished) {
            self.verification_passes(|_| {});
        }
    }

    /// The Deployment controllers: pods as the counts say.
    fn run_pods(&mut self) {
        self.seen.pods.retain(|pod| !pod.metadata.annotations.as_ref().is_some_and(|a| a.contains_key("played")));
        let birth = i32::try_from(self.births).unwrap();
        let mut free = self.gpus.map(|gpus| gpus - self.scheduled());
        for colour in Colour::ALL {
            if let (Some(free), Some(deployment)) = (&mut free, self.seen.deployments.get_mut(colour)) {
                let status = deployment.status.clone().unwrap_or_default();
                let (existing, ready) = (status.replicas.unwrap_or(0), status.ready_replicas.unwrap_or(0));
                let started = (existing - ready).min(*free).max(0);
                *free -= started;
                set_counts(deployment, existing, ready + started);
            }
            let Some(slot) = self.seen.slot(colour) else { continue };
            for number in 0..slot.existing {
                let (colour, revision) = (colour.as_str(), slot.revision.to_string());
                let ready = if number < slot.ready { "True" } else { "False" };
                let scheduled = if self.gpus.is_none() || number < slot.ready { "True" } else { "False" };
                let message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.";
                self.add_pod(json!({
                    "metadata": {"name": format!("{colour}-{revision}-{}", number + 10 * birth), "annotations": {"played": "yes"},
                        "labels": {COMPONENT: component::SERVER, COLOUR: colour, REVISION: revision}},
                    "status": {"podIP": format!("10.0.0.{number}"), "conditions": [
                        {"type": "Ready", "status": ready},
                        {"type": "PodScheduled", "status": scheduled, "reason": "Unschedulable", "message": message}]}}));
            }
        }
    }

    fn scheduled(&self) -> i32 {
        Colour::ALL.into_iter().filter_map(|colour| self.seen.slot(colour)).map(|slot| slot.ready).sum()
    }

    /// The endpoints controller: what a Service selects and is ready.
    fn route(&self, service: Option<&Service>) -> Endpoints {
        let Some(selector) = service.and_then(|service| service.spec.as_ref()?.selector.as_ref()) else {
            return Endpoints::default();
        };
        let selected = |pod: &&Pod| {
            let labels = pod.metadata.labels.as_ref();
            [COLOUR, REVISION].iter().all(|key| labels.and_then(|labels| labels.get(*key)) == selector.get(*key))
        };
        let is_ready = |pod: &&Pod| {
            let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
            conditions.is_some_and(|conditions| conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
        };
        let endpoints = self.seen.pods.iter().filter(selected).filter(is_ready).map(|pod| {
            json!({"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": {"name": pod.metadata.name}})
        });
        let slice = json!({"addressType": "IPv4", "ports": [], "endpoints": endpoints.collect::<Vec<_>>()});
        Endpoints(vec![serde_json::from_value(slice).unwrap()])
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
                live.metadata.generation = Some(live.metadata.generation.unwrap_or(0) + 1);
                if !self.lags {
                    self.follow();
                }
            }
            Action::Delete(doomed) => {
                self.log.push(format!("delete {:?} {}", doomed.kind, doomed.name));
                let other = |meta: &ObjectMeta| meta.uid.as_ref() != Some(&doomed.uid);
                match doomed.kind {
                    Kind::Job => self.seen.jobs.retain(|job| other(&job.metadata)),
                    Kind::Revision => self.seen.revisions.retain(|revision| other(&revision.metadata)),
                    Kind::VolumeClaim => self.seen.volume_claim = None,
                    Kind::Autoscaler => self.seen.autoscaler = None,
                    Kind::NetworkPolicy => self.seen.network_policy = None,
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
            Child::Service(object) if object.metadata.name.as_ref().unwrap().ends_with("-preview") => {
                put!(self.seen.preview, object, "Service");
            }
            Child::Service(object) => put!(self.seen.service, object, "Service"),
            Child::Autoscaler(object) => put!(self.seen.autoscaler, object, "HorizontalPodAutoscaler"),
            Child::DisruptionBudget(object) => put!(self.seen.disruption_budget, object, "PodDisruptionBudget"),
            Child::NetworkPolicy(object) => put!(self.seen.network_policy, object, "NetworkPolicy"),
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
                let replicas = spec.replicas.unwrap();
                if same_pods {
                    object.status = slot.take().unwrap().status;
                } else {
                    set_counts(&mut object, replicas, 0);
                }
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
pub fn server_pod(revision: RevisionHash, status: &Value) -> Value {
    let labels: BTreeMap<&str, String> =
        BTreeMap::from([(COMPONENT, component::SERVER.to_owned()), (REVISION, revision.to_string())]);
    json!({"metadata": {"name": "boiling-point-x", "labels": labels}, "status": status})
}
