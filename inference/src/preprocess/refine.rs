//! Colour refinement: which atoms and which directed bonds a message passing network cannot tell apart.
//!
//! After as many messages as there are levels before, what a network knows of an atom depends on its token, and on what it knew of its bonds and neighbours
//! one message earlier. Atoms for which all of this is equal form a class (one-dimensional Weisfeiler-Leman), have equal numbers in the network, and
//! are computed once. A polymer repeats its monomer, and each carbon its hydrogens: an oligomer of 300 atoms has 12 classes before the first message
//! and some 90 after the sixth. Classes are numbered by what they are, so the numbers do not depend on the order of the atoms.

use std::ops::Range;

use chemmodel_chem::features::nfp::TokenGraph;

use crate::engine::{Level, Refined};

/// The classes before the first message and after each one. Work grows with messages × bonds × log bonds.
pub fn refine(graph: &TokenGraph, messages: usize) -> Refined {
    let mut atoms = Classes::of(&graph.atoms);
    let mut bonds = Classes::of(&graph.bonds);
    let mut levels = Vec::with_capacity(messages + 1);
    levels.push(Level {
        atom: atoms.of_each(|first| graph.atoms[first]),
        atom_count: atoms.sizes(),
        bond: bonds.of_each(|first| graph.bonds[first]),
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
        let ends = |bond: usize| graph.connectivity[bond].map(|atom| atoms.class[at(atom)]);
        let keys: Vec<_> = bonds.class.iter().enumerate().map(|(bond, class)| (*class, ends(bond))).collect();
        let new_bonds = Classes::of(&keys);
        let mut level = Level {
            bond: new_bonds.of_each(|first| bonds.class[first]),
            bond_count: new_bonds.sizes(),
            source: new_bonds.of_each(|first| ends(first)[0]),
            target: new_bonds.of_each(|first| ends(first)[1]),
            ..Level::default()
        };
        if !is_last {
            let mut leaving = new_bonds.class.clone();
            for places in &places {
                leaving[places.clone()].sort_unstable();
            }
            let keys: Vec<_> =
                atoms.class.iter().zip(&places).map(|(class, at)| (*class, &leaving[at.clone()])).collect();
            let new_atoms = Classes::of(&keys);
            level.atom = new_atoms.of_each(|first| atoms.class[first]);
            level.atom_count = new_atoms.sizes();
            for (class, first) in (0..).zip(&new_atoms.first) {
                let (_, bonds) = keys[*first];
                level.sum_atom.resize(level.sum_atom.len() + bonds.len(), class);
                level.sum_bond.extend(bonds.iter().map(|bond| i64::from(*bond)));
            }
            settled = new_atoms.first.len() == atoms.first.len() && new_bonds.first.len() == bonds.first.len();
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

/// Things with equal keys, numbered in the order of the keys.
struct Classes {
    /// Of each thing.
    class: Vec<u32>,
    /// Of each class: one of its things.
    first: Vec<usize>,
}

impl Classes {
    fn of<Key: Ord>(keys: &[Key]) -> Self {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|thing| &keys[*thing]);
        let mut classes = Self { class: vec![0; keys.len()], first: Vec::new() };
        for thing in order {
            if classes.first.last().is_none_or(|first| keys[*first] != keys[thing]) {
                classes.first.push(thing);
            }
            classes.class[thing] = u32::try_from(classes.first.len() - 1).unwrap_or(u32::MAX);
        }
        classes
    }

    fn sizes(&self) -> Vec<i64> {
        let mut sizes = vec![0; self.first.len()];
        self.class.iter().for_each(|class| sizes[at(*class)] += 1);
        sizes
    }

    /// What all things of a class have in common.
    fn of_each(&self, common: impl Fn(usize) -> u32) -> Vec<i64> {
        self.first.iter().map(|first| i64::from(common(*first))).collect()
    }
}

fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "refine_tests.rs"]
mod tests;
