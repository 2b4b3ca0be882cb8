use std::collections::BTreeMap;

use chemmodel_chem::features::nfp::NfpVocabulary;
use chemmodel_chem::{Limits, Molecule};

use super::*;

const ATOMS: [&str; 4] =
    ["('C', 4, 0, 0, False)", "('H', 1, 0, 0, False)", "('O', 2, 0, 0, False)", "('C', 3, 0, 0, False)"];

fn graph(smiles: &str) -> TokenGraph {
    let bond = |ends: &str| format!("(rdkit.Chem.rdchem.BondType.SINGLE, False, False, {ends})");
    let atoms: BTreeMap<_, _> = ATOMS.iter().map(|token| (*token).to_owned()).zip(2..).collect();
    let bonds: BTreeMap<_, _> =
        ["['C', 'C']", "['C', 'H']", "['C', 'O']", "['H', 'O']"].map(bond).into_iter().zip(2..).collect();
    let molecule = Molecule::from_smiles(smiles, Limits { characters: 1000, atoms: 1000 }).unwrap();
    NfpVocabulary::new(&atoms, &bonds).unwrap().graph(&molecule)
}

fn rows(refined: &Refined) -> Vec<(usize, usize)> {
    refined.levels.iter().map(|level| (level.atom.len(), level.bond.len())).collect()
}

#[test]
fn hydrogens_of_one_atom_stay_together() {
    let methane = refine(&graph("C"), 3);
    assert_eq!(rows(&methane), [(2, 1), (2, 2), (2, 2), (0, 2)]);
    let second = &methane.levels[1];
    assert_eq!((&second.atom_count[..], &second.bond_count[..]), (&[1, 4][..], &[4, 4][..]));
    // Carbon adds up four bonds of one class, a hydrogen one.
    assert_eq!((&second.sum_atom[..], &second.sum_bond[..]), (&[0, 0, 0, 0, 1][..], &[0, 0, 0, 0, 1][..]));
    assert_eq!((&second.source[..], &second.target[..]), (&[0, 1][..], &[1, 0][..]));
}

#[test]
fn a_message_tells_apart_what_is_one_bond_further_away() {
    // The carbons of propanol: alike, then by their neighbours, and so on from the oxygen.
    let carbons = |refined: &Refined| -> Vec<usize> {
        let mut carbon: Vec<bool> = refined.levels[0].atom.iter().map(|token| *token == 2).collect();
        let mut counts = vec![carbon.iter().filter(|is| **is).count()];
        for level in &refined.levels[1..refined.levels.len() - 1] {
            carbon = level.atom.iter().map(|before| carbon[usize::try_from(*before).unwrap()]).collect();
            counts.push(carbon.iter().filter(|is| **is).count());
        }
        counts
    };
    assert_eq!(carbons(&refine(&graph("CCCO"), 4)), [1, 3, 3, 3]);
    assert_eq!(carbons(&refine(&graph("CCCCCCCO"), 6)), [1, 3, 5, 7, 7, 7]);
    assert_eq!(carbons(&refine(&graph("CCCCCCC"), 6)), [1, 2, 3, 4, 4, 4]);
}

#[test]
fn every_atom_and_bond_is_in_a_class_at_every_level() {
    let graph = graph("CC(O)C(OC)CO");
    for level in &refine(&graph, 5).levels {
        let counted = |counts: &[i64]| usize::try_from(counts.iter().sum::<i64>()).unwrap();
        assert_eq!(counted(&level.bond_count), graph.bonds.len());
        assert!(level.atom.is_empty() || counted(&level.atom_count) == graph.atoms.len());
    }
}

#[test]
fn the_order_of_the_atoms_does_not_matter() {
    let spellings = ["CC(O)C(OC)CO", "OCC(C(O)C)OC", "O(C)C(CO)C(C)O", "C(O)C(OC)C(C)O"];
    let [first, others @ ..] = spellings.map(|smiles| refine(&graph(smiles), 6));
    assert!(others.iter().all(|other| *other == first));
    assert_ne!(refine(&graph("CC(O)C(CO)OCC"), 6), first);
}

#[test]
fn a_molecule_that_settled_goes_on_as_it_is() {
    let refined = refine(&graph("CCO"), 9);
    let [.., before, last] = &refined.levels[..] else { panic!("levels") };
    assert_eq!(before, &refined.levels[7]);
    assert_eq!(before.bond, (0..i64::try_from(before.bond.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!((&last.bond, &last.source), (&before.bond, &before.source));
    assert!(last.atom.is_empty() && last.sum_atom.is_empty());
    // As when each message is computed.
    let slowly = refine(&graph("CCO"), 4);
    assert_eq!(slowly.levels[3], *before);
}
