//! A cluster in a few bytes: what the machine decides upon, what it does, and what the world may do meanwhile.

use chemmodel_crds::spec::Capacity;
use chemmodel_crds::status::Colour;
use jiff::{SignedDuration, Timestamp};

use crate::model::revision::RevisionHash;
use crate::plan::Slots;
use crate::plan::rollout::facts::{Evidence, Facts, Promotion, Replicas, Seconds, SlotFacts, Standing, Wish};
use crate::plan::rollout::memory::Memory;
use crate::plan::rollout::{Stage, capacity, decide, remember};

const TICK: i64 = 15;
/// Older than this is as old as this: more than any of the spec's times.
const OLDEST: i64 = 60;
const SECONDS: Seconds = Seconds { progress: 30, verification: 15, promotion: 30, observe: 15, warm: 15 };

pub fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub fn revision(number: u8) -> RevisionHash {
    RevisionHash::numbered(number)
}

/// The whole world in a few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the user")]
pub struct Cluster {
    /// What the user wrote.
    pub wanted: u8,
    /// Whether the bundle of what is wanted is there.
    pub bundled: bool,
    pub pods: i32,
    pub approved: bool,
    pub abort: bool,
    pub suspended: bool,
    pub capacity: Capacity,
    pub promotion: Promotion,
    /// What the cluster shows.
    pub slots: Slots<Option<Slot>>,
    pub service: Option<Standing>,
    pub endpoints: Option<Standing>,
    pub evidence: Option<(Standing, bool)>,
    /// What the status says.
    pub memory: Memory,
    /// What really happened, for the invariants: revisions that had the traffic with evidence.
    pub proven: [bool; 4],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    pub revision: RevisionHash,
    pub wanted: i32,
    /// More than wanted, until the cluster has followed.
    pub ready: i32,
    pub unschedulable: i32,
}

impl Slot {
    /// What goes, has gone.
    fn follows(&mut self) {
        self.ready = self.ready.min(self.wanted - self.unschedulable);
    }
}

impl Cluster {
    pub fn new(capacity: Capacity, promotion: Promotion) -> Self {
        Self {
            wanted: 1,
            bundled: true,
            pods: 2,
            approved: false,
            abort: false,
            suspended: false,
            capacity,
            promotion,
            slots: Slots::default(),
            service: None,
            endpoints: None,
            evidence: None,
            memory: Memory::default(),
            proven: [false; 4],
        }
    }

    /// The first revision has stood its trial, and another one is wanted.
    pub fn settled(capacity: Capacity, promotion: Promotion) -> Self {
        let mut cluster = Self { approved: true, ..Self::new(capacity, promotion) };
        let blue = Standing { colour: Colour::Blue, revision: revision(1) };
        for _ in 0..20 {
            cluster = cluster.reconciled();
            if let Some(slot) = &mut cluster.slots.blue {
                slot.ready = slot.wanted;
                cluster.evidence = Some((blue, true));
            }
            cluster.endpoints = cluster.service;
        }
        assert_eq!(cluster.memory.stable, Some(blue));
        Self { wanted: 2, approved: false, ..cluster.tick().tick().tick().tick() }
    }

    pub fn slot(&self, standing: Standing) -> Option<Slot> {
        self.slots.get(standing.colour).filter(|slot| slot.revision == standing.revision)
    }

