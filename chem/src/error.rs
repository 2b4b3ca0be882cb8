//! Why a text is not a molecule that can be predicted.

use crate::locate;

/// A sentence for the person who sent the SMILES.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SmilesError {
    /// What is wrong and, where it helps, what to do.
    pub message: String,
    /// Zero-based index of the character to blame, where one is.
    pub position: Option<usize>,
}

/// What is wrong with an atom, before anyone has looked where in the text that atom is.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Which atom of the text.
    pub origin: usize,
    /// Its element.
    pub symbol: &'static str,
    /// The sentence without its subject.
    pub what: String,
}

impl Problem {
    pub fn locate(self, smiles: &str) -> SmilesError {
        let position = locate::atom(smiles, self.origin);
        let Self { symbol, what, .. } = self;
        let message = match position {
            Some(position) => format!("atom {symbol} at position {position} {what}"),
            None => format!("an atom {symbol} {what}"),
        };
        SmilesError { message, position }
    }
}
