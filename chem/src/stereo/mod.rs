//! Stereochemistry as RDKit perceives it by default (what it calls legacy): which of the stereocentres and double bonds that the
//! text marks are stereogenic, and which way round they are.
//!
//! ```text
//! text --marks--> what the text says --written--> the same of the molecule's own bonds, hydrogens merged
//!      --centres, double_bonds, by ranks, in turns--> labels of centres, geometries of double bonds
//!      --ring_centres--> centres that are stereogenic by their rings alone; the others lose their mark
//! ```
//!
//! Only marked molecules come here. RDKit's default is not the last word of the rules of Cahn, Ingold and Prelog, and neither is this.

mod centres;
mod double_bonds;
mod marks;
mod order;
mod ranks;
mod ring_centres;
mod written;

pub(crate) use self::written::Written;

use self::centres::Centres;
use self::double_bonds::DoubleBonds;
use self::ranks::Ranks;
use crate::error::Problem;
use crate::hybrid::{Hybridisation, hybridisation};
use crate::molecule::Molecule;
use crate::rings::Ring;
use crate::valence;

/// Keeps the handedness of stereocentres, takes it from other atoms, and gives double bonds their geometry.
pub(crate) fn perceive(molecule: &mut Molecule, rings: &[Ring], written: Written) -> Result<(), Problem> {
    for index in 0..molecule.atoms.len() {
        if hybridisation(molecule, index) != Hybridisation::Sp3 {
            molecule.atoms[index].handedness = None;
        }
    }
    let mut ranks = Ranks::new(molecule, &written.classes)?;
    let mut centres = Centres::new(molecule, rings);
    let mut double_bonds = DoubleBonds::new(molecule, written);
    loop {
        let by_centres = centres.assign(molecule, &ranks);
        let by_bonds = double_bonds.assign(molecule, &ranks);
        let open = by_centres.open || by_bonds.open;
        if !open || !(by_centres.changed || by_bonds.changed) {
            break;
        }
        // What is known now may tell apart what looked alike before.
        ranks.refine(molecule, &centres.labels)?;
    }
    let in_rings = ring_centres::find(molecule, rings, &centres.labels, &ranks);
    for (index, (label, in_ring)) in centres.labels.iter().zip(in_rings).enumerate() {
        if label.is_none() && !in_ring && molecule.atoms[index].handedness.is_some() {
            unmark(molecule, index);
        }
    }
    Ok(())
}

/// What one turn did.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// Something could be stereogenic, but is not known to be.
    open: bool,
    changed: bool,
}

/// RDKit takes the hydrogen of `[C@H]` to be there for the mark alone.
fn unmark(molecule: &mut Molecule, index: usize) {
    let atom = &mut molecule.atoms[index];
    atom.handedness = None;
    if atom.explicit_hydrogens == 1 && atom.charge == 0 && !atom.aromatic {
        atom.explicit_hydrogens = 0;
        atom.explicit_valence -= 1;
        atom.in_brackets = false;
        atom.implicit_hydrogens = valence::implicit_hydrogens(atom).unwrap_or(0);
    }
}
