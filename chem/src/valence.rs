//! Valences and the hydrogens that follow from them. After RDKit's valence model: a charged atom has the valences of the
//! element with as many electrons, phosphorus, sulfur, arsenic and selenium may be hypervalent all the same.

use crate::error::Problem;
use crate::molecule::{Atom, Molecule};
use crate::periodic::{default_valence, highest_valence, valences};

/// The heaviest element.
const LAST: i32 = 118;

/// Gives each atom its valence and its implicit hydrogens, or names one that has too many bonds.
pub(crate) fn assign(molecule: &mut Molecule) -> Result<(), Problem> {
    for index in 0..molecule.atoms.len() {
        let valence = explicit(molecule, index);
        let atom = &mut molecule.atoms[index];
        check(atom, valence)?;
        atom.explicit_valence = valence;
        atom.implicit_hydrogens = implicit_hydrogens(atom)?;
    }
    Ok(())
}

/// Orders of an atom's bonds and its explicit hydrogens.
///
/// Aromatic bonds count one and a half each, which is too much for an atom that gives two electrons to its ring (the
/// nitrogen of pyrrole): it has the highest of its valences below the sum.
pub(crate) fn explicit(molecule: &Molecule, index: usize) -> i32 {
    of_bonds(molecule, index, molecule.atoms[index].explicit_hydrogens)
}

/// The same, as if all hydrogens were atoms.
pub(crate) fn of_all_bonds(molecule: &Molecule, index: usize) -> i32 {
    of_bonds(molecule, index, molecule.atoms[index].hydrogens())
}

fn of_bonds(molecule: &Molecule, index: usize, hydrogens: i32) -> i32 {
    let atom = &molecule.atoms[index];
    let bonds = molecule.links(index).iter().map(|link| molecule.bonds[link.bond].order.twice()).sum::<i32>();
    let mut twice = bonds + 2 * hydrogens;
    let number = electrons_as(atom);
    if atom.aromatic && twice > 2 * default_valence(number) {
        let reached = valences(number).iter().take_while(|&&valence| valence >= 0 && 2 * valence <= twice).last();
        let reached = 2 * reached.copied().unwrap_or(default_valence(number));
        if twice - reached <= 3 {
            twice = reached;
        }
    }
    (twice + 1).div_euclid(2)
}

/// The number of the neutral element with as many electrons; of an element that takes any valence, its own.
fn electrons_as(atom: &Atom) -> i32 {
    let number = atom.number();
    if valences(number) == [-1] { number } else { (number - atom.charge).clamp(0, LAST) }
}

fn may_be_hypervalent(atom: &Atom) -> bool {
    match atom.number() {
        15 | 16 => electrons_as(atom) > 16,
        33 | 34 => electrons_as(atom) > 34,
        _ => false,
    }
}

fn check(atom: &Atom, valence: i32) -> Result<(), Problem> {
    let own = highest_valence(atom.number());
    let (highest, offset) = if may_be_hypervalent(atom) {
        (own, -atom.charge)
    } else if atom.number() == 1 && atom.charge == -1 {
        (2, 0)
    } else {
        (highest_valence(electrons_as(atom)), 0)
    };
    if highest >= 0 && own >= 0 && valence + offset > highest {
        return Err(too_many(atom, valence, highest - offset));
    }
    Ok(())
}

fn too_many(atom: &Atom, valence: i32, highest: i32) -> Problem {
    let charge = if atom.charge == 0 { String::new() } else { format!(" with charge {:+}", atom.charge) };
    atom.problem(format!("has valence {valence}, more than {highest}{charge}: check its bonds, hydrogens and charge"))
}

/// Hydrogens that an atom has by its valence, which its unpaired electrons are part of.
pub(crate) fn implicit_hydrogens(atom: &Atom) -> Result<i32, Problem> {
    let default = default_valence(electrons_as(atom));
    if atom.in_brackets || electrons_as(atom) == 0 || default < 0 {
        return Ok(0);
    }
    let used = atom.explicit_valence + atom.radicals;
    let (allowed, valence) = if may_be_hypervalent(atom) {
        (valences(atom.number()), used - atom.charge)
    } else {
        (valences(electrons_as(atom)), used)
    };
    if atom.aromatic {
        if valence <= default {
            return Ok(default - valence);
        }
        if !allowed.contains(&valence) {
            return Err(atom.problem(format!("is aromatic with valence {valence}, which it cannot have")));
        }
        return Ok(0);
    }
    let reached = allowed.iter().find(|&&allowed| allowed >= valence);
    Ok(reached.map_or(0, |reached| reached - valence))
}
