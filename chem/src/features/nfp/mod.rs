//! The schemes of PolyID: tokens for atoms and directed bonds, hydrogens as atoms.

mod atom_key;
mod bond_key;
mod text;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use self::atom_key::AtomKey;
use self::bond_key::BondKey;
use crate::{Molecule, Stereo};

/// The id of what a vocabulary does not know. 0 is padding.
pub const UNKNOWN: u32 = 1;

/// The vocabulary of a model. Its keys are the Python reprs that nfp writes.
///
/// They tell by their form which of nfp's versions wrote them, `atom_features_v1` or `atom_features_v2`, and for bonds likewise.
/// A model may have one version of atoms and the other of bonds.
#[derive(Debug, Clone)]
pub struct NfpVocabulary {
    atoms: Keys<AtomKey>,
    bonds: Keys<BondKey>,
}

/// nfp's features with a number in their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Version {
    V1,
    V2,
}

#[derive(Debug, Clone)]
struct Keys<Key> {
    version: Version,
    ids: FxHashMap<Key, u32>,
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

    /// How a molecule is read whose tokens are asked for.
    pub fn stereo(&self) -> Stereo {
        match (self.atoms.version, self.bonds.version) {
            (Version::V1, Version::V1) => Stereo::Marked,
            _ => Stereo::Perceived,
        }
    }

    /// The tokens of a molecule that was read with [`stereo`](Self::stereo).
    pub fn graph(&self, molecule: &Molecule) -> TokenGraph {
        let mut graph = TokenGraph::default();
        for index in 0..molecule.atoms.len() {
            graph.push_atom(self.atoms.id(&AtomKey::of(self.atoms.version, molecule, index)));
        }
        let bond_to_hydrogen = |number| self.bonds.id(&BondKey::to_hydrogen(self.bonds.version, number));
        let to_hydrogen: Vec<u32> = molecule.atoms.iter().map(|atom| bond_to_hydrogen(atom.number())).collect();
        let bonds: Vec<u32> = molecule
            .bonds
            .iter()
            .map(|bond| {
                let ends = bond.atoms.map(|atom| molecule.atoms[atom].number());
                self.bonds.id(&BondKey::of(self.bonds.version, bond, ends))
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
        let lone = self.atoms.id(&AtomKey::hydrogen(self.atoms.version));
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
}

impl<Key: Eq + std::hash::Hash> Keys<Key> {
    fn id(&self, key: &Key) -> u32 {
        self.ids.get(key).copied().unwrap_or(UNKNOWN)
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
    parse: fn(&str) -> Option<(Version, Key)>,
) -> Result<Keys<Key>, String> {
    let mut first = None;
    let mut ids = FxHashMap::default();
    for (text, &token) in tokens {
        if token <= UNKNOWN {
            return Err(format!("{what} {text:?} has the id {token}: 0 is padding and 1 is what is unknown"));
        }
        let Some((version, key)) = parse(text) else {
            return Err(format!(
                "{what} {text:?} is no key as nfp's {what}_features_v1 or {what}_features_v2 write them"
            ));
        };
        if *first.get_or_insert(version) != version {
            return Err(format!(
                "{what} {text:?} is a key of another version than those before it: a model was trained with \
                 {what}_features_v1 or {what}_features_v2, not with both"
            ));
        }
        if ids.insert(key, token).is_some() {
            return Err(format!("{what} {text:?} is there twice, in two spellings"));
        }
    }
    Ok(Keys { version: first.unwrap_or(Version::V1), ids })
}
