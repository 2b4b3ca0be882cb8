//! The crate against RDKit and nfp themselves, on all molecules that the file of `reference.py` holds: `make test-chem`.

#![allow(clippy::print_stdout, reason = "the counts are its answer")]
#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]
#![allow(
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ones, zeros and places"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};

use chemmodel_chem::features::{chemprop, morgan, nfp::NfpVocabulary};
use chemmodel_chem::{Limits, Molecule};
use serde::Deserialize;

const LIMITS: Limits = Limits { characters: 4096, atoms: 4096 };

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Molecule(Reference),
    Last { vocabulary: Vocabulary },
}

#[derive(Deserialize)]
struct Vocabulary {
    atoms: BTreeMap<String, u32>,
    bonds: BTreeMap<String, u32>,
    atoms_v2: BTreeMap<String, u32>,
    bonds_v2: BTreeMap<String, u32>,
}

/// Those of nfp's two versions.
struct Vocabularies {
    first: NfpVocabulary,
    second: NfpVocabulary,
}

#[derive(Deserialize)]
struct Reference {
    set: String,
    smiles: String,
    /// Absent when RDKit refuses the molecule.
    #[serde(flatten)]
    graph: Option<Graph>,
}

#[derive(Deserialize)]
struct Graph {
    atoms: Vec<u32>,
    bonds: Vec<u32>,
    targets: Vec<u32>,
    /// The tokens of the second version: those of atoms, those of bonds.
    v2: [u64; 2],
    morgan: Vec<(u32, u32)>,
    chemprop: Option<Features>,
}

/// Places of the ones in each atom's features, and its mass; those of each bond; the ends of each bond.
#[derive(Deserialize)]
struct Features {
    atoms: Vec<Vec<f64>>,
    bonds: Vec<Vec<usize>>,
    ends: Vec<[u32; 2]>,
}

#[derive(Default)]
struct Count {
    compared: usize,
    /// How many of those have Chemprop's features.
    with_features: usize,
    differ: usize,
    refused_by_both: usize,
    refused_by_us: BTreeMap<String, usize>,
    /// Those that are refused where stereochemistry counts, but not where it does not.
    refused_with_stereo: BTreeMap<String, usize>,
    refused_by_rdkit: usize,
}

#[test]
#[ignore = "needs the file that reference.py writes; `make test-chem` writes it and runs this"]
fn tokens_and_environments_are_those_of_rdkit_and_nfp() {
    let path = std::env::var("CHEMMODEL_CHEM_REFERENCE").expect("CHEMMODEL_CHEM_REFERENCE names reference.py's file");
    let mut references = Vec::new();
    let mut vocabulary = None;
    for line in BufReader::new(File::open(path).unwrap()).lines() {
        match serde_json::from_str(&line.unwrap()).unwrap() {
            Line::Molecule(reference) => references.push(reference),
            Line::Last { vocabulary: last } => {
                let first = NfpVocabulary::new(&last.atoms, &last.bonds).unwrap();
                let second = NfpVocabulary::new(&last.atoms_v2, &last.bonds_v2).unwrap();
                vocabulary = Some(Vocabularies { first, second });
            }
        }
    }
    let vocabulary = vocabulary.expect("the file ends with the vocabulary");
    let mut counts = BTreeMap::<&str, Count>::new();
    for reference in &references {
        counts.entry(&reference.set).or_default().add(reference, &vocabulary);
    }
    let mut wrong = 0;
    for (set, count) in &counts {
        let refused: usize = count.refused_by_us.values().sum();
        println!(
            "{set}: {} of {} differ ({} with Chemprop's features); {} refused by both, {refused} by this crate alone, {} by RDKit alone",
            count.differ, count.compared, count.with_features, count.refused_by_both, count.refused_by_rdkit
        );
        for (reason, count) in &count.refused_by_us {
            println!("    {count}: {reason}");
        }
        for (reason, count) in &count.refused_with_stereo {
            println!("    {count} where stereochemistry counts: {reason}");
        }
        wrong += count.differ + count.refused_by_rdkit;
    }
    assert!(!counts.is_empty(), "no molecule was compared");
    assert_eq!(wrong, 0, "molecules that differ from RDKit");
}

