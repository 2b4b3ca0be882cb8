//! Every phase in every situation: what it comes to when the operator has done what it can without waiting.

use chemmodel_crds::spec::Capacity;
use chemmodel_crds::status::Colour;

use super::cluster::{Cluster, Slot, now, revision};
use crate::plan::rollout::facts::{Promotion, Standing};
use crate::plan::rollout::{Stage, Step, decide};

/// Where a rollout is, as a user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Syncing,
    Starting,
    Verifying,
    Awaiting,
    Promoting,
    Observing,
    Stable,
    Aborted,
    RolledBack,
    NoWayBack,
}

use Phase::{Aborted, Awaiting, NoWayBack, Observing, Promoting, RolledBack, Stable, Starting, Syncing, Verifying};

type Happening = fn(&mut Cluster);

/// What may happen. `own` is the slot of the revision that the phase is about, `old` the other one.
const SITUATIONS: [(&str, Happening); 13] = [
    ("its bundle is there", |cluster| cluster.bundled = true),
    ("its pods are ready", |cluster| ready(cluster, own(cluster), 2)),
    ("one of its pods is lost", |cluster| ready(cluster, own(cluster), 1)),
    ("all its pods are lost", |cluster| ready(cluster, own(cluster), 0)),
    ("the old pods are lost", |cluster| ready(cluster, own(cluster).other(), 0)),
    ("its answers are right", |cluster| cluster.evidence = Some((standing(cluster, own(cluster)), true))),
    ("an answer is wrong", |cluster| cluster.evidence = Some((standing(cluster, own(cluster)), false))),
    ("it is approved", |cluster| cluster.approved = true),
    ("it is aborted", |cluster| cluster.abort = true),
    ("the endpoints follow", |cluster| cluster.endpoints = cluster.service),
    ("the spec goes back to the first revision", |cluster| cluster.wanted = 1),
    ("the spec goes on to a third one", |cluster| cluster.wanted = 3),
    ("all the time of the spec passes", |cluster| *cluster = cluster.tick().tick().tick().tick()),
];

/// A row for each phase, in the order of [`SITUATIONS`].
fn expected(phase: Phase) -> [Phase; 13] {
    match phase {
        Syncing => [
            Starting, Syncing, Syncing, Syncing, Syncing, Syncing, Syncing, Syncing, Aborted, Syncing, Stable, Syncing,
            Syncing,
        ],
        Starting => [
            Starting, Verifying, Starting, Starting, Starting, Starting, Starting, Starting, Aborted, Starting, Stable,
            Starting, Aborted,
        ],
        Verifying => [
            Verifying, Verifying, Starting, Starting, Verifying, Awaiting, Aborted, Verifying, Aborted, Verifying,
            Stable, Starting, Aborted,
        ],
        Awaiting => [
            Awaiting, Awaiting, Starting, Starting, Awaiting, Awaiting, Aborted, Promoting, Aborted, Awaiting, Stable,
            Starting, Aborted,
        ],
        Promoting => [
            Promoting, Promoting, Promoting, RolledBack, Promoting, Promoting, Promoting, Promoting, RolledBack,
            Observing, Stable, Promoting, Promoting,
        ],
        Observing => [
            Observing, Observing, Observing, RolledBack, Observing, Observing, Observing, Observing, RolledBack,
            Observing, Stable, Observing, Stable,
        ],
        Stable => {
            [Stable, Stable, Stable, Stable, Stable, Stable, Stable, Stable, Stable, Stable, Starting, Starting, Stable]
        }
        Aborted => [
            Aborted, Aborted, Aborted, Aborted, Aborted, Aborted, Aborted, Aborted, Aborted, Aborted, Stable, Starting,
            Aborted,
        ],
        RolledBack => [
            RolledBack, RolledBack, RolledBack, RolledBack, RolledBack, RolledBack, RolledBack, RolledBack, RolledBack,
            RolledBack, Stable, Starting, RolledBack,
        ],
        NoWayBack => [
            NoWayBack, NoWayBack, NoWayBack, NoWayBack, NoWayBack, NoWayBack, NoWayBack, NoWayBack, NoWayBack,
            NoWayBack, NoWayBack, NoWayBack, NoWayBack,
        ],
    }
}

