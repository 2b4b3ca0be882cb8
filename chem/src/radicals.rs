//! Unpaired electrons of atoms in brackets: what their octet, or a higher valence of theirs, lacks.

use crate::molecule::Molecule;
use crate::periodic::{outer_electrons, valences};

pub(crate) fn assign(molecule: &mut Molecule) {
    for index in 0..molecule.atoms.len() {
        if molecule.atoms[index].in_brackets {
            molecule.atoms[index].radicals = unpaired(molecule, index);
        }
    }
}

fn unpaired(molecule: &Molecule, index: usize) -> i32 {
    let atom = &molecule.atoms[index];
    let (number, charge) = (atom.number(), atom.charge);
    let outer = outer_electrons(number);
    if valences(number) == [-1] {
        return if molecule.degree(index) > 0 { 0 } else { (outer - charge).max(0) % 2 };
    }
    let bonds = molecule.links(index).iter().map(|link| molecule.bonds[link.bond].order.twice()).sum::<i32>();
    let valence = bonds / 2 + atom.explicit_hydrogens;
    let shell = if number <= 2 { 2 } else { 8 };
    let mut lacking = shell - outer - valence + charge;
    if lacking < 0 {
        let higher = valences(number).iter().map(|allowed| allowed - valence + charge).find(|&free| free >= 0);
        lacking = if valences(number).len() > 1 { higher.unwrap_or(0) } else { 0 };
    }
    let unshared = outer - valence - charge;
    if unshared >= 0 { lacking.min(unshared) } else { lacking }
}
