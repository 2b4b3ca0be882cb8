//! Atoms that are stereocentres although two of their neighbours are alike, because these are parts of one ring: the two carbons of
//! `C[C@H]1CC[C@@H](C)CC1`. One alone is none: it takes two in one system of rings.

use rustc_hash::FxHashSet;

use super::centres::Label;
use super::ranks::Ranks;
use crate::molecule::Molecule;
use crate::rings::Ring;

/// Which atoms are.
pub(super) fn find(molecule: &Molecule, rings: &[Ring], labels: &[Option<Label>], ranks: &Ranks) -> Vec<bool> {
    let mut found = vec![false; molecule.atoms.len()];
    let mut seen = found.clone();
    for start in 0..molecule.atoms.len() {
        if seen[start] || !molecule.atoms[start].in_ring() {
            continue;
        }
        seen[start] = true;
        let mut system = vec![start];
        let mut next = 0;
        while let Some(&atom) = system.get(next) {
            next += 1;
            for link in molecule.links(atom) {
                if molecule.bonds[link.bond].in_ring() && !seen[link.atom] {
                    seen[link.atom] = true;
                    system.push(link.atom);
                }
            }
        }
        let is_unlabelled = |atom: usize| molecule.atoms[atom].handedness.is_some() && labels[atom].is_none();
        system.retain(|&atom| is_unlabelled(atom) && may_be(molecule, rings, ranks, atom));
        if let [_, _, ..] = system[..] {
            for atom in system {
                found[atom] = true;
            }
        }
    }
    found
}

/// Whether its neighbours in rings are alike, and those outside, if there are two, are not.
fn may_be(molecule: &Molecule, rings: &[Ring], ranks: &Ranks, index: usize) -> bool {
    let atom = &molecule.atoms[index];
    if atom.number() == 7
        && molecule.total_degree(index) == 3
        && atom.ring != 3
        && !is_bridgehead(molecule, rings, index)
    {
        return false;
    }
    let ranks_of = |in_ring: bool| -> Vec<usize> {
        let links = molecule.links(index).iter().filter(|link| molecule.bonds[link.bond].in_ring() == in_ring);
        links.map(|link| ranks.of(link.atom)).collect()
    };
    let (outside, mut inside) = (ranks_of(false), ranks_of(true));
    let neighbours = inside.len();
    inside.sort_unstable();
    inside.dedup();
    let distinct = inside.len();
    match outside[..] {
        [one, other] => one != other && distinct < neighbours,
        [_] => distinct < neighbours,
        [] => matches!((neighbours, distinct), (4, 3) | (3, 2)),
        _ => false,
    }
}

/// RDKit's bridgehead: three bonds in rings at least, and each ring at the atom shares two bonds with another one at the atom.
pub(super) fn is_bridgehead(molecule: &Molecule, rings: &[Ring], index: usize) -> bool {
    let bonds: Vec<usize> =
        molecule.links(index).iter().map(|link| link.bond).filter(|&bond| molecule.bonds[bond].in_ring()).collect();
    if bonds.len() < 3 {
        return false;
    }
    let at_atom: Vec<&Ring> = rings.iter().filter(|ring| ring.bonds.iter().any(|bond| bonds.contains(bond))).collect();
    let mut shares = vec![false; at_atom.len()];
    for (one, ring) in at_atom.iter().enumerate() {
        let own: FxHashSet<usize> = ring.bonds.iter().copied().collect();
        let in_common = |other: &Ring| other.bonds.iter().filter(|bond| own.contains(bond)).count();
        // The first such ring is as far as RDKit looks.
        if let Some(other) = (one + 1..at_atom.len()).find(|&other| in_common(at_atom[other]) >= 2) {
            shares[one] = true;
            shares[other] = true;
        }
        if !shares[one] {
            return false;
        }
    }
    true
}
