//! The crate against RDKit and nfp themselves, on all molecules that the file of `reference.py` holds: `make test-chem`.

#![allow(clippy::print_stdout, reason = "the counts are its answer")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};

use chemmodel_chem::features::{morgan, nfp::NfpVocabulary};
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
}

#[derive(Deserialize)]
struct Reference {
    set: String,
    smiles: String,
    /// Absent when RDKit refuses the molecule.
    #[serde(flatten)]
    graph: Option<Graph>,
}

#[derive(Deserialize, PartialEq)]
struct Graph {
    atoms: Vec<u32>,
    bonds: Vec<u32>,
    targets: Vec<u32>,
    morgan: Vec<(u32, u32)>,
}

#[derive(Default)]
struct Count {
    compared: usize,
    differ: usize,
    refused_by_both: usize,
    refused_by_us: BTreeMap<String, usize>,
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
            Line::Last { vocabulary: last } => vocabulary = Some(NfpVocabulary::new(&last.atoms, &last.bonds).unwrap()),
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
            "{set}: {} of {} differ; {} refused by both, {refused} by this crate alone, {} by RDKit alone",
            count.differ, count.compared, count.refused_by_both, count.refused_by_rdkit
        );
        for (reason, count) in &count.refused_by_us {
            println!("    {count}: {reason}");
        }
        wrong += count.differ + count.refused_by_rdkit;
    }
    assert!(!counts.is_empty(), "no molecule was compared");
    assert_eq!(wrong, 0, "molecules that differ from RDKit");
}

impl Count {
    fn add(&mut self, reference: &Reference, vocabulary: &NfpVocabulary) {
        match (Molecule::from_smiles(&reference.smiles, LIMITS), &reference.graph) {
            (Ok(molecule), Some(expected)) => {
                self.compared += 1;
                if describe(&molecule, vocabulary) != *expected {
                    self.differ += 1;
                    println!("DIFFERS {}", reference.smiles);
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
}

fn describe(molecule: &Molecule, vocabulary: &NfpVocabulary) -> Graph {
    let graph = vocabulary.graph(molecule);
    assert!(graph.connectivity.is_sorted_by_key(|[source, _]| *source));
    assert_eq!(graph.unknown, 0);
    Graph {
        atoms: graph.atoms,
        bonds: graph.bonds,
        targets: graph.connectivity.iter().map(|[_, target]| *target).collect(),
        morgan: morgan::environments(molecule),
    }
}

/// The sentence without its atom, which is before "has" or "is".
fn reason(message: &str) -> String {
    let begin = [" is ", " has "].iter().filter_map(|verb| message.find(verb)).min().unwrap_or(0);
    message[begin..].trim_start().replace(|character: char| character.is_ascii_digit(), "")
}
