//! Tetrahedral stereocentres: atoms whose neighbours all differ, and R or S of those that are marked.

use super::Turn;
use super::order::is_odd;
use super::ranks::Ranks;
use super::ring_centres::is_bridgehead;
use crate::hybrid::{Hybridisation, hybridisation};
use crate::molecule::{Handedness, Molecule};
use crate::rings::Ring;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    R,
    S,
}

#[derive(Debug)]
pub(super) struct Centres {
    /// Atoms that may be stereocentres, whatever their neighbours are.
    possible: Vec<bool>,
    pub labels: Vec<Option<Label>>,
}

impl Centres {
    pub fn new(molecule: &Molecule, rings: &[Ring]) -> Self {
        let possible = (0..molecule.atoms.len()).map(|index| is_possible(molecule, rings, index)).collect();
        Self { possible, labels: vec![None; molecule.atoms.len()] }
    }

    /// Labels marked atoms whose neighbours have different ranks.
    pub fn assign(&mut self, molecule: &Molecule, ranks: &Ranks) -> Turn {
        let mut turn = Turn { open: false, changed: false };
        for (index, label) in self.labels.iter_mut().enumerate() {
            if label.is_some() || !self.possible[index] {
                continue;
            }
            match molecule.atoms[index].handedness.and_then(|handedness| labelled(molecule, ranks, index, handedness)) {
                Some(found) => {
                    *label = Some(found);
                    turn.changed = true;
                }
                None => turn.open = true,
            }
        }
        turn
    }
}

/// None when two neighbours have the same rank.
fn labelled(molecule: &Molecule, ranks: &Ranks, index: usize, handedness: Handedness) -> Option<Label> {
    let around: Vec<usize> = molecule.links(index).iter().map(|link| ranks.of(link.atom)).collect();
    if around.iter().enumerate().any(|(place, rank)| around[..place].contains(rank)) {
        return None;
    }
    // A hydrogen that is no atom is the lowest, and comes behind all bonds.
    let hydrogen = around.len() == 3 && molecule.atoms[index].hydrogens() == 1;
    Some(match handedness.inverted_if(is_odd(&around) != hydrogen) {
        Handedness::Clockwise => Label::R,
        Handedness::Counterclockwise => Label::S,
    })
}

/// Which elements are stereocentres with how many neighbours, by the rules of `InChI` and some of RDKit's own.
fn is_possible(molecule: &Molecule, rings: &[Ring], index: usize) -> bool {
    let atom = &molecule.atoms[index];
    let links = molecule.links(index);
    let phosphine = matches!(atom.number(), 15 | 33);
    match (links.len(), molecule.total_degree(index)) {
        (_, ..=2 | 5..) => false,
        (..=2, _) => phosphine,
        (3, _) if atom.hydrogens() == 1 => {
            let is_hydrogen = |neighbour: usize| {
                let neighbour = &molecule.atoms[neighbour];
                neighbour.number() == 1 && neighbour.isotope.is_none()
            };
            !links.iter().any(|link| is_hydrogen(link.atom))
        }
        (3, _) => match atom.number() {
            7 => {
                hybridisation(molecule, index) == Hybridisation::Sp3
                    && !links.iter().any(|link| molecule.bonds[link.bond].conjugated)
                    && (atom.ring == 3 || is_bridgehead(molecule, rings, index))
            }
            16 | 34 => atom.explicit_valence == 4 || (atom.explicit_valence == 3 && atom.charge == 1),
            _ => phosphine,
        },
        _ => true,
    }
}