impl Count {
    fn add(&mut self, reference: &Reference, vocabulary: &Vocabularies) {
        match (Molecule::from_smiles(&reference.smiles, LIMITS), &reference.graph) {
            (Ok(molecule), Some(expected)) => {
                self.compared += 1;
                self.with_features += usize::from(expected.chemprop.is_some());
                let difference = expected.difference(&molecule, vocabulary);
                if let Some(what) = difference.or_else(|| self.difference_with_stereo(reference, expected, vocabulary))
                {
                    self.differ += 1;
                    println!("DIFFERS in {what}: {}", reference.smiles);
                }
            }
            (Err(_), None) => self.refused_by_both += 1,
            (Err(error), Some(_)) => {
                *self.refused_by_us.entry(reason(&error.message)).or_default() += 1;
                println!("REFUSED {}: {error}", reference.smiles);
            }
            (Ok(_), None) => {
                self.refused_by_rdkit += 1;
                println!("ACCEPTED {}", reference.smiles);
            }
        }
    }

    fn difference_with_stereo(
        &mut self,
        reference: &Reference,
        expected: &Graph,
        vocabulary: &Vocabularies,
    ) -> Option<&'static str> {
        match Molecule::read(&reference.smiles, LIMITS, vocabulary.second.stereo()) {
            Ok(molecule) => {
                if expected.chemprop.as_ref().is_some_and(|features| !features.are_those_of(&molecule)) {
                    return Some("Chemprop's features");
                }
                if morgan::environments(&molecule) != expected.morgan {
                    return Some("environments, where stereochemistry counts");
                }
                let graph = vocabulary.second.graph(&molecule);
                let [atoms, bonds] = [folded(&graph.atoms), folded(&graph.bonds)];
                match [atoms == expected.v2[0], bonds == expected.v2[1]] {
                    [true, true] => None,
                    [true, false] => Some("the second version of bonds"),
                    [false, true] => Some("the second version of atoms"),
                    [false, false] => Some("the second version of both"),
                }
            }
            Err(error) => {
                *self.refused_with_stereo.entry(reason(&error.message)).or_default() += 1;
                println!("REFUSED where stereochemistry counts {}: {error}", reference.smiles);
                None
            }
        }
    }
}

impl Graph {
    fn difference(&self, molecule: &Molecule, vocabulary: &Vocabularies) -> Option<&'static str> {
        let graph = vocabulary.first.graph(molecule);
        assert!(graph.connectivity.is_sorted_by_key(|[source, _]| *source));
        let targets = graph.connectivity.iter().map(|[_, target]| target);
        if graph.unknown != 0 || graph.atoms != self.atoms || graph.bonds != self.bonds || !targets.eq(&self.targets) {
            return Some("tokens");
        }
        (morgan::environments(molecule) != self.morgan).then_some("environments")
    }
}

impl Features {
    fn are_those_of(&self, molecule: &Molecule) -> bool {
        let graph = chemprop::graph(molecule);
        let ones = |features: &[f32]| (0..features.len()).filter(|&at| features[at] == 1.0).collect::<Vec<_>>();
        let atoms = graph.atoms.chunks(chemprop::ATOM_FEATURES).zip(&self.atoms).all(|(ours, theirs)| {
            let (ones_and_zeros, mass) = (&ours[..chemprop::ATOM_FEATURES - 1], ours[chemprop::ATOM_FEATURES - 1]);
            let their_ones = theirs[..theirs.len() - 1].iter().map(|&at| at as usize);
            their_ones.eq(ones(ones_and_zeros)) && (f64::from(mass) - theirs[theirs.len() - 1]).abs() < 1e-6
        });
        let bonds = graph.bonds.chunks(chemprop::BOND_FEATURES).step_by(2).map(ones).eq(self.bonds.iter().cloned());
        let ends = graph.connectivity.chunks(2).zip(&self.ends).all(|(pair, ends)| {
            let reversed = [pair[0][1], pair[0][0]];
            pair[1] == reversed && (pair[0] == *ends || reversed == *ends)
        });
        let sizes = (graph.atoms.len(), graph.bonds.len(), graph.connectivity.len());
        let expected = (
            self.atoms.len() * chemprop::ATOM_FEATURES,
            2 * self.bonds.len() * chemprop::BOND_FEATURES,
            2 * self.ends.len(),
        );
        atoms && bonds && ends && sizes == expected
    }
}

/// As `reference.py` folds a list.
fn folded(ids: &[u32]) -> u64 {
    ids.iter().fold(0xcbf2_9ce4_8422_2325, |value, &id| (value ^ u64::from(id)).wrapping_mul(0x100_0000_01b3))
}

/// The sentence without its atom, which is before "has" or "is".
fn reason(message: &str) -> String {
    let begin = [" is ", " has "].iter().filter_map(|verb| message.find(verb)).min().unwrap_or(0);
    message[begin..].trim_start().replace(|character: char| character.is_ascii_digit(), "")
}