#[test]
fn every_phase_in_every_situation_comes_to_what_the_table_says() {
    let mut wrong = Vec::new();
    for phase in [Syncing, Starting, Verifying, Awaiting, Promoting, Observing, Stable, Aborted, RolledBack, NoWayBack]
    {
        let start = reach(phase);
        assert_eq!(phase_of(&start), phase, "the way there is another one now");
        for ((situation, happens), expected) in SITUATIONS.iter().zip(expected(phase)) {
            let mut cluster = start;
            happens(&mut cluster);
            let found = phase_of(&rest(cluster));
            if found != expected {
                wrong.push(format!("{phase:?}, {situation}: {found:?}, and not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A cluster in which the rollout of the second revision is in that phase; promotion is by hand.
fn reach(phase: Phase) -> Cluster {
    let after = |phase: Phase, happens: &dyn Fn(&mut Cluster)| {
        let mut cluster = reach(phase);
        happens(&mut cluster);
        rest(cluster)
    };
    match phase {
        Syncing => rest(Cluster { bundled: false, ..Cluster::settled(Capacity::Surge, Promotion::ByHand) }),
        Starting => after(Syncing, &|cluster| cluster.bundled = true),
        Verifying => after(Starting, &|cluster| ready(cluster, Colour::Green, 2)),
        Awaiting => after(Verifying, &|cluster| cluster.evidence = Some((standing(cluster, Colour::Green), true))),
        Promoting => after(Awaiting, &|cluster| cluster.approved = true),
        Observing => after(Promoting, &|cluster| cluster.endpoints = cluster.service),
        Stable => after(Observing, &|cluster| *cluster = cluster.tick().tick().tick().tick()),
        Aborted => after(Verifying, &|cluster| cluster.evidence = Some((standing(cluster, Colour::Green), false))),
        RolledBack => after(Observing, &|cluster| ready(cluster, Colour::Green, 0)),
        NoWayBack => after(Observing, &|cluster| {
            ready(cluster, Colour::Blue, 0);
            cluster.abort = true;
        }),
    }
}

fn phase_of(cluster: &Cluster) -> Phase {
    let given_up = |cluster: &Cluster| match cluster.memory.failed.map(|failed| failed.outcome) {
        Some(chemmodel_crds::status::Outcome::RolledBack) => RolledBack,
        _ => Aborted,
    };
    match decide(&cluster.facts(), now()) {
        Stage::Settled => Stable,
        Stage::Syncing => Syncing,
        Stage::Preparing { step: Step::Starting, .. } => Starting,
        Stage::Preparing { step: Step::Verifying, .. } => Verifying,
        Stage::Preparing { step: Step::AwaitingPromotion, .. } => Awaiting,
        Stage::Promoting { .. } => Promoting,
        Stage::Observing { .. } => Observing,
        Stage::Returning { possible: false, .. } => NoWayBack,
        Stage::GivenUp => given_up(cluster),
        stage @ (Stage::Switching { .. } | Stage::Returning { .. } | Stage::Failing { .. }) => {
            panic!("not at rest: {stage:?}")
        }
    }
}

/// The operator does what it can without waiting.
fn rest(mut cluster: Cluster) -> Cluster {
    for _ in 0..20 {
        cluster = cluster.reconciled().followed();
    }
    cluster
}

/// The slot that the phase is about: the second revision's.
fn own(cluster: &Cluster) -> Colour {
    let of_second = |colour: &Colour| cluster.slots.get(*colour).is_some_and(|slot| slot.revision == revision(2));
    Colour::ALL.into_iter().find(of_second).unwrap_or(Colour::Green)
}

fn standing(cluster: &Cluster, colour: Colour) -> Standing {
    Standing { colour, revision: cluster.slots.get(colour).map_or(revision(2), |slot| slot.revision) }
}

fn ready(cluster: &mut Cluster, colour: Colour, pods: i32) {
    if let Some(slot) = cluster.slots.get_mut(colour) {
        *slot = Slot { ready: pods.min(slot.wanted), unschedulable: 0, ..*slot };
    }
}
