//! The scheme `nfp-v1` of PolyID: tokens for atoms and directed bonds, hydrogens as atoms.

use std::collections::BTreeMap;

use crate::Molecule;

/// The id of what a vocabulary does not know. 0 is padding.
pub const UNKNOWN: u32 = 1;

/// The vocabulary of a model. Its keys are the Python reprs that nfp writes.
#[derive(Debug, Clone)]
pub struct NfpVocabulary {}

/// A molecule as tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenGraph {
    /// One for each atom; hydrogens last.
    pub atoms: Vec<u32>,
    /// One for each directed bond, ordered by its source.
    pub bonds: Vec<u32>,
    /// Source and target atom of each directed bond.
    pub connectivity: Vec<[u32; 2]>,
    /// Tokens that are [`UNKNOWN`].
    pub unknown: usize,
}

impl NfpVocabulary {
    /// Reads the keys; the error is a sentence that names the one that cannot be read.
    pub fn new(_atoms: &BTreeMap<String, u32>, _bonds: &BTreeMap<String, u32>) -> Result<Self, String> {
        Ok(Self {})
    }

    /// The tokens of a molecule.
    pub fn graph(&self, _molecule: &Molecule) -> TokenGraph {
        TokenGraph::default()
    }
}
