//! What RDKit and nfp made of a few molecules, recorded; all others are compared by `parity.rs`.
#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::collections::BTreeMap;

use chemmodel_chem::features::{morgan, nfp::NfpVocabulary};
use chemmodel_chem::{Limits, Molecule};

fn molecule(smiles: &str) -> Molecule {
    Molecule::from_smiles(smiles, Limits { characters: 1000, atoms: 1000 }).unwrap()
}

fn keys(texts: &[&str]) -> BTreeMap<String, u32> {
    texts.iter().map(|text| (*text).to_owned()).zip(2..).collect()
}

const ATOMS: [&str; 3] = ["('C', 4, 0, 0, False)", "('O', 2, 0, 0, False)", "('H', 1, 0, 0, False)"];
const BONDS: [&str; 4] = [
    "(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['C', 'C'])",
    "(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['C', 'H'])",
    "(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['C', 'O'])",
    "(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['H', 'O'])",
];

#[test]
fn ethanol_has_the_tokens_that_nfp_gives_it() {
    let graph = NfpVocabulary::new(&keys(&ATOMS), &keys(&BONDS)).unwrap().graph(&molecule("CCO"));
    assert_eq!(graph.atoms, [2, 2, 3, 4, 4, 4, 4, 4, 4]);
    assert_eq!(graph.bonds, [2, 3, 3, 3, 2, 4, 3, 3, 4, 5, 3, 3, 3, 3, 3, 5]);
    let begin = [[0, 1], [0, 3], [0, 4], [0, 5], [1, 0], [1, 2], [1, 6], [1, 7], [2, 1], [2, 8], [3, 0]];
    assert_eq!(graph.connectivity[..11], begin);
    assert_eq!(graph.unknown, 0);
}

#[test]
fn hydrogens_written_as_atoms_change_nothing() {
    let vocabulary = NfpVocabulary::new(&keys(&ATOMS), &keys(&BONDS)).unwrap();
    let written = vocabulary.graph(&molecule("[H]C([H])([H])C([H])([H])O[H]"));
    assert_eq!(written, vocabulary.graph(&molecule("CCO")));
}

#[test]
fn what_a_vocabulary_lacks_is_unknown_and_counted() {
    let graph = NfpVocabulary::new(&keys(&ATOMS[..2]), &keys(&BONDS)).unwrap().graph(&molecule("C"));
    assert_eq!((graph.atoms, graph.unknown), (vec![2, 1, 1, 1, 1], 4));
}

#[test]
fn an_atom_without_bonds_gives_a_graph_without_bonds() {
    let graph = NfpVocabulary::new(&keys(&ATOMS), &keys(&BONDS)).unwrap().graph(&molecule("[Na+]"));
    assert_eq!((graph.atoms.len(), graph.bonds.len(), graph.connectivity.len()), (1, 0, 0));
}

#[test]
fn keys_that_nfp_would_not_write_are_refused_by_name() {
    let new = |atom: &str, id| NfpVocabulary::new(&BTreeMap::from([(atom.to_owned(), id)]), &BTreeMap::new());
    let broken = ATOMS_V2[0].replace("SP3", "sp3");
    for (atom, id) in [("C", 2), (&*broken, 2), ("('C', 4, 0, False)", 2), ("('Xx', 4, 0, 0, False)", 2), (ATOMS[0], 1)]
    {
        assert!(new(atom, id).unwrap_err().contains(atom), "{atom}");
    }
    let bond = BTreeMap::from([("(SINGLE, False, False, ['C', 'H'])".to_owned(), 2)]);
    assert!(NfpVocabulary::new(&BTreeMap::new(), &bond).unwrap_err().contains("SINGLE"));
}

