//! Hydrogens written as atoms. RDKit merges them into their neighbours, but for those that say more than their presence:
//! isotopes, hydrides, bridges, hydrogens that have only one another, and those that show the geometry of a double bond.

use elements_rs::Element;
use smiles_rs::bond::{Bond as Written, bond_edge::BondEdge};

use crate::molecule::{Atom, Bond, Order, Stereo};
use crate::parse::Text;

/// The graph without them.
pub(crate) struct Merged {
    pub atoms: Vec<Atom>,
    pub bonds: Vec<Bond>,
    /// Where each atom of the text went.
    pub kept: Vec<Option<usize>>,
}

pub(crate) fn merge(text: &Text, mut atoms: Vec<Atom>, mut bonds: Vec<Bond>, stereo: Stereo) -> Merged {
    if atoms.iter().all(|atom| atom.element != Element::H) {
        let kept = (0..atoms.len()).map(Some).collect();
        return Merged { atoms, bonds, kept };
    }
    let mut goes = vec![false; atoms.len()];
    let degrees = degrees(atoms.len(), &bonds);
    for [one, other] in bonds.iter().map(|bond| bond.atoms) {
        for (hydrogen, neighbour) in [(one, other), (other, one)] {
            goes[hydrogen] |= is_plain(&atoms[hydrogen])
                && degrees[hydrogen] == 1
                && atoms[neighbour].element != Element::H
                && !(stereo != Stereo::Ignored
                    && shows_geometry(text, &bonds, hydrogen, neighbour, degrees[neighbour]));
        }
    }
    for [one, other] in bonds.iter().map(|bond| bond.atoms) {
        for (hydrogen, neighbour) in [(one, other), (other, one)] {
            atoms[neighbour].explicit_hydrogens += i32::from(goes[hydrogen]);
        }
    }
    let mut next = 0..;
    let kept: Vec<Option<usize>> = goes.iter().map(|&goes| if goes { None } else { next.next() }).collect();
    let mut flags = goes.iter();
    atoms.retain(|_| flags.next() == Some(&false));
    bonds.retain_mut(|bond| match bond.atoms.map(|atom| kept[atom]) {
        [Some(one), Some(other)] => {
            bond.atoms = [one, other];
            true
        }
        _ => false,
    });
    Merged { atoms, bonds, kept }
}

fn degrees(atoms: usize, bonds: &[Bond]) -> Vec<usize> {
    let mut degrees = vec![0; atoms];
    for atom in bonds.iter().flat_map(|bond| bond.atoms) {
        degrees[atom] += 1;
    }
    degrees
}

fn is_plain(atom: &Atom) -> bool {
    atom.element == Element::H && atom.isotope.is_none() && atom.charge != -1
}

/// `[H]/N=C/C`: the only neighbour of one end of the double bond.
fn shows_geometry(text: &Text, bonds: &[Bond], hydrogen: usize, neighbour: usize, degree: usize) -> bool {
    let written = || text.smiles.edge_for_node_pair((hydrogen, neighbour)).map(BondEdge::bond);
    degree == 2
        && matches!(written(), Some(Written::Up | Written::Down))
        && bonds.iter().any(|bond| bond.order == Order::Double && bond.atoms.contains(&neighbour))
}
