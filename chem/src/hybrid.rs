//! Hybridisation after RDKit: by the number of bonds and lone pairs of an atom, and flat where a bond is conjugated.

use crate::molecule::Molecule;
use crate::periodic::outer_electrons;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Hybridisation {
    S,
    Sp,
    Sp2,
    Sp3,
    Sp3d,
    Sp3d2,
    Other,
}

pub(crate) fn hybridisation(molecule: &Molecule, index: usize) -> Hybridisation {
    // RDKit takes the mark of a stereocentre at its word.
    if molecule.atoms[index].is_marked && molecule.total_degree(index) == 4 {
        return Hybridisation::Sp3;
    }
    let conjugated = || molecule.links(index).iter().any(|link| molecule.bonds[link.bond].conjugated);
    match bonds_and_lone_pairs(molecule, index) {
        0 | 1 => Hybridisation::S,
        2 => Hybridisation::Sp,
        3 => Hybridisation::Sp2,
        4 if molecule.total_degree(index) <= 3 && conjugated() => Hybridisation::Sp2,
        4 => Hybridisation::Sp3,
        5 => Hybridisation::Sp3d,
        6 => Hybridisation::Sp3d2,
        _ => Hybridisation::Other,
    }
}

fn bonds_and_lone_pairs(molecule: &Molecule, index: usize) -> i32 {
    let atom = &molecule.atoms[index];
    let degree = molecule.total_degree(index);
    if atom.number() <= 1 {
        return degree;
    }
    let outer = outer_electrons(atom.number());
    let free = outer - atom.valence() - atom.charge;
    // Below an octet, unpaired electrons have orbitals of their own.
    if atom.valence() + outer - atom.charge < 8 {
        degree + (free - atom.radicals) / 2 + atom.radicals
    } else {
        degree + free / 2
    }
}
