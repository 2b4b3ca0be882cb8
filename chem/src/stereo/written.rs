//! What is marked, told of the bonds as RDKit orders them: handedness by the order of an atom's bonds, directions by the bonds' ends.
//! Merging a hydrogen into its neighbour changes both.

use super::marks::{self, Direction};
use super::order::is_odd;
use crate::molecule::{Atom, Bond, Handedness, Molecule, Order};
use crate::parse::Text;

/// More neighbours, no tetrahedral centre.
const MOST_NEIGHBOURS: usize = 4;

/// The marks of a text or, once [`merged`](Self::merge) and [`put`](Self::put_on), those of a molecule.
#[derive(Debug)]
pub(crate) struct Written {
    handedness: Vec<Option<Handedness>>,
    /// Numbers behind ':' of each atom, which RDKit takes into account; 0 is none, others are one more.
    pub(super) classes: Vec<u32>,
    /// Of each bond.
    pub(super) bonds: Vec<WrittenBond>,
    /// Bonds of each atom in their order.
    around: Vec<Vec<usize>>,
}

#[derive(Debug, Clone)]
pub(super) struct WrittenBond {
    atoms: [usize; 2],
    order: Order,
    /// One of its atoms.
    pub begin: usize,
    /// Read from there.
    pub direction: Option<Direction>,
}

impl WrittenBond {
    /// Read from one of its ends.
    pub fn direction_from(&self, atom: usize) -> Option<Direction> {
        if self.begin == atom { self.direction } else { self.direction.map(Direction::reversed) }
    }

    fn other(&self, atom: usize) -> usize {
        if self.atoms[0] == atom { self.atoms[1] } else { self.atoms[0] }
    }
}

impl Written {
    /// What the text marks, if anything. `atoms` and `bonds` are those of the text.
    pub fn read(smiles: &str, text: &Text, atoms: &[Atom], bonds: &[Bond]) -> Option<Self> {
        if !smiles.contains(['@', '/', '\\']) {
            return None;
        }
        let marks = marks::read(smiles, text);
        let mut written = Self {
            handedness: Vec::with_capacity(atoms.len()),
            classes: classes(smiles, text),
            bonds: bonds
                .iter()
                .map(|bond| WrittenBond { atoms: bond.atoms, order: bond.order, begin: bond.atoms[0], direction: None })
                .collect(),
            around: vec![Vec::new(); atoms.len()],
        };
        for (index, bond) in bonds.iter().enumerate() {
            for atom in bond.atoms {
                written.around[atom].push(index);
            }
        }
        for marked in &marks.bonds {
            if let Some(bond) = written.bond_between(marked.begin, marked.end) {
                written.bonds[bond].begin = marked.begin;
                written.bonds[bond].direction = marked.direction;
            }
        }
        for (index, (marked, atom)) in marks.atoms.iter().zip(atoms).enumerate() {
            let known = marked.handedness.filter(|_| written.around[index].len() <= MOST_NEIGHBOURS);
            let odd = known.is_some() && written.is_swapped(index, marked, atom);
            written.handedness.push(known.map(|handedness| handedness.inverted_if(odd)));
        }
        Some(written)
    }

    /// The text has closures before branches and the chain, RDKit behind all other bonds.
    fn is_swapped(&self, index: usize, marked: &marks::MarkedAtom, atom: &Atom) -> bool {
        let around = &self.around[index];
        let mut chain: Vec<usize> = around
            .iter()
            .map(|&bond| self.bonds[bond].other(index))
            .filter(|other| !marked.closures.contains(other))
            .collect();
        chain.sort_unstable();
        let before = chain.partition_point(|&other| other < index);
        let as_written = chain[..before].iter().chain(&marked.closures).chain(&chain[before..]);
        let places: Vec<Option<usize>> =
            as_written.map(|&other| around.iter().position(|&bond| self.bonds[bond].other(index) == other)).collect();
        // Three bonds and a hydrogen that is first in the text, or a lone pair that a closure precedes.
        let unsaturated = || around.iter().any(|&bond| self.bonds[bond].order.twice() > 2);
        let hydrogen = atom.explicit_hydrogens == 1;
        let one_more = around.len() == 3
            && ((marked.is_first && hydrogen) || (!hydrogen && marked.closures.len() == 1 && !unsaturated()));
        is_odd(&places) != one_more
    }

    /// Without the hydrogens that are merged into their neighbours, the last one first. `kept` leads from atoms of the text to those
    /// of the molecule.
    pub fn merge(&mut self, kept: &[Option<usize>]) {
        for hydrogen in (0..kept.len()).rev().filter(|&atom| kept[atom].is_none()) {
            if let Some(&bond) = self.around[hydrogen].first() {
                self.take(bond, self.bonds[bond].other(hydrogen));
            }
        }
        let remains = |bond: &WrittenBond| bond.atoms.iter().all(|&atom| kept[atom].is_some());
        self.bonds.retain(remains);
        for bond in &mut self.bonds {
            bond.begin = kept[bond.begin].unwrap_or_default();
            bond.atoms = bond.atoms.map(|atom| kept[atom].unwrap_or_default());
        }
        let mut flags = kept.iter();
        self.handedness.retain(|_| flags.next().is_some_and(Option::is_some));
        let mut flags = kept.iter();
        self.classes.retain(|_| flags.next().is_some_and(Option::is_some));
        self.around.clear();
    }

    /// Takes the bond of a hydrogen away from its neighbour.
    fn take(&mut self, bond: usize, neighbour: usize) {
        let around = &mut self.around[neighbour];
        let Some(place) = around.iter().position(|&other| other == bond) else { return };
        around.remove(place);
        // A hydrogen that is no atom comes behind all bonds.
        let odd = (around.len() - place) % 2 == 1;
        self.handedness[neighbour] = self.handedness[neighbour].map(|handedness| handedness.inverted_if(odd));
        let taken = self.bonds[bond].clone();
        let Some(direction) = taken.direction else { return };
        let singles =
            || self.around[neighbour].iter().copied().filter(|&other| self.bonds[other].order == Order::Single);
        if singles().any(|other| self.bonds[other].direction.is_some()) {
            return;
        }
        // The other bond is on the other side. RDKit forgets that where both bonds end at the atom.
        if let Some(other) = singles().next_back() {
            let both_begin = taken.begin == neighbour && self.bonds[other].begin == neighbour;
            self.bonds[other].direction = Some(if both_begin { direction.reversed() } else { direction });
        }
    }

    /// Tells the atoms of the molecule what is marked.
    pub fn put_on(&self, molecule: &mut Molecule) {
        for (atom, &handedness) in molecule.atoms.iter_mut().zip(&self.handedness) {
            atom.handedness = handedness;
            atom.is_marked = handedness.is_some();
        }
    }

    fn bond_between(&self, one: usize, other: usize) -> Option<usize> {
        self.around[one].iter().copied().find(|&bond| self.bonds[bond].other(one) == other)
    }
}

/// `[CH3:7]`; the parser does not tell `:0` from nothing.
fn classes(smiles: &str, text: &Text) -> Vec<u32> {
    let mut brackets =
        smiles.split('[').skip(1).map(|bracket| bracket.split(']').next().is_some_and(|inside| inside.contains(':')));
    let nodes = text.smiles.nodes().iter();
    nodes
        .map(|node| match node.is_bracket_atom().then(|| brackets.next()).flatten() {
            Some(true) => (u32::from(node.class()) + 1) % 1024,
            _ => 0,
        })
        .collect()
}
