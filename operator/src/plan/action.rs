//! The writes that a plan may ask for.

use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Resource;

/// One write.
#[derive(Clone, Debug)]
pub enum Action {
    /// Make the object be as it is here, by server-side apply.
    Apply(Box<Child>, Guard),
    /// Give a Deployment another number of pods, through its scale subresource.
    Scale {
        /// Name of the Deployment.
        deployment: String,
        /// Pods to have.
        replicas: i32,
    },
    /// Take the object away.
    Delete(Doomed),
}

/// What must still hold of the live object for an apply to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// No such object was seen; one of the same name that is not ours must not be taken over.
    Absent,
    /// The very object that was seen, whatever became of it since.
    SameObject {
        /// Its uid.
        uid: String,
    },
    /// The very object, unchanged: for the switch of traffic.
    Unchanged {
        /// Its uid.
        uid: String,
        /// Its resourceVersion.
        resource_version: String,
    },
}

/// An object that a ChemModel owns.
#[derive(Clone, Debug)]
pub enum Child {
    /// Identity of the pods.
    ServiceAccount(ServiceAccount),
    /// Volume of the bundles.
    VolumeClaim(PersistentVolumeClaim),
    /// Fetches the bundle.
    Job(Job),
    /// Record of a revision.
    Revision(ControllerRevision),
    /// Colour slot.
    Deployment(Deployment),
    /// Address.
    Service(Service),
    /// Autoscaler of the active colour.
    Autoscaler(HorizontalPodAutoscaler),
    /// Disruption budget of the active colour.
    DisruptionBudget(PodDisruptionBudget),
    /// Who may connect.
    NetworkPolicy(NetworkPolicy),
}

/// An object to delete, exactly as it was seen: the API server refuses when it changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doomed {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
}

/// Kinds that are deleted by the operator rather than by garbage collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sync Job.
    Job,
    /// A record of a revision.
    Revision,
    /// The volume of the bundles.
    VolumeClaim,
    /// The autoscaler.
    Autoscaler,
    /// The rule of who may connect.
    NetworkPolicy,
}

impl Doomed {
    /// Dooms an object that was read from the API server.
    pub fn new<K: Resource>(kind: Kind, object: &K) -> Option<Self> {
        let meta = object.meta();
        // Already on its way out: asking again would be a write in vain.
        if meta.deletion_timestamp.is_some() {
            return None;
        }
        Some(Self {
            kind,
            name: meta.name.clone()?,
            uid: meta.uid.clone()?,
            resource_version: meta.resource_version.clone()?,
        })
    }
}
