//! Colour refinement: which atoms and which directed bonds a message passing network cannot tell apart.
//!
//! After as many messages as there are levels before, what a network knows of an atom depends on its token, and on what it knew of its bonds and neighbours
//! one message earlier. Atoms for which all of this is equal form a class (one-dimensional Weisfeiler-Leman), have equal numbers in the network, and
//! are computed once. A polymer repeats its monomer, and each carbon its hydrogens: polystyrene of 18 units, 290 atoms, has 3 classes of them before
//! the first message and 94 after the sixth. Classes are numbered by what they are, so the numbers do not depend on the order of the atoms.

use std::iter;
use std::ops::Range;

use chemmodel_chem::features::nfp::TokenGraph;

use crate::engine::{Level, Refined};

/// The classes before the first message and after each one.
pub fn refine(graph: &TokenGraph, messages: usize) -> Refined {
    let mut atoms = Classes::one(graph.atoms.len()).divided(|atom| graph.atoms[atom]);
    let mut bonds = Classes::one(graph.bonds.len()).divided(|bond| graph.bonds[bond]);
    let mut levels = Vec::with_capacity(messages + 1);
    levels.push(Level {
        atom: atoms.of_each(|atom| graph.atoms[atom]),
        atom_count: atoms.sizes(),
        bond: bonds.of_each(|bond| graph.bonds[bond]),
        bond_count: bonds.sizes(),
        ..Level::default()
    });
    let places = places_of_leaving(graph);
    let mut settled = false;
    for message in 1..=messages {
        let is_last = message == messages;
        // Classes that one message did not divide will not be divided by another one.
        if settled {
            levels.extend(levels.last().cloned().map(|level| if is_last { bonds_alone(level) } else { level }));
            continue;
        }
        let ends: Vec<_> = graph.connectivity.iter().map(|ends| ends.map(|atom| atoms.class[at(atom)])).collect();
        let new_bonds = bonds.divided(|bond| ends[bond]);
        let mut level = Level {
            bond: new_bonds.of_each(|bond| bonds.class[bond]),
            bond_count: new_bonds.sizes(),
            source: new_bonds.of_each(|bond| ends[bond][0]),
            target: new_bonds.of_each(|bond| ends[bond][1]),
            ..Level::default()
        };
        if !is_last {
            let mut leaving = new_bonds.class.clone();
            for places in &places {
                leaving[places.clone()].sort_unstable();
            }
            let leaving = |atom: usize| &leaving[places[atom].clone()];
            let new_atoms = atoms.divided(leaving);
            level.atom = new_atoms.of_each(|atom| atoms.class[atom]);
            level.atom_count = new_atoms.sizes();
            for (number, class) in (0..).zip(&new_atoms.members) {
                let bonds = leaving(new_atoms.order[class.start]);
                level.sum_atom.resize(level.sum_atom.len() + bonds.len(), number);
                level.sum_bond.extend(bonds.iter().map(|bond| i64::from(*bond)));
            }
            settled = new_atoms.members.len() == atoms.members.len() && new_bonds.members.len() == bonds.members.len();
            atoms = new_atoms;
        }
        bonds = new_bonds;
        levels.push(level);
    }
    Refined { levels }
}

fn bonds_alone(level: Level) -> Level {
    Level {
        bond: level.bond,
        bond_count: level.bond_count,
        source: level.source,
        target: level.target,
        ..Level::default()
    }
}

/// Where the bonds that leave each atom are among all bonds, which are ordered by their source.
fn places_of_leaving(graph: &TokenGraph) -> Vec<Range<usize>> {
    let mut end = 0;
    (0..graph.atoms.len())
        .map(|atom| {
            let start = end;
            end += graph.connectivity[start..].iter().take_while(|[source, _]| at(*source) == atom).count();
            start..end
        })
        .collect()
}

/// Things that are alike, class after class.
struct Classes {
    /// Of each thing.
    class: Vec<u32>,
    /// All things, those of a class together.
    order: Vec<usize>,
    /// Of each class: where its things are in that order.
    members: Vec<Range<usize>>,
}

impl Classes {
    /// So many things that nothing tells apart yet.
    fn one(things: usize) -> Self {
        Self { class: vec![0; things], order: (0..things).collect(), members: iter::once(0..things).collect() }
    }

    /// Each class, divided where its things have different keys, in the order of the keys.
    fn divided<Key: Ord>(&self, key: impl Fn(usize) -> Key) -> Self {
        let mut divided = Self {
            class: vec![0; self.class.len()],
            order: self.order.clone(),
            members: Vec::with_capacity(self.order.len()),
        };
        for class in &self.members {
            let things = &mut divided.order[class.clone()];
            // Most classes stay whole.
            if !things.is_sorted_by(|one, other| key(*one) == key(*other)) {
                things.sort_unstable_by_key(|thing| key(*thing));
            }
            for things in things.chunk_by(|one, other| key(*one) == key(*other)) {
                let start = divided.members.last().map_or(0, |before| before.end);
                for thing in things {
                    divided.class[*thing] = u32::try_from(divided.members.len()).unwrap_or(u32::MAX);
                }
                divided.members.push(start..start + things.len());
            }
        }
        divided
    }

    fn sizes(&self) -> Vec<i64> {
        self.members.iter().map(|class| i64::try_from(class.len()).unwrap_or(i64::MAX)).collect()
    }

    /// What all things of a class have in common.
    fn of_each(&self, common: impl Fn(usize) -> u32) -> Vec<i64> {
        self.members.iter().map(|class| i64::from(common(self.order[class.start]))).collect()
    }
}

fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "refine_tests.rs"]
mod tests;
