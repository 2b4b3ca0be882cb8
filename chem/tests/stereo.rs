//! Stereochemistry is what RDKit perceives; where it is not asked for, a molecule is the one that the text without the marks tells.
//! `parity.rs` compares both with RDKit's and Chemprop's.
#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use chemmodel_chem::features::chemprop::{self, FloatGraph};
use chemmodel_chem::{Limits, Molecule, Stereo};

/// Where Chemprop 2's default featurizers have the one-hot of an atom's chiral tag, and of a bond's geometry.
const CHIRALITY: std::ops::Range<usize> = 51..56;
const GEOMETRY: std::ops::Range<usize> = 7..14;

fn features(smiles: &str, stereo: Stereo) -> FloatGraph {
    chemprop::graph(&Molecule::read(smiles, Limits { characters: 1000, atoms: 1000 }, stereo).unwrap())
}

/// What a molecule's features tell: its stereocentres by the place of their atom, `cw` or `ccw` as RDKit calls them, then its double
/// bonds by their geometry.
fn told(smiles: &str) -> String {
    let graph = features(smiles, Stereo::Perceived);
    let place_of = |one_hot: &[f32]| one_hot.iter().position(|bit| *bit > 0.0);
    let atoms = graph.atoms.chunks(chemprop::ATOM_FEATURES).enumerate();
    let centres = atoms.filter_map(|(index, atom)| match place_of(&atom[CHIRALITY]) {
        Some(1) => Some(format!("{index}cw")),
        Some(2) => Some(format!("{index}ccw")),
        _ => None,
    });
    let bonds = graph.bonds.chunks(chemprop::BOND_FEATURES).step_by(2);
    let geometries = bonds.filter_map(|bond| match place_of(&bond[GEOMETRY]) {
        Some(2) => Some("Z".to_owned()),
        Some(3) => Some("E".to_owned()),
        _ => None,
    });
    centres.chain(geometries).collect::<Vec<_>>().join(" ")
}

/// The expected values are of RDKit 2026.9.1: `GetChiralTag` and `GetStereo` after `MolFromSmiles`.
#[test]
fn stereoisomers_are_told_as_rdkit_tells_them() {
    let cases = [
        ("N[C@@H](C)C(=O)O", "1cw"),
        ("N[C@H](C)C(=O)O", "1ccw"),
        ("C[C@@](N)([H])C(=O)O", "1ccw"),
        ("C[C@H](C)O", ""),
        ("C/C=C/C", "E"),
        ("C/C=C\\C", "Z"),
        ("C/C(F)=C(Cl)/C", "E"),
        ("F/C=C(C)/C", ""),
        ("CC[S@](=O)C", "2ccw"),
        ("CC[N@](F)C", ""),
        ("C[P@](F)CC", "1ccw"),
        ("C[N@+](F)(CC)CCC", "1ccw"),
        ("O[C@H]1CC[C@@H](C)CC1", "1cw 4cw"),
        ("O[C@H]1CC[C@](C)(C)CC1", ""),
        ("O[C@H](F)[C@H](C)[C@@H](F)O", "1ccw 5cw"),
        ("O[C@H](F)[C@H](C)[C@H](F)O", "1ccw 3ccw 5ccw"),
        ("F/C=C/C=C/F", "E E"),
        ("CC=[C@]=CF", ""),
        ("[H]/N=C/C", "E"),
        ("C1CCCCC/C=C/1", "E"),
        ("C1CCC/C=C\\C1", ""),
        ("C[Si@](F)(Cl)Br", "1ccw"),
        ("C[C@H](/C=C/C)/C=C\\C", "1ccw E Z"),
        ("C[C@]12CC[C@@H](C1)C2", "1ccw 4cw"),
    ];
    for (smiles, expected) in cases {
        assert_eq!(told(smiles), expected, "{smiles}");
    }
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

#[test]
fn hostile_stereochemistry_ends_in_time() {
    let meso = format!("C{}C", "[C@H](O)".repeat(110));
    let ring = format!("[C@H]1(O){}C1", "[C@@H](O)".repeat(100));
    let polyene = format!("C{}", "/C=C".repeat(240));
    let chain = format!("F[C@H](Cl){}", "C".repeat(985));
    for smiles in [meso, ring, polyene, chain] {
        let began = std::time::Instant::now();
        let _ = Molecule::read(&smiles, Limits { characters: 4096, atoms: 4096 }, Stereo::Perceived);
        assert!(began.elapsed().as_millis() < 2000, "{} took {:?}", &smiles[..30], began.elapsed());
    }
}
