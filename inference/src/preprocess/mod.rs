//! From a molecule's text to what the network reads. Pure: no I/O after construction, no HTTP, no engine.

pub mod sequence;
mod table;

/// Why one molecule cannot be predicted, in words for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MoleculeError {
    /// A sentence.
    pub message: String,
    /// Zero-based index of the first wrong character, where one is to blame.
    pub position: Option<usize>,
}

impl MoleculeError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), position: None }
    }

    pub(crate) fn at(position: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), position: Some(position) }
    }
}

/// A molecule as the network reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Token ids, special tokens included; never empty.
    pub ids: Vec<u32>,
    /// How many of them stand for text that the vocabulary does not know.
    pub unknown: usize,
}
