//! The machine, checked exhaustively: every interleaving of what the cluster, the user, the clock and a dying operator can do, breadth
//! first from nothing and from a settled revision, each state once.
//!
//! A state is a small cluster: three revisions, two slots with up to two pods that go some time after they are told to, a Service whose
//! endpoints lag, evidence, and the status.
//! The clock stands still and times grow older, so that states that differ only by the hour are one state. A tick is fifteen seconds.
//!
//! | in every state | |
//! |---|---|
//! | a switch goes to ready pods only, and to unproven ones never | [`Cluster::switch`] |
//! | the active slot is neither emptied nor given another revision, unless `Recreate` asks for it | [`Cluster::perform`] |
//! | left alone, the operator comes to rest, in a state that is an end, with nothing left to write | [`ends`] |

mod cluster;
mod table;

use std::collections::{HashSet, VecDeque};

use chemmodel_crds::spec::Capacity;

use super::facts::Promotion;
use cluster::Cluster;

/// Left alone, with nothing but reconciles and time, the operator comes to an end and stays there.
fn ends(start: Cluster, known: &mut HashSet<Cluster>) {
    let mut path = Vec::new();
    let mut state = start;
    while !known.contains(&state) {
        path.push(state);
        assert!(path.len() < 100, "no end from {start:?}; at last {state:?}");
        let next = state.reconciled().followed();
        if next == state {
            let later = state.tick();
            if later == state {
                assert!(state.is_end(), "at rest, and not at an end: {state:?}");
                break;
            }
            state = later;
        } else {
            state = next;
        }
    }
    known.extend(path);
}

/// Visits states breadth first, at most `limit` of them; returns how many, and the depth.
fn explore(start: Cluster, limit: usize) -> (usize, usize) {
    let mut seen = HashSet::from([start]);
    let mut ended = HashSet::new();
    let mut queue = VecDeque::from([(start, 0)]);
    let mut deepest = 0;
    while let Some((state, depth)) = queue.pop_front() {
        deepest = depth;
        ends(state, &mut ended);
        for next in state.reconciles().into_iter().chain(state.events()) {
            if seen.len() < limit && seen.insert(next) {
                queue.push_back((next, depth + 1));
            }
        }
    }
    (seen.len(), deepest)
}

fn explore_all(limit: usize) -> usize {
    let capacities = [Capacity::Surge, Capacity::Shrink, Capacity::Recreate, Capacity::Auto];
    let promotions = [Promotion::AtOnce, Promotion::After(15), Promotion::ByHand];
    let mut states = 0;
    for capacity in capacities {
        for promotion in promotions {
            for start in [Cluster::new(capacity, promotion), Cluster::settled(capacity, promotion)] {
                let (visited, depth) = explore(start, limit);
                println!("{capacity:?} {promotion:?}: {visited} states, to depth {depth}");
                states += visited;
            }
        }
    }
    states
}

#[test]
fn no_interleaving_of_a_million_states_harms_the_traffic_and_every_one_ends() {
    let states = explore_all(45_000);
    assert!(states >= 1_000_000, "only {states} states");
}
