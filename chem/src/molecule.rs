//! A molecule as RDKit's `MolFromSmiles` leaves it.

use crate::SmilesError;

/// What is accepted at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Characters of the SMILES.
    pub characters: usize,
    /// Atoms, hydrogens counted.
    pub atoms: usize,
}

/// Atoms and bonds after sanitising: hydrogens merged into their neighbours, aromaticity, conjugation and rings known.
#[derive(Debug, Clone)]
pub struct Molecule {}

impl Molecule {
    /// Reads and sanitises a SMILES.
    pub fn from_smiles(_smiles: &str, _limits: Limits) -> Result<Self, SmilesError> {
        Err(SmilesError { message: "not yet".to_owned(), position: None })
    }
}
