//! Predicts molecules: checks, tokenises, queues, waits, scales. Knows no HTTP; `http/` translates to and from it.

use std::sync::Arc;
use std::time::Instant;

use chemmodel_bundle::{Aggregate, BundleDigest, Output};
use tokio::sync::oneshot;

use crate::batch::Item;
use crate::batch::queue::{Queue, QueueRefusal};
use crate::engine::EngineError;
use crate::metrics::Metrics;
use crate::postprocess;
use crate::preprocess::sequence::SequencePreprocessor;
use crate::preprocess::{MoleculeError, Tokens};

/// Text that is tokenised on the spot; more goes to a thread that may block. A tokenizer reads some 10 MB/s, so this
/// keeps an HTTP thread for less than a millisecond.
const INLINE_BYTES: usize = 8 * 1024;

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

/// One value for each output, in its unit.
pub type Values = Vec<f32>;

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
    Overloaded,
    /// The engine takes no work.
    #[error("the engine has stopped; try again, another replica may answer")]
    Stopped,
}

/// One model, ready to predict.
pub struct Service {
    /// Who answers.
    pub identity: Identity,
    /// Columns of the answer.
    pub outputs: Vec<Output>,
    /// How members become one answer.
    pub aggregate: Aggregate,
    /// Makes tokens.
    pub preprocessor: Arc<SequencePreprocessor>,
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
        if self.queue.is_full() { Err(Refusal::Overloaded) } else { Ok(()) }
    }

    /// Predicts molecules; answers in the order of the request, a bad molecule fails alone.
    ///
    /// Dropping the future takes the molecules out of the queue.
    pub async fn predict(&self, molecules: Vec<String>) -> Result<Vec<Result<Values, RowError>>, Refusal> {
        if molecules.is_empty() {
            return Err(Refusal::NoItems);
        }
        if molecules.len() > self.max_items {
            return Err(Refusal::TooManyItems { found: molecules.len(), allowed: self.max_items });
        }
        let tokens = self.tokenise(molecules).await?;
        let waiting = self.submit(tokens)?;
        let mut rows = Vec::with_capacity(waiting.len());
        for row in waiting {
            let row = match row {
                Err(molecule) => Err(RowError::from(molecule)),
                Ok(reply) => match reply.await {
                    Ok(answer) => self.finish(answer),
                    Err(_) => return Err(Refusal::Stopped),
                },
            };
            self.metrics.molecules.with_label_values(&[outcome(&row)]).inc();
            rows.push(row);
        }
        Ok(rows)
    }

    async fn tokenise(&self, molecules: Vec<String>) -> Result<Vec<Result<Tokens, MoleculeError>>, Refusal> {
        let started = Instant::now();
        let preprocessor = self.preprocessor.clone();
        let bytes: usize = molecules.iter().map(String::len).sum();
        let encode = move || molecules.iter().map(|smiles| preprocessor.encode(smiles)).collect::<Vec<_>>();
        let tokens = if bytes <= INLINE_BYTES { encode() } else { blocking(encode).await? };
        self.metrics.preprocess_seconds.observe(started.elapsed().as_secs_f64());
        for tokens in tokens.iter().flatten() {
            self.metrics.tokens.inc_by(tokens.ids.len() as u64);
            self.metrics.unknown_tokens.inc_by(tokens.unknown as u64);
        }
        Ok(tokens)
    }

    #[allow(clippy::type_complexity)] // Named once, used once.
    fn submit(
        &self,
        tokens: Vec<Result<Tokens, MoleculeError>>,
    ) -> Result<Vec<Result<oneshot::Receiver<Result<Vec<f32>, EngineError>>, MoleculeError>>, Refusal> {
        let queued = Instant::now();
        let mut items = Vec::with_capacity(tokens.len());
        let waiting = tokens
            .into_iter()
            .map(|tokens| {
                let (reply, answer) = oneshot::channel();
                items.push(Item { ids: tokens?.ids, queued, reply });
                Ok(answer)
            })
            .collect();
        match self.queue.push_all(items) {
            Ok(()) => Ok(waiting),
            Err(QueueRefusal::Full) => Err(Refusal::Overloaded),
            Err(QueueRefusal::Closed) => Err(Refusal::Stopped),
        }
    }

    fn finish(&self, answer: Result<Vec<f32>, EngineError>) -> Result<Values, RowError> {
        let raw = answer.map_err(|_| RowError::Engine)?;
        postprocess::values(&raw, &self.outputs, self.aggregate).ok_or(RowError::NotFinite)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    // It fails when the runtime is going down, or when the tokenizer panics: then the panic goes on to the one place
    // that catches it.
    tokio::task::spawn_blocking(work).await.map_err(|failed| match failed.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Refusal::Stopped,
    })
}

fn outcome(row: &Result<Values, RowError>) -> &'static str {
    match row {
        Ok(_) => "ok",
        Err(RowError::Molecule(_)) => "invalid",
        Err(RowError::Engine | RowError::NotFinite) => "failed",
    }
}