    pub fn facts(&self) -> Facts {
        let slot = |slot: &Option<Slot>| {
            slot.map(|slot| SlotFacts {
                revision: slot.revision,
                wanted: slot.wanted,
                existing: slot.wanted.max(slot.ready),
                available: slot.ready,
                unschedulable: slot.unschedulable,
                leaving: 0,
                current: slot.ready <= slot.wanted,
            })
        };
        let wanted = revision(self.wanted);
        let candidate = Colour::ALL
            .into_iter()
            .filter(|colour| self.service.is_none_or(|active| active.colour != *colour))
            .map(|colour| Standing { colour, revision: wanted })
            .find(|standing| self.slot(*standing).is_some());
        Facts {
            wish: Wish {
                revision: wanted,
                replicas: Replicas::Fixed(self.pods),
                promotion: self.promotion,
                approved: self.approved,
                abort: self.abort,
                abort_active: self.abort && self.service.is_some_and(|active| active.revision == wanted),
                capacity: self.capacity,
                seconds: SECONDS,
            },
            bundle_ready: self.bundled,
            active: self.service,
            slots: Slots { blue: slot(&self.slots.blue), green: slot(&self.slots.green) },
            routed: self.endpoints == self.service,
            answering: self.endpoints.and_then(|at| self.slot(at)).is_some_and(|slot| slot.ready > 0),
            previewed: candidate.and_then(|at| self.slot(at)).is_some_and(|slot| slot.ready == slot.wanted),
            evidence: match self.evidence {
                Some((of, passed)) if Some(of) == candidate => {
                    if passed {
                        Evidence::Passed
                    } else {
                        Evidence::Failed
                    }
                }
                _ => Evidence::Missing,
            },
            memory: self.memory,
        }
    }

    /// The operator's writes, in their order; the status last.
    pub fn writes(&self) -> Vec<Write> {
        let facts = self.facts();
        let stage = decide(&facts, now());
        let memory = remember(&facts, &stage, now());
        if self.suspended {
            return vec![Write::Status(Memory { suspended: true, ..self.memory })];
        }
        let mut writes = Vec::new();
        if !matches!(stage, Stage::Failing { .. }) {
            let candidate = stage.candidate().map(|candidate| candidate.standing);
            if let Some(standing) = candidate.filter(|standing| self.slot(*standing).is_none()) {
                writes.push(Write::Template(standing));
            }
            for colour in Colour::ALL {
                if let Some(pods) = capacity::size(&facts, &stage, colour, now())
                    && self.slots.get(colour).map_or(1, |slot| slot.wanted) != pods
                {
                    writes.push(Write::Scale(colour, pods));
                }
            }
            writes.extend(stage.switch().map(Write::Switch));
        }
        if memory != self.memory {
            writes.push(Write::Status(memory));
        }
        writes
    }

    pub fn perform(&mut self, write: Write) {
        match write {
            Write::Template(standing) => {
                assert!(self.service.is_none_or(|active| active.colour != standing.colour), "{self:?}");
                let wanted = self.slots.get(standing.colour).map_or(1, |slot| slot.wanted);
                let slot = Slot { revision: standing.revision, wanted, ready: 0, unschedulable: 0 };
                *self.slots.get_mut(standing.colour) = Some(slot);
                self.evidence = None;
            }
            Write::Scale(colour, pods) => {
                if self.service.is_some_and(|active| active.colour == colour) && self.capacity != Capacity::Recreate {
                    assert!(pods > 0, "the active slot is emptied: {self:?}");
                }
                let slot = self.slots.get_mut(colour).as_mut().expect("a slot to scale");
                if pods > slot.wanted {
                    self.evidence = None;
                }
                let gone = (slot.wanted - pods).max(0);
                slot.unschedulable = (slot.unschedulable - gone).clamp(0, pods);
                // The pods that are to go are still there, and ready, until the cluster has followed.
                slot.wanted = pods;
            }
            Write::Switch(to) => self.switch(to),
            Write::Status(memory) => self.memory = memory,
        }
    }

    pub fn switch(&mut self, to: Standing) {
        let slot = self.slot(to).expect("traffic goes to a slot that runs the revision");
        assert!(slot.ready.min(slot.wanted) > 0, "traffic goes to nobody: {self:?}");
        let proven = &mut self.proven[usize::from(number(to.revision))];
        if !*proven {
            assert_eq!(self.evidence, Some((to, true)), "traffic goes to a revision without positive evidence");
            assert_eq!(slot.ready, slot.wanted, "traffic goes to an incomplete slot");
            *proven = true;
        }
        self.service = Some(to);
    }

