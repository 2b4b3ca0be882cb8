//! What is refused although RDKit accepts it, because what is compared with RDKit (docs/chem-parity.md) does not vouch for
//! it. A wrong graph would give a wrong prediction without a word.

use elements_rs::Element;

use crate::error::Problem;
use crate::molecule::Molecule;

/// Elements that have bonds in at least 100 of the molecules that are compared.
const BONDED: [Element; 20] = [
    Element::H,
    Element::B,
    Element::C,
    Element::N,
    Element::O,
    Element::F,
    Element::Al,
    Element::Si,
    Element::P,
    Element::S,
    Element::Cl,
    Element::Ge,
    Element::As,
    Element::Se,
    Element::Br,
    Element::Sn,
    Element::Sb,
    Element::Te,
    Element::I,
    Element::Hg,
];

/// Elements that stand alone, as ions, in at least 100 of them.
const ALONE: [Element; 18] = [
    Element::Li,
    Element::Na,
    Element::Mg,
    Element::K,
    Element::Ca,
    Element::Ti,
    Element::Cr,
    Element::Mn,
    Element::Fe,
    Element::Co,
    Element::Ni,
    Element::Cu,
    Element::Zn,
    Element::Zr,
    Element::Ag,
    Element::Ba,
    Element::Pt,
    Element::Pb,
];

/// Refuses rare elements and bonds of metals.
pub(crate) fn elements(molecule: &Molecule) -> Result<(), Problem> {
    for (index, atom) in molecule.atoms.iter().enumerate() {
        if BONDED.contains(&atom.element) {
            continue;
        }
        if !ALONE.contains(&atom.element) {
            return Err(atom.problem("is of an element that is not supported".to_owned()));
        }
        if molecule.total_degree(index) > 0 {
            let what = "has bonds; of this element only ions without bonds are supported";
            return Err(atom.problem(what.to_owned()));
        }
    }
    Ok(())
}

/// Refuses atoms in lower case that do not have two aromatic bonds in rings.
pub(crate) fn lower_case(molecule: &Molecule) -> Result<(), Problem> {
    for (index, atom) in molecule.atoms.iter().enumerate().filter(|(_, atom)| atom.aromatic) {
        let bonds = molecule.links(index).iter().map(|link| &molecule.bonds[link.bond]);
        if bonds.filter(|bond| bond.aromatic && bond.in_ring()).count() < 2 {
            let what = "is written in lower case, as aromatic, but is not in a ring of such atoms";
            return Err(atom.problem(what.to_owned()));
        }
    }
    Ok(())
}

/// Refuses rings in lower case that are not aromatic: where their double bonds are would be a guess.
pub(crate) fn aromatic(molecule: &Molecule, lower_case: &[usize]) -> Result<(), Problem> {
    let Some(bond) = lower_case.iter().map(|&bond| &molecule.bonds[bond]).find(|bond| !bond.aromatic) else {
        return Ok(());
    };
    let what = "is in a ring that is written in lower case but is not aromatic: write it with its double bonds, and a \
                single bond between aromatic atoms as '-'";
    Err(molecule.atoms[bond.atoms[0]].problem(what.to_owned()))
}
