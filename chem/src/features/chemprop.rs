//! The scheme `chemprop-v2`: the default features of Chemprop 2 for atoms and directed bonds, hydrogens not as atoms.

use crate::hybrid::{Hybridisation, hybridisation};
use crate::molecule::{Atom, Bond, Geometry, Handedness, Molecule, Order};
use crate::periodic;

/// Features of an atom: one-hot of element (H to Kr, I), neighbours (0 to 5), charge, chirality, hydrogens (0 to 4) and
/// hybridisation, each with one more place for what is none of these; then whether it is aromatic, and its mass / 100.
pub const ATOM_FEATURES: usize = 72;
/// Features of a bond: whether there is none; one-hot of its type; conjugated; in a ring; one-hot of its stereochemistry.
pub const BOND_FEATURES: usize = 14;

/// A molecule as numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FloatGraph {
    /// [`ATOM_FEATURES`] for each atom.
    pub atoms: Vec<f32>,
    /// [`BOND_FEATURES`] for each directed bond.
    pub bonds: Vec<f32>,
    /// Source and target atom of each directed bond; the reverse of bond i is bond i xor 1.
    pub connectivity: Vec<[u32; 2]>,
}

/// The features of a molecule. Those of chirality and of E and Z say that there is none unless it was read with
/// [`Stereo::Perceived`](crate::Stereo::Perceived); without, they are what Chemprop gives for a molecule that was read with
/// [`Stereo::Ignored`](crate::Stereo::Ignored).
pub fn graph(molecule: &Molecule) -> FloatGraph {
    let mut graph = FloatGraph::default();
    for (index, atom) in molecule.atoms.iter().enumerate() {
        graph.push_atom(atom, molecule.total_degree(index), hybridisation(molecule, index));
    }
    for bond in &molecule.bonds {
        let [one, other] = bond.atoms.map(|atom| u32::try_from(atom).unwrap_or(u32::MAX));
        for ends in [[one, other], [other, one]] {
            graph.push_bond(bond);
            graph.connectivity.push(ends);
        }
    }
    graph
}

impl FloatGraph {
    fn push_atom(&mut self, atom: &Atom, degree: i32, hybridisation: Hybridisation) {
        let element = match atom.number() {
            number @ 1..=36 => place(number - 1, 37),
            53 => 36,
            _ => 37,
        };
        let charge = [-1, -2, 1, 2, 0].iter().position(|&charge| charge == atom.charge).unwrap_or(5);
        let hybridisation = match hybridisation {
            Hybridisation::S => 0,
            Hybridisation::Sp => 1,
            Hybridisation::Sp2 => 2,
            Hybridisation::Sp3 => 4,
            Hybridisation::Sp3d => 5,
            Hybridisation::Sp3d2 => 6,
            Hybridisation::Other => 7,
        };
        one_hot(&mut self.atoms, element, 38);
        one_hot(&mut self.atoms, place(degree, 6), 7);
        one_hot(&mut self.atoms, charge, 6);
        one_hot(&mut self.atoms, chirality(atom.handedness), 5);
        one_hot(&mut self.atoms, place(atom.hydrogens(), 5), 6);
        one_hot(&mut self.atoms, hybridisation, 8);
        self.atoms.push(f32::from(u8::from(atom.aromatic)));
        #[expect(clippy::cast_possible_truncation, reason = "the network takes no more digits")]
        self.atoms.push((0.01 * periodic::mass(atom)) as f32);
    }

    fn push_bond(&mut self, bond: &Bond) {
        let order = match bond.order {
            Order::Single => 1,
            Order::Double => 2,
            Order::Triple => 3,
            Order::Aromatic => 4,
        };
        one_hot(&mut self.bonds, order, 5);
        self.bonds.push(f32::from(u8::from(bond.conjugated)));
        self.bonds.push(f32::from(u8::from(bond.in_ring())));
        one_hot(&mut self.bonds, geometry(bond.geometry), 7);
    }
}

/// RDKit's number of a chiral tag.
fn chirality(handedness: Option<Handedness>) -> usize {
    match handedness {
        None => 0,
        Some(Handedness::Clockwise) => 1,
        Some(Handedness::Counterclockwise) => 2,
    }
}

/// RDKit's number of a bond's stereochemistry; 1 is one that is said to be unknown.
fn geometry(geometry: Option<Geometry>) -> usize {
    match geometry {
        None => 0,
        Some(Geometry::Z) => 2,
        Some(Geometry::E) => 3,
    }
}

/// A small number's place, or the last one.
fn place(number: i32, last: usize) -> usize {
    usize::try_from(number).map_or(last, |number| number.min(last))
}

fn one_hot(features: &mut Vec<f32>, place: usize, places: usize) {
    let begin = features.len();
    features.resize(begin + places, 0.0);
    features[begin + place] = 1.0;
}