    /// What the world may do.
    pub fn events(&self) -> Vec<Self> {
        let mut after = Vec::new();
        let mut event = |change: &dyn Fn(&mut Self)| {
            let mut next = *self;
            change(&mut next);
            after.push(next);
        };
        // The user.
        for wanted in 1..=3 {
            event(&|next| {
                next.wanted = wanted;
                next.approved = false;
                next.abort = false;
            });
        }
        event(&|next| next.approved = true);
        event(&|next| next.abort = !next.abort);
        event(&|next| next.suspended = !next.suspended);
        event(&|next| next.pods = 3 - next.pods);
        // Another token: the failure is from before it.
        event(&|next| next.memory.failed = None);
        // The cluster.
        event(&|next| next.endpoints = next.service);
        event(&|next| *next = next.followed());
        for colour in Colour::ALL {
            let Some(slot) = self.slots.get(colour) else { continue };
            let mut pods = |ready: i32, unschedulable: i32, replaced: bool| {
                event(&|next| {
                    *next.slots.get_mut(colour) = Some(Slot { ready, unschedulable, ..*slot });
                    if replaced && next.evidence.is_some_and(|(of, _)| of.colour == colour) {
                        next.evidence = None;
                    }
                });
            };
            pods(slot.wanted, 0, false);
            if slot.ready > 0 {
                pods(slot.ready - 1, slot.unschedulable, false);
                pods(0, 0, true);
            }
            if slot.ready + slot.unschedulable < slot.wanted {
                pods(slot.ready, slot.unschedulable + 1, false);
            }
            let standing = Standing { colour, revision: slot.revision };
            if Some(standing) != self.service && slot.ready == slot.wanted && slot.wanted > 0 {
                event(&|next| next.evidence = Some((standing, true)));
                event(&|next| next.evidence = Some((standing, false)));
            }
        }
        after.push(self.tick());
        after
    }

    /// The pods that are to go have gone.
    pub fn followed(&self) -> Self {
        let mut next = *self;
        for slot in [&mut next.slots.blue, &mut next.slots.green].into_iter().flatten() {
            slot.follows();
        }
        next
    }

    /// Everything that is remembered grows older.
    pub fn tick(&self) -> Self {
        let older = |at: Timestamp| {
            let oldest = now() - SignedDuration::from_secs(OLDEST);
            (at - SignedDuration::from_secs(TICK)).max(oldest)
        };
        let mut next = *self;
        if let Some(reign) = &mut next.memory.active {
            reign.since = older(reign.since);
        }
        if let Some(candidate) = &mut next.memory.candidate {
            candidate.starting_since = older(candidate.starting_since);
            for time in [&mut candidate.verifying_since, &mut candidate.awaiting_since, &mut candidate.shrunk_at] {
                *time = time.map(older);
            }
        }
        next
    }

    /// A reconcile, and all its ways to die: after any write, with or without the status.
    pub fn reconciles(&self) -> Vec<Self> {
        let writes = self.writes();
        let mut after = Vec::new();
        let mut next = *self;
        for write in &writes {
            next.perform(*write);
            after.push(next);
        }
        // The write of an object was refused because it had changed, and the status is written all the same.
        if let Some(Write::Status(memory)) = writes.last() {
            after.push(Self { memory: *memory, ..*self });
        }
        after
    }

    /// A whole reconcile.
    pub fn reconciled(&self) -> Self {
        self.writes().into_iter().fold(*self, |mut next, write| {
            next.perform(write);
            next
        })
    }

    /// What is an end: nothing more happens until something else does.
    pub fn is_end(&self) -> bool {
        if self.suspended {
            return true;
        }
        let facts = self.facts();
        match decide(&facts, now()) {
            Stage::Settled | Stage::GivenUp | Stage::Syncing => true,
            // Blocked: reported, and waiting for what only the cluster can give.
            Stage::Returning { possible, .. } => !possible,
            Stage::Promoting { deadline } => now() >= deadline,
            Stage::Preparing { deadline, .. } => now() >= deadline && self.service.is_none(),
            Stage::Switching { .. } | Stage::Observing { .. } | Stage::Failing { .. } => false,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Write {
    Template(Standing),
    Scale(Colour, i32),
    Switch(Standing),
    Status(Memory),
}

fn number(revision: RevisionHash) -> u8 {
    (0..=3).find(|number| RevisionHash::numbered(*number) == revision).expect("one of three")
}
