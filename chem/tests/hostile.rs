//! Texts that nobody means well with: each ends in a molecule or in a sentence, whatever it is.
#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::fmt::Write as _;

use chemmodel_chem::features::{chemprop, morgan, nfp::NfpVocabulary};
use chemmodel_chem::{Limits, Molecule};

const LIMITS: Limits = Limits { characters: 4096, atoms: 4096 };

/// A molecule that gives all its features, or an error that a person can read and find.
fn is_answered(smiles: &str, vocabulary: &NfpVocabulary) {
    match Molecule::from_smiles(smiles, LIMITS) {
        Ok(molecule) => {
            let graph = vocabulary.graph(&molecule);
            assert_eq!(graph.bonds.len(), graph.connectivity.len());
            assert!(!morgan::environments(&molecule).is_empty());
            let _ = chemprop::graph(&molecule);
        }
        Err(error) => {
            assert!(error.message.contains(' '), "{smiles}: {error}");
            assert!(error.position.is_none_or(|position| position < smiles.chars().count()), "{smiles}: {error}");
        }
    }
}

fn nothing_known() -> NfpVocabulary {
    NfpVocabulary::new(&[].into(), &[].into()).unwrap()
}

#[test]
fn ten_thousand_broken_texts_are_answered() {
    let whole = [
        "CC(=O)Oc1ccccc1C(=O)O",
        "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
        "O=c1[nH]c(=O)[nH]c(=O)[nH]1",
        "C[C@H](N)C(=O)[O-].[Na+]",
        "F/C=C/C1CC%12CC1CC%12",
        "[2H]C([2H])([2H])[S+](C)[13CH3]",
        "c1cc2cccc3ccc4cccc1c4c32",
        "OCl(=O)(=O)=O",
        "[H]/N=C/C#N",
        "P12P3P1SP(S2)S3",
    ];
    let pieces: Vec<char> = "CNOSPFIBclnosp[]()=#$:/\\-+.@%0123456789*H~>é\u{0}\u{1f9ea} \n".chars().collect();
    let mut chance = Chance(2026);
    let vocabulary = nothing_known();
    for _ in 0..10_000 {
        let mut text: Vec<char> = whole[chance.below(whole.len())].chars().collect();
        for _ in 0..=chance.below(4) {
            let place = chance.below(text.len());
            match chance.below(4) {
                0 => text[place] = pieces[chance.below(pieces.len())],
                1 => text.insert(place, pieces[chance.below(pieces.len())]),
                2 => text.truncate(place.max(1)),
                _ => {
                    let other = chance.below(text.len());
                    text.swap(place, other);
                }
            }
        }
        is_answered(&text.into_iter().collect::<String>(), &vocabulary);
    }
}

#[test]
fn monsters_are_answered() {
    let vocabulary = nothing_known();
    for monster in monsters() {
        is_answered(&monster, &vocabulary);
    }
}

/// Deep, long, entangled, and all within the limits or just beyond.
fn monsters() -> Vec<String> {
    let mut monsters = vec![
        "(".repeat(4096),
        ")".repeat(4096),
        "[".repeat(4096),
        "%".repeat(4096),
        "C".repeat(1365),
        "C".repeat(4096),
        ".".repeat(4096),
        "C.".repeat(2047) + "C",
        "[H]".repeat(1365),
        format!("{}C{}", "C(".repeat(1300), ")".repeat(1300)),
        format!("C{}", "(C)".repeat(1300)),
        format!("c1{}c1", "c".repeat(996)),
        format!("C1{}C1", "=CC".repeat(450)),
        format!("C1{}C1", "C".repeat(996)),
        format!("C1{}C1", "C".repeat(4090)),
        format!("[H]1{}[H]1", "[H]".repeat(1360)),
        format!("[{}C]", "9".repeat(4000)),
        format!("[C+{}]", "9".repeat(4000)),
        format!("C%({})", "9".repeat(4000)),
        format!("[CH{}]", "9".repeat(4000)),
        format!("C[C:{}]", "9".repeat(4000)),
        "c1ccccc1".repeat(125),
        "C1CC1".repeat(300),
        "C12CC1C2".repeat(100),
        "O=c1[nH]".repeat(500),
        "\u{1f9ea}".repeat(1000),
        "C\u{301}C".to_owned(),
    ];
    monsters.extend([(23, "c"), (23, "C"), (23, "P"), (23, "S"), (23, "b")].map(|(side, atom)| grid(side, atom)));
    monsters.extend([10, 40, 120].map(acene));
    monsters
}

/// A square lattice: each atom closes rings with the one to the left and the one above.
fn grid(side: usize, atom: &str) -> String {
    let mut text = String::new();
    for row in 0..side {
        for column in 0..side {
            text.push_str(atom);
            if row > 0 {
                write!(text, "%{}", column + 10).unwrap();
            }
            if row + 1 < side {
                write!(text, "%{}", column + 10).unwrap();
            }
        }
        text.push_str(if row + 1 < side { "." } else { "" });
    }
    text
}

/// Linear fused benzenes.
fn acene(rings: usize) -> String {
    let pair = |ring| format!("c%({})c", ring + 10);
    let (ahead, back) = ((0..rings).map(pair), (0..rings).rev().map(pair));
    let [ahead, back] = [ahead.collect::<Vec<_>>().concat(), back.collect::<Vec<_>>().concat()];
    format!("c1cc{ahead}ccc{back}1")
}

/// xorshift: the same texts in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}
