//! Why a text is not a molecule that can be predicted.

/// A sentence for the person who sent the SMILES.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SmilesError {
    /// What is wrong and, where it helps, what to do.
    pub message: String,
    /// Zero-based index of the character to blame, where one is.
    pub position: Option<usize>,
}
