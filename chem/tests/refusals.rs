//! What is no molecule, and the sentences that say so.
#![allow(clippy::panic, reason = "a helper that cannot go on fails its test")]

use chemmodel_chem::{Limits, Molecule, SmilesError};

fn refusal(smiles: &str) -> SmilesError {
    match Molecule::from_smiles(smiles, Limits { characters: 60, atoms: 60 }) {
        Ok(_) => panic!("{smiles} is accepted"),
        Err(error) => error,
    }
}

#[test]
fn each_refusal_names_the_place_and_the_reason() {
    let refusals = [
        ("C1CC", Some(1), "ring closure 1 opened at position 1 is never closed"),
        ("CC(C", Some(2), "'(' is never closed"),
        ("CC)C", Some(2), "')' closes no '('"),
        ("C[NH3+", Some(1), "'[' is not closed"),
        ("CC]", Some(2), "']' closes no '['"),
        ("C[Xx]", Some(1), "no element has this name"),
        ("C*", Some(1), "oligomer"),
        ("C~C", Some(1), "any kind"),
        ("C>>C", Some(1), "reactions"),
        ("CCO ethanol", Some(3), "blanks"),
        ("CÖ", Some(1), "ASCII"),
        ("C=", Some(1), "a bond needs"),
        ("C=1CCC-1", Some(7), "another"),
        ("", None, "empty"),
        ("CN(C)(C)(C)C", Some(1), "atom N at position 1 has valence 5, more than 3"),
        ("CC(C)(C)(C)C", Some(1), "atom C at position 1 has valence 5, more than 4"),
        ("c1cccc1", Some(2), "alternating double bonds"),
        ("cc", Some(0), "not in a ring of such atoms"),
        ("C$C", Some(0), "quadruple"),
        ("CC(C=)C", Some(4), "a bond needs"),
        ("C(1CC1)C", Some(2), "begins with an atom"),
        ("C(C.C)C", Some(3), "inside of a branch"),
        ("C1=CC=CC=[nH]1", Some(9), "not in a ring of such atoms"),
        ("c1ccccccc1", Some(0), "is not aromatic"),
        ("C[Fe]C", Some(1), "atom Fe at position 1 has bonds"),
        ("C.[Pm]", Some(2), "not supported"),
        ("C:C", Some(0), "aromatic bond"),
        ("[Pt@SP1](F)(Cl)(Br)I", Some(0), "tetrahedral"),
    ];
    for (smiles, position, reason) in refusals {
        let error = refusal(smiles);
        assert_eq!(error.position, position, "{smiles}: {error}");
        assert!(error.message.contains(reason), "{smiles}: {error}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    assert!(refusal(&"(".repeat(61)).message.contains("61 characters; at most 60"));
    assert!(refusal(&"C".repeat(20)).message.contains("62 atoms, hydrogens counted; at most 60"));
}

#[test]
fn rings_whose_double_bonds_are_all_outside_are_accepted() {
    for smiles in ["O=c1[nH]c(=O)[nH]c(=O)[nH]1", "O=c1n(Cl)c(=O)n(Cl)c(=O)n1Cl", "s1p2sp3p1p3s2", "c1ccc[cH+]cc1"] {
        assert!(Molecule::from_smiles(smiles, Limits { characters: 60, atoms: 60 }).is_ok(), "{smiles}");
    }
}
