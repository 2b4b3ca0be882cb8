//! The scheme `nfp-v1` of PolyID: tokens for atoms and directed bonds, hydrogens as atoms.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::nfp_key::{AtomKey, BondKey};
use crate::Molecule;

/// The id of what a vocabulary does not know. 0 is padding.
pub const UNKNOWN: u32 = 1;

/// The vocabulary of a model. Its keys are the Python reprs that nfp writes.
#[derive(Debug, Clone)]
pub struct NfpVocabulary {
    atoms: FxHashMap<AtomKey, u32>,
    bonds: FxHashMap<BondKey, u32>,
}

/// A molecule as tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TokenGraph {
    /// One for each atom; hydrogens last.
    pub atoms: Vec<u32>,
    /// One for each directed bond, ordered by its source. None, when the molecule has no bonds.
    pub bonds: Vec<u32>,
    /// Source and target atom of each directed bond.
    pub connectivity: Vec<[u32; 2]>,
    /// Tokens that are [`UNKNOWN`].
    pub unknown: usize,
}

impl NfpVocabulary {
    /// Reads the keys; the error is a sentence that names the one that cannot be read.
    pub fn new(atoms: &BTreeMap<String, u32>, bonds: &BTreeMap<String, u32>) -> Result<Self, String> {
        Ok(Self { atoms: read("atom", atoms, AtomKey::parse)?, bonds: read("bond", bonds, BondKey::parse)? })
    }

    /// The tokens of a molecule.
    pub fn graph(&self, molecule: &Molecule) -> TokenGraph {
        let mut graph = TokenGraph::default();
        for (index, atom) in molecule.atoms.iter().enumerate() {
            let degree = molecule.total_degree(index);
            graph.push_atom(self.atom(AtomKey::of(atom.number(), degree, atom.aromatic)));
        }
        let to_hydrogen: Vec<u32> =
            molecule.atoms.iter().map(|atom| self.bond(BondKey::to_hydrogen(atom.number()))).collect();
        let bonds: Vec<u32> = molecule
            .bonds
            .iter()
            .map(|bond| {
                let ends = bond.atoms.map(|atom| molecule.atoms[atom].number());
                self.bond(BondKey::of(bond.order, bond.conjugated, bond.in_ring, ends))
            })
            .collect();
        let mut hydrogen = id(molecule.atoms.len());
        for (index, atom) in molecule.atoms.iter().enumerate() {
            for link in molecule.links(index) {
                graph.push_bond(bonds[link.bond], [id(index), id(link.atom)]);
            }
            for _ in 0..atom.hydrogens() {
                graph.push_bond(to_hydrogen[index], [id(index), hydrogen]);
                hydrogen += 1;
            }
        }
        let lone = self.atom(AtomKey::of(1, 1, false));
        let mut hydrogen = id(molecule.atoms.len());
        for (index, atom) in molecule.atoms.iter().enumerate() {
            for _ in 0..atom.hydrogens() {
                graph.push_atom(lone);
                graph.push_bond(to_hydrogen[index], [hydrogen, id(index)]);
                hydrogen += 1;
            }
        }
        graph
    }

    fn atom(&self, key: AtomKey) -> u32 {
        self.atoms.get(&key).copied().unwrap_or(UNKNOWN)
    }

    fn bond(&self, key: BondKey) -> u32 {
        self.bonds.get(&key).copied().unwrap_or(UNKNOWN)
    }
}

impl TokenGraph {
    fn push_atom(&mut self, token: u32) {
        self.unknown += usize::from(token == UNKNOWN);
        self.atoms.push(token);
    }

    fn push_bond(&mut self, token: u32, ends: [u32; 2]) {
        self.unknown += usize::from(token == UNKNOWN);
        self.bonds.push(token);
        self.connectivity.push(ends);
    }
}

fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn read<Key: Eq + std::hash::Hash>(
    what: &str,
    tokens: &BTreeMap<String, u32>,
    parse: fn(&str) -> Option<Key>,
) -> Result<FxHashMap<Key, u32>, String> {
    let mut keys = FxHashMap::default();
    for (text, &token) in tokens {
        if token <= UNKNOWN {
            return Err(format!("{what} {text:?} has the id {token}: 0 is padding and 1 is what is unknown"));
        }
        let Some(key) = parse(text) else {
            return Err(format!("{what} {text:?} is no key as nfp's {what}_features_v1 writes them"));
        };
        if keys.insert(key, token).is_some() {
            return Err(format!("{what} {text:?} is there twice, in two spellings"));
        }
    }
    Ok(keys)
}
