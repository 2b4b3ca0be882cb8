//! What the cluster shows of one ChemModel. Absent means `None`; nothing here is computed from the spec.

use std::collections::{BTreeMap, BTreeSet};

use chemmodel_crds::ChemModelStatus;
use chemmodel_crds::labels::{COLOUR, COMPONENT, REVISION, component};
use chemmodel_crds::status::Colour;
use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service, ServiceAccount};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;

use crate::build::{RecordedRevision, TERM};
use crate::model::revision::RevisionHash;

/// The children of a ChemModel, and the status that was written last.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The status that was written last. Only its absolute times are relied upon.
    pub status: ChemModelStatus,
    /// Identity of the pods.
    pub service_account: Option<ServiceAccount>,
    /// Volume of the bundles.
    pub volume_claim: Option<PersistentVolumeClaim>,
    /// Sync and verify Jobs, of whatever revision.
    pub jobs: Vec<Job>,
    /// Records of revisions.
    pub revisions: Vec<ControllerRevision>,
    /// The two colour slots.
    pub deployments: Slots<Option<Deployment>>,
    /// The address.
    pub service: Option<Service>,
    /// The address of the candidate.
    pub preview: Option<Service>,
    /// The endpoints behind the address.
    pub endpoints: Endpoints,
    /// The endpoints behind the address of the candidate.
    pub preview_endpoints: Endpoints,
    /// The autoscaler.
    pub autoscaler: Option<HorizontalPodAutoscaler>,
    /// The disruption budget.
    pub disruption_budget: Option<PodDisruptionBudget>,
    /// The rule of who may connect.
    pub network_policy: Option<NetworkPolicy>,
    /// Pods of the slots and of the Jobs.
    pub pods: Vec<Pod>,
    /// Which term of leadership this is seen in.
    pub term: i32,
}

/// The endpoints of a Service.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(pub Vec<EndpointSlice>);

impl Endpoints {
    /// Names of the pods that get requests.
    pub fn ready_pods(&self) -> BTreeSet<String> {
        self.0
            .iter()
            .flat_map(|slice| &slice.endpoints)
            .filter(|endpoint| endpoint.conditions.as_ref().and_then(|c| c.ready).unwrap_or(false))
            .filter_map(|endpoint| endpoint.target_ref.as_ref()?.name.clone())
            .collect()
    }
}

/// Something for each colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slots<T> {
    /// The blue slot's.
    pub blue: T,
    /// The green slot's.
    pub green: T,
}

impl<T> Slots<T> {
    /// The one of a colour.
    pub fn get(&self, colour: Colour) -> &T {
        match colour {
            Colour::Blue => &self.blue,
            Colour::Green => &self.green,
        }
    }

    /// The one of a colour, to write to.
    pub fn get_mut(&mut self, colour: Colour) -> &mut T {
        match colour {
            Colour::Blue => &mut self.blue,
            Colour::Green => &mut self.green,
        }
    }
}

/// What a Deployment says of its slot.
#[derive(Clone, Copy, Debug)]
pub struct SlotView {
    /// Revision of its template.
    pub revision: RevisionHash,
    /// Pods that it shall have.
    pub wanted: i32,
    /// Pods that it has, of any template.
    pub existing: i32,
    /// Pods of the present template that are available.
    pub available: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Whether the counts belong to the present template.
    pub current: bool,
}

impl Observed {
    /// The colour and revision that have the traffic: what the Service selects, and nothing else.
    pub fn active(&self) -> Option<(Colour, RevisionHash)> {
        let selector = self.service.as_ref()?.spec.as_ref()?.selector.as_ref()?;
        let colour = Colour::parse(selector.get(COLOUR)?)?;
        Some((colour, RevisionHash::parse(selector.get(REVISION)?)?))
    }

    /// The term of the leader that wrote the Service. A larger one than ours: somebody else leads, and we were asleep.
    pub fn written_in_term(&self) -> Option<i32> {
        self.service.as_ref()?.metadata.annotations.as_ref()?.get(TERM)?.parse().ok()
    }

    /// The slot of a colour; `None` when there is no Deployment.
    pub fn slot(&self, colour: Colour) -> Option<SlotView> {
        let deployment = self.deployments.get(colour).as_ref()?;
        let spec = deployment.spec.as_ref()?;
        let revision = RevisionHash::parse(spec.template.metadata.as_ref()?.labels.as_ref()?.get(REVISION)?)?;
        let wanted = spec.replicas.unwrap_or(1);
        let status = deployment.status.clone().unwrap_or_default();
        let current = status.observed_generation >= deployment.metadata.generation
            && status.updated_replicas.unwrap_or(0) == status.replicas.unwrap_or(0);
        Some(SlotView {
            revision,
            wanted,
            existing: status.replicas.unwrap_or(0),
            available: status.available_replicas.unwrap_or(0),
            ready: status.ready_replicas.unwrap_or(0),
            current,
        })
    }

    /// The recorded revisions by hash.
    pub fn records(&self) -> BTreeMap<RevisionHash, RecordedRevision> {
        self.revisions.iter().filter_map(RecordedRevision::read).map(|(hash, _, record)| (hash, record)).collect()
    }

    /// The record of one revision. Reads no other: a record holds a whole pod template.
    pub fn record(&self, revision: RevisionHash) -> Option<RecordedRevision> {
        let label = revision.to_string();
        let of_it = |object: &&ControllerRevision| {
            object.metadata.labels.as_ref().and_then(|labels| labels.get(REVISION)) == Some(&label)
        };
        self.revisions.iter().filter(of_it).find_map(RecordedRevision::read).map(|(_, _, record)| record)
    }

    /// The server's pods of a revision, in whatever slot.
    pub fn server_pods(&self, revision: RevisionHash) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(move |pod| {
            label(pod, COMPONENT) == Some(component::SERVER)
                && label(pod, REVISION).and_then(RevisionHash::parse) == Some(revision)
        })
    }

    /// Those of them that are neither on their way out nor ended: an evicted pod stays in the list until somebody removes it.
    pub fn staying_pods(&self, revision: RevisionHash) -> impl Iterator<Item = &Pod> {
        self.server_pods(revision).filter(|pod| {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Failed" | "Succeeded"))
        })
    }

    /// The server's pods of a revision in a slot.
    pub fn slot_pods(&self, colour: Colour, revision: RevisionHash) -> impl Iterator<Item = &Pod> {
        self.server_pods(revision).filter(move |pod| label(pod, COLOUR) == Some(colour.as_str()))
    }

    /// The pods of a Job.
    pub fn job_pods<'a>(&'a self, job: &'a str) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(move |pod| label(pod, "batch.kubernetes.io/job-name") == Some(job))
    }
}

fn label<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.metadata.labels.as_ref()?.get(key).map(String::as_str)
}
