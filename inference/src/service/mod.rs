//! Predicts molecules: checks, reads, queues, waits, scales. Knows no HTTP; `http/` translates to and from it.

pub mod audit;
mod predictions;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chemmodel_bundle::{Aggregate, BundleDigest, Output};

use crate::batch::queue::Queue;
use crate::cache::Answers;
use crate::metrics::Metrics;
use crate::postprocess::Prediction;
use crate::preprocess::{MoleculeError, Preprocessor};

pub use audit::Audit;
pub use predictions::Predictions;

/// Who answers.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Name of the model.
    pub model: String,
    /// Version of the model.
    pub version: String,
    /// Revision of the deployment; empty when nobody gave one.
    pub revision: String,
    /// The bundle, byte for byte.
    pub digest: BundleDigest,
}

/// The answer for one molecule, or why there is none.
pub type Row = Result<Prediction, RowError>;

/// Why one molecule of a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The caller's molecule.
    #[error(transparent)]
    Molecule(#[from] MoleculeError),
    /// The engine; its own words are in the log.
    #[error("the engine failed on this molecule; the server's log says why")]
    Engine,
    /// The network gave NaN or infinity.
    #[error("the model gave no finite number for this molecule")]
    NotFinite,
}

/// Why a request as a whole was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is nothing to predict.
    #[error("\"smiles\" is an empty list; send at least one SMILES")]
    NoItems,
    /// More than one request may hold.
    #[error("the request has {found} SMILES, but at most {allowed} are accepted; split it")]
    TooManyItems {
        /// In the request.
        found: usize,
        /// The limit.
        allowed: usize,
    },
    /// The queue is full.
    #[error("the model is overloaded: its queue is full; try again later")]
    Overloaded {
        /// Until what waits is answered, about.
        wait: Duration,
    },
    /// It would be answered when nobody waits any more.
    #[error("the model is overloaded: an answer would take about {} s; try again later", .wait.as_secs())]
    TooLate {
        /// Until it would be answered, about.
        wait: Duration,
    },
    /// The engine takes no work.
    #[error("the engine has stopped; try again, another replica may answer")]
    Stopped,
}

/// A request, as its transport knows it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who asks; empty when nobody was asked for a name.
    pub caller: String,
    /// When the answer is of no use any more; nothing where answers are sent one by one.
    pub deadline: Option<Instant>,
    /// Whether the engine is to be asked even for what is known: the Jobs that verify a version want to hear it, not the cache.
    pub fresh: bool,
}

/// One model, ready to predict.
pub struct Service {
    /// Who answers.
    pub identity: Identity,
    /// Columns of the answer.
    pub outputs: Vec<Output>,
    /// Networks whose answers become one.
    pub members: usize,
    /// How they do.
    pub aggregate: Aggregate,
    /// Reads molecules.
    pub preprocessor: Arc<Preprocessor>,
    /// What is written about each request.
    pub audit: Audit,
    /// What is known without the engine.
    pub answers: Answers,
    /// Leads to the engine.
    pub queue: Arc<Queue>,
    /// Molecules of one request at most.
    pub max_items: usize,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
}

impl Service {
    /// Refuses while the queue is full, before any work is done for the request.
    pub fn admit(&self) -> Result<(), Refusal> {
        if self.queue.is_full() { Err(Refusal::Overloaded { wait: self.queue.wait() }) } else { Ok(()) }
    }

    /// Predicts molecules; answers in the order of the request, a bad molecule fails alone. What cannot be answered before the deadline is
    /// refused at once.
    ///
    /// Dropping the future takes the molecules out of the queue.
    pub async fn predict(self: &Arc<Self>, molecules: Vec<String>, call: Call) -> Result<Vec<Row>, Refusal> {
        if molecules.is_empty() {
            return Err(Refusal::NoItems);
        }
        if molecules.len() > self.max_items {
            return Err(Refusal::TooManyItems { found: molecules.len(), allowed: self.max_items });
        }
        let mut rows = Vec::with_capacity(molecules.len());
        let mut molecules = molecules.into_iter();
        let mut predictions = self.predictions(call);
        loop {
            let chunk = molecules.by_ref().take(predictions.room()).map(Ok).collect();
            predictions.feed(chunk).await?;
            match predictions.next().await? {
                Some(row) => rows.push(row),
                None => return Ok(rows),
            }
        }
    }

    /// Molecules that come bit by bit, perhaps without an end in sight.
    pub fn predictions(self: &Arc<Self>, call: Call) -> Predictions {
        Predictions::new(self.clone(), call)
    }
}
