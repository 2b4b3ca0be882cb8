//! What runs the network. [`Engine`] is the whole contract between the batcher and a runtime; nothing outside this
//! folder names one.

mod batch;
mod graphs;
pub mod inspect;
pub mod ort;
mod refined;
pub mod session;
mod signature;
mod tokens;

pub use batch::{Batch, Input, Layout};
pub use graphs::{Graph, GraphBatch, Rows};
pub use refined::{Level, Refined, RefinedBatch};
pub use signature::Network;
pub use tokens::TokenBatch;

/// What a network answered, before scaling: for each member of the ensemble a row-major `rows × outputs` matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct RawAnswers {
    /// One matrix for each member.
    pub members: Vec<Vec<f32>>,
    /// Columns of each matrix.
    pub outputs: usize,
}

impl RawAnswers {
    /// The numbers of one molecule, member after member.
    pub fn row(&self, row: usize) -> Vec<f32> {
        let columns = row * self.outputs..(row + 1) * self.outputs;
        self.members.iter().flat_map(|m| m.get(columns.clone()).unwrap_or_default()).copied().collect()
    }
}

/// Why an inference failed, in the runtime's words: for the log, not for callers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EngineError(pub String);

/// Runs the network of one model. Owned by one thread; `run` blocks it.
pub trait Engine: Send {
    /// Predicts a batch. Every member's matrix has a row for each of its molecules.
    fn run(&mut self, batch: &Batch) -> Result<RawAnswers, EngineError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_the_outputs_of_every_member() {
        let answers = RawAnswers { members: vec![vec![1.0, 2.0, 3.0, 4.0], vec![5.0, 6.0, 7.0, 8.0]], outputs: 2 };
        assert_eq!(answers.row(1), [3.0, 4.0, 7.0, 8.0]);
    }
}
