//! Groups that are often written with too many bonds, rewritten with charges: nitro, azide, oxides of phosphorus and the
//! oxo acids of halogens. RDKit does so before it checks valences.

use elements_rs::Element;

use crate::molecule::{Molecule, Order};
use crate::valence::explicit;

pub(crate) fn clean(molecule: &mut Molecule) {
    nitrogens(molecule);
    for index in 0..molecule.atoms.len() {
        match molecule.atoms[index].element {
            Element::P => phosphorus(molecule, index),
            Element::Cl | Element::Br | Element::I => halogen(molecule, index),
            _ => {}
        }
    }
}

/// `CN(=O)=O` is C[N+](=O)[O-], `CN=N#N` is CN=[N+]=[N-].
fn nitrogens(molecule: &mut Molecule) {
    let overfull: Vec<usize> = (0..molecule.atoms.len())
        .filter(|&index| {
            let atom = &molecule.atoms[index];
            atom.element == Element::N && atom.charge == 0 && explicit(molecule, index) == 5
        })
        .collect();
    for (neighbour, from, to) in
        [(Element::O, Order::Double, Order::Single), (Element::N, Order::Triple, Order::Double)]
    {
        for &index in &overfull {
            let found = molecule.links(index).iter().copied().find(|link| {
                let atom = &molecule.atoms[link.atom];
                atom.element == neighbour && atom.charge == 0 && molecule.bonds[link.bond].order == from
            });
            if let Some(link) = found {
                molecule.bonds[link.bond].order = to;
                molecule.atoms[index].charge = 1;
                molecule.atoms[link.atom].charge = -1;
            }
        }
    }
}

/// `C=P(=O)X` is C=[P+]([O-])X.
fn phosphorus(molecule: &mut Molecule, index: usize) {
    if molecule.atoms[index].charge != 0 || molecule.degree(index) != 3 || explicit(molecule, index) != 5 {
        return;
    }
    let doubles =
        || molecule.links(index).iter().copied().filter(|link| molecule.bonds[link.bond].order == Order::Double);
    let oxygen = doubles().rfind(|link| {
        let atom = &molecule.atoms[link.atom];
        atom.element == Element::O && atom.charge == 0
    });
    let ylide = doubles().any(|link| {
        matches!(molecule.atoms[link.atom].element, Element::C | Element::N) && molecule.degree(link.atom) >= 2
    });
    if let (Some(oxygen), true) = (oxygen, ylide) {
        molecule.bonds[oxygen.bond].order = Order::Single;
        molecule.atoms[index].charge = 1;
        molecule.atoms[oxygen.atom].charge = -1;
    }
}

/// `OCl(=O)=O` is O[Cl+2]([O-])[O-].
fn halogen(molecule: &mut Molecule, index: usize) {
    let only_oxygens = || molecule.links(index).iter().all(|link| molecule.atoms[link.atom].element == Element::O);
    if molecule.atoms[index].charge != 0 || !matches!(explicit(molecule, index), 3 | 5 | 7) || !only_oxygens() {
        return;
    }
    let oxides: Vec<_> =
        molecule.links(index).iter().copied().filter(|link| molecule.bonds[link.bond].order == Order::Double).collect();
    for oxide in oxides {
        molecule.bonds[oxide.bond].order = Order::Single;
        molecule.atoms[oxide.atom].charge = -1;
        molecule.atoms[index].charge += 1;
    }
}
