//! Everything that the decision about a rollout depends on, in small plain values: no Kubernetes object is needed to test it.

use chemmodel_crds::spec::Capacity;
use chemmodel_crds::status::Colour;
use jiff::Timestamp;

use super::memory::{Memory, Reign};
use crate::model::revision::RevisionHash;
use crate::plan::Slots;

/// What the spec wants, what the cluster shows, what the status remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations, not a state in disguise")]
pub struct Facts {
    /// What the spec wants.
    pub wish: Wish,
    /// Whether the bundle of the spec's revision is in the cluster.
    pub bundle_ready: bool,
    /// What the Service selects.
    pub active: Option<Standing>,
    /// The colour slots; `None` where there is no Deployment.
    pub slots: Slots<Option<SlotFacts>>,
    /// Whether the Service's endpoints are the active revision's ready pods, all of them and no others.
    pub routed: bool,
    /// Whether the Service has a ready endpoint.
    pub answering: bool,
    /// Whether the preview Service's ready endpoints are all pods of the spec's revision.
    pub previewed: bool,
    /// What the verification of the spec's revision came to, on the pods that there are now.
    pub evidence: Evidence,
    /// What the status remembers.
    pub memory: Memory,
}

/// What the spec wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wish {
    /// The revision that shall have the traffic.
    pub revision: RevisionHash,
    /// How many pods.
    pub replicas: Replicas,
    /// When a verified revision gets the traffic.
    pub promotion: Promotion,
    /// Whether `spec.rollout.promote` names the revision's version.
    pub approved: bool,
    /// Whether `spec.rollout.abort` names the revision's version.
    pub abort: bool,
    /// Whether `spec.rollout.abort` names the version that has the traffic.
    pub abort_active: bool,
    /// What to do without room for two.
    pub capacity: Capacity,
    /// The spec's times, in seconds.
    pub seconds: Seconds,
}

/// How many pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replicas {
    /// So many.
    Fixed(i32),
    /// As many as an autoscaler says, within bounds.
    Range {
        /// Fewest.
        min: i32,
        /// Most.
        max: i32,
    },
}

/// When a verified revision gets the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promotion {
    /// As soon as it is verified.
    AtOnce,
    /// So many seconds later.
    After(i32),
    /// When a person says so.
    ByHand,
}

/// The spec's times, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seconds {
    /// For the start of all pods.
    pub progress: i32,
    /// For the verification.
    pub verification: i32,
    /// For the approval.
    pub promotion: i32,
    /// For which a revision is watched after the switch.
    pub observe: i32,
    /// For which the old colour stays warm after the switch.
    pub warm: i32,
}

/// A revision in a colour slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Standing {
    /// The slot.
    pub colour: Colour,
    /// The revision.
    pub revision: RevisionHash,
}

/// What a Deployment and its pods say of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotFacts {
    /// Revision of its template.
    pub revision: RevisionHash,
    /// Pods that it shall have.
    pub wanted: i32,
    /// Pods that it has, of any template, those on their way out not counted.
    pub existing: i32,
    /// Pods that are reported as ready. A slot that was just made smaller still reports those that it is about to lose.
    pub available: i32,
    /// Pods for which the scheduler finds no node.
    pub unschedulable: i32,
    /// Pods that are on their way out and may still hold a GPU.
    pub leaving: i32,
    /// Whether the counts belong to the present template and no pod is of another.
    pub current: bool,
}

impl SlotFacts {
    /// Pods that are ready, and that the slot is to keep.
    pub fn ready(&self) -> i32 {
        self.available.min(self.wanted)
    }

    /// Whether the slot has exactly `pods` pods, all of this template and ready.
    pub fn is_complete(&self, pods: i32) -> bool {
        self.current && self.wanted == pods && self.existing == pods && self.available == pods && pods > 0
    }
}

/// What the verification of the spec's revision came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The spec asks for none.
    NotRequired,
    /// None for the pods that there are now, or not yet.
    Missing,
    /// Every one of these pods answered every molecule rightly, with the digest that was recorded.
    Passed,
    /// One did not.
    Failed,
}

impl Facts {
    /// The slot of a revision that stands there.
    pub fn slot(&self, standing: Standing) -> Option<SlotFacts> {
        self.slots.get(standing.colour).filter(|slot| slot.revision == standing.revision)
    }

    /// Who has the traffic, and since when: as the status remembers it, or from now on. Time in suspension does not count.
    pub fn reign(&self, now: Timestamp) -> Option<Reign> {
        let standing = self.active?;
        let before = self.memory.active.filter(|reign| reign.standing == standing && !self.memory.suspended);
        Some(before.unwrap_or(Reign { standing, since: now }))
    }

    /// The slot that has the traffic.
    pub fn active_slot(&self) -> Option<SlotFacts> {
        self.slot(self.active?)
    }
}