const ATOMS_V2: [&str; 3] = [
    "(rdkit.Chem.rdchem.ChiralType.CHI_UNSPECIFIED, 4, 4, 0, rdkit.Chem.rdchem.HybridizationType.SP3, 0, False, False, 0, 0, 0, 'C', 4, 0, 4, 0)",
    "(rdkit.Chem.rdchem.ChiralType.CHI_UNSPECIFIED, 2, 2, 0, rdkit.Chem.rdchem.HybridizationType.SP3, 0, False, False, 0, 0, 0, 'O', 2, 0, 2, 0)",
    "(rdkit.Chem.rdchem.ChiralType.CHI_UNSPECIFIED, 1, 1, 0, rdkit.Chem.rdchem.HybridizationType.UNSPECIFIED, 0, False, False, 0, 0, 0, 'H', 1, 0, 1, 0)",
];
const BONDS_V2: [&str; 4] = [
    "(rdkit.Chem.rdchem.BondType.SINGLE, False, rdkit.Chem.rdchem.BondStereo.STEREONONE, 0, ['C', 'C'])",
    "(rdkit.Chem.rdchem.BondType.SINGLE, False, rdkit.Chem.rdchem.BondStereo.STEREONONE, 0, ['C', 'H'])",
    "(rdkit.Chem.rdchem.BondType.SINGLE, False, rdkit.Chem.rdchem.BondStereo.STEREONONE, 0, ['C', 'O'])",
    "(rdkit.Chem.rdchem.BondType.SINGLE, False, rdkit.Chem.rdchem.BondStereo.STEREONONE, 0, ['H', 'O'])",
];

#[test]
fn each_version_of_atoms_goes_with_each_version_of_bonds() {
    let expected = NfpVocabulary::new(&keys(&ATOMS), &keys(&BONDS)).unwrap().graph(&molecule("CCO"));
    for (atoms, bonds) in [(ATOMS_V2, BONDS), (ATOMS, BONDS_V2), (ATOMS_V2, BONDS_V2)] {
        let vocabulary = NfpVocabulary::new(&keys(&atoms), &keys(&bonds)).unwrap();
        assert_eq!(vocabulary.graph(&molecule("CCO")), expected);
    }
}

#[test]
fn the_second_version_tells_rings_of_twelve_atoms_from_smaller_ones() {
    let bond = |ring| {
        format!(
            "(rdkit.Chem.rdchem.BondType.SINGLE, False, rdkit.Chem.rdchem.BondStereo.STEREONONE, {ring}, ['C', 'C'])"
        )
    };
    for (smiles, ring) in [("C1CC1", "3"), ("C1CCCCCCCCCC1", "11"), ("C1CCCCCCCCCCC1", "'max'"), ("CC", "0")] {
        let vocabulary = NfpVocabulary::new(&keys(&ATOMS_V2), &keys(&[&bond(ring)])).unwrap();
        assert_eq!(vocabulary.graph(&molecule(smiles)).bonds[0], 2, "{smiles}");
    }
}

#[test]
fn a_vocabulary_of_both_versions_is_refused_by_the_key_that_is_of_another() {
    let error = NfpVocabulary::new(&keys(&[ATOMS[0], ATOMS_V2[1]]), &keys(&BONDS)).unwrap_err();
    assert!(error.contains(ATOMS_V2[1]) && error.contains("atom_features_v2"), "{error}");
    let error = NfpVocabulary::new(&keys(&ATOMS), &keys(&[BONDS_V2[1], BONDS[0]])).unwrap_err();
    assert!(error.contains("STEREONONE") && error.contains("bond_features_v2"), "{error}");
}

#[test]
fn environments_have_the_ids_of_rdkit() {
    // GetMorganGenerator(radius=2).GetSparseCountFingerprint, and PolyID's own record of the same molecule.
    let expected = [
        (535_847_852, 1),
        (864_662_311, 2),
        (1_506_563_592, 1),
        (1_506_997_381, 1),
        (1_542_633_699, 2),
        (1_583_799_011, 2),
        (1_674_219_510, 2),
        (2_245_273_601, 2),
        (2_245_384_272, 4),
        (2_246_703_798, 1),
        (2_246_728_737, 1),
        (2_246_997_334, 1),
        (2_380_228_464, 1),
        (2_690_477_299, 1),
        (2_879_529_074, 2),
        (2_928_069_067, 1),
        (3_321_103_681, 1),
        (3_337_365_384, 1),
        (3_542_456_614, 1),
        (3_696_402_029, 1),
    ];
    assert_eq!(morgan::environments(&molecule("C=CCC(O)CCC(O)CC")), expected);
}
