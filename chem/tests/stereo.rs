//! A molecule that is read without its stereochemistry is the one that the text without the marks tells. So it is in RDKit: `reference.py`
//! compares the features of such texts with Chemprop's.
#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use chemmodel_chem::features::chemprop::{self, FloatGraph};
use chemmodel_chem::{Limits, Molecule, Stereo};

fn features(smiles: &str, stereo: Stereo) -> FloatGraph {
    chemprop::graph(&Molecule::read(smiles, Limits { characters: 1000, atoms: 1000 }, stereo).unwrap())
}

#[test]
fn ignored_marks_count_for_nothing() {
    let cases = [
        ("C[C@H](N)C(=O)O", "C[CH](N)C(=O)O"),
        ("C[C@@](N)([H])C(=O)O", "C[C](N)([H])C(=O)O"),
        ("C[S@](=O)CC", "CS(=O)CC"),
        ("F/C(Cl)=C(Br)/I", "FC(Cl)=C(Br)I"),
        ("C/C=C\\C", "CC=CC"),
        ("[H]/N=C(/C)O", "[H]N=C(C)O"),
        ("[H]/C(F)=C/C", "[H]C(F)=CC"),
        ("O[C@@H]1CC[C@H](C)CC1", "OC1CCC(C)CC1"),
    ];
    for (marked, plain) in cases {
        assert_eq!(features(marked, Stereo::Ignored), features(plain, Stereo::Marked), "{marked}");
    }
}

#[test]
fn a_hydrogen_that_shows_the_geometry_is_an_atom_where_marks_count() {
    let atoms = |stereo| features("[H]/N=C/C", stereo).atoms.len() / chemprop::ATOM_FEATURES;
    assert_eq!((atoms(Stereo::Marked), atoms(Stereo::Ignored)), (4, 3));
}
