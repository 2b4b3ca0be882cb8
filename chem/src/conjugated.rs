//! Conjugated bonds, after RDKit: aromatic bonds, and both of two neighbouring bonds of which one is multiple and all three
//! atoms can take part.

use crate::aromatic::electrons;
use crate::molecule::Molecule;
use crate::periodic::{outer_electrons, valences};

pub(crate) fn perceive(molecule: &mut Molecule) {
    for bond in &mut molecule.bonds {
        bond.conjugated = bond.aromatic;
    }
    let candidates: Vec<bool> = (0..molecule.atoms.len()).map(|index| is_candidate(molecule, index)).collect();
    for centre in (0..molecule.atoms.len()).filter(|&index| candidates[index]) {
        if (2..=3).contains(&molecule.total_degree(centre)) {
            mark(molecule, centre, &candidates);
        }
    }
}

fn mark(molecule: &mut Molecule, centre: usize, candidates: &[bool]) {
    let degree = molecule.links(centre).len();
    for (one, other) in (0..degree).flat_map(|one| (0..degree).map(move |other| (one, other))) {
        let (one, other) = (molecule.links(centre)[one], molecule.links(centre)[other]);
        let multiple = molecule.bonds[one.bond].order.twice() >= 3;
        if one.bond != other.bond
            && multiple
            && candidates[one.atom]
            && candidates[other.atom]
            && molecule.total_degree(other.atom) <= 3
        {
            molecule.bonds[one.bond].conjugated = true;
            molecule.bonds[other.bond].conjugated = true;
        }
    }
}

fn is_candidate(molecule: &Molecule, index: usize) -> bool {
    let atom = &molecule.atoms[index];
    let lowest = valences(atom.number())[0];
    if atom.charge == 0 && lowest >= 0 && atom.valence() > lowest {
        return false;
    }
    let outer = outer_electrons(atom.number());
    let plain = atom.number() <= 10 || !matches!(outer, 5 | 6) || (outer == 6 && molecule.total_degree(index) < 2);
    plain && electrons(molecule, index) > 0
}

#[cfg(test)]
mod tests {
    use crate::{Limits, Molecule};

    #[test]
    fn bonds_are_conjugated_where_rdkit_says_so() {
        // The bond between the two atoms, as RDKit 2026.9.1 answers `GetIsConjugated`.
        let bonds = [
            ("amide", "CC(=O)N", [1, 3], true),
            ("ester", "CC(=O)OC", [1, 3], true),
            ("alkyl of an ester", "CC(=O)OC", [3, 4], false),
            ("phenol", "c1ccccc1O", [5, 6], true),
            ("biphenyl", "c1ccccc1-c1ccccc1", [5, 6], true),
            ("acrylonitrile", "C=CC#N", [1, 2], true),
            ("nitro", "CN(=O)=O", [1, 2], true),
            ("enol", "C=CO", [1, 2], true),
            ("aryl chloride", "c1ccccc1Cl", [5, 6], false),
            ("sulfone", "CS(=O)(=O)C", [1, 2], false),
            ("thioacid", "CC(=O)S", [1, 3], false),
            ("vinylammonium", "C=C[NH3+]", [1, 2], false),
            ("vinylphosphine", "C=CP", [1, 2], false),
        ];
        for (name, smiles, ends, expected) in bonds {
            let molecule = Molecule::from_smiles(smiles, Limits { characters: 100, atoms: 100 }).unwrap();
            let bond = molecule.bonds.iter().find(|bond| bond.atoms == ends).unwrap();
            assert_eq!(bond.conjugated, expected, "{name}");
        }
    }
}
