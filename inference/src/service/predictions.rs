//! The molecules of one request on their way, a bounded number of them at a time: so however many there are, they take no more
//! than their share of the queue, and of memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;
use tracing::{Instrument as _, Span};

use super::audit::Record;
use super::{Call, Refusal, Row, RowError, Service};
use crate::batch::queue::QueueRefusal;
use crate::batch::{Item, Raw};
use crate::postprocess::{self, Prediction};
use crate::preprocess::{Encoded, MoleculeError};
use crate::trace;

/// Molecules of one request in the queue or in the engine at once: enough for a few batches.
const ON_THE_WAY: usize = 256;

/// See the module.
pub struct Predictions {
    service: Arc<Service>,
    waiting: VecDeque<Waiting>,
    deadline: Option<Instant>,
    fresh: bool,
    span: Span,
    record: Option<Record>,
    has_begun: bool,
}

enum Waiting {
    /// Nobody need be asked.
    Known(Row),
    /// The engine is asked.
    Asked { smiles: String, unseen: Option<u32>, answer: oneshot::Receiver<Raw> },
}

impl Predictions {
    pub(super) fn new(service: Arc<Service>, call: Call) -> Self {
        let Call { caller, deadline, fresh } = call;
        let record = Record::begin(service.audit, &caller);
        Self { service, waiting: VecDeque::new(), deadline, fresh, span: Span::current(), record, has_begun: false }
    }

    /// Molecules that may be fed now.
    pub fn room(&self) -> usize {
        // Refilled by halves, so that the preprocessor and the queue are visited with many at once.
        let room = ON_THE_WAY - self.waiting.len();
        if room >= ON_THE_WAY / 2 { room } else { 0 }
    }

    /// Whether every molecule that was fed is answered.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Sends molecules on their way, no more than there is [`room`](Self::room) for; an error takes its row. Only the first of a request
    /// may be refused for want of a place; the others wait for theirs.
    pub async fn feed(&mut self, molecules: Vec<Result<String, MoleculeError>>) -> Result<(), Refusal> {
        if molecules.is_empty() {
            return Ok(());
        }
        let queued = Instant::now();
        if let Some(record) = &mut self.record {
            record.asked(molecules.iter().map(|molecule| molecule.as_deref().unwrap_or_default()));
        }
        let texts: Vec<&str> = molecules.iter().flatten().map(String::as_str).collect();
        let known = if self.fresh { Vec::new() } else { self.service.answers.find(&texts).await };
        let mut known = known.into_iter();
        let (mut rows, mut unknown) = (Vec::with_capacity(molecules.len()), Vec::new());
        for molecule in molecules {
            let row = match molecule {
                Ok(smiles) => known.next().flatten().map(Ok).or_else(|| {
                    unknown.push(smiles);
                    None
                }),
                Err(why) => Some(Err(RowError::from(why))),
            };
            rows.push(row);
        }
        let preprocess = trace::preprocess(unknown.len());
        let mut encoded = self.service.encode(unknown).instrument(preprocess).await?.into_iter();
        let mut items = Vec::new();
        for row in rows {
            let waiting = match row {
                Some(row) => Waiting::Known(row),
                None => match encoded.next() {
                    Some((smiles, Ok(Encoded { input, unseen, .. }))) => {
                        let (reply, answer) = oneshot::channel();
                        items.push(Item { input, queued, span: self.span.clone(), reply });
                        Waiting::Asked { smiles, unseen, answer }
                    }
                    Some((_, Err(why))) => Waiting::Known(Err(why.into())),
                    // The preprocessor gives as many as it got.
                    None => Waiting::Known(Err(RowError::Engine)),
                },
            };
            self.waiting.push_back(waiting);
        }
        self.queue(items).await
    }

    async fn queue(&mut self, items: Vec<Item>) -> Result<(), Refusal> {
        if items.is_empty() {
            return Ok(());
        }
        let queue = &self.service.queue;
        let pushed = if self.has_begun {
            queue.push_when_there_is_room(items).await
        } else {
            queue.push_all(items, self.deadline)
        };
        self.has_begun = true;
        let wake = pushed.map_err(|refused| {
            let refusal = match refused {
                QueueRefusal::Full(wait) => Refusal::Overloaded { wait },
                QueueRefusal::Late(wait) => Refusal::TooLate { wait },
                QueueRefusal::Closed => Refusal::Stopped,
            };
            if let Some(record) = &mut self.record {
                record.refused(&refusal);
            }
            refusal
        })?;
        wake.after_others().await;
        Ok(())
    }

    /// The answer to the oldest molecule that was fed and not answered yet.
    pub async fn next(&mut self) -> Result<Option<Row>, Refusal> {
        let row = match self.waiting.pop_front() {
            None => return Ok(None),
            Some(Waiting::Known(row)) => row,
            Some(Waiting::Asked { smiles, unseen, answer }) => {
                let row = self.service.finish(answer.await.map_err(|_| Refusal::Stopped)?, unseen);
                if let Ok(prediction) = &row {
                    self.service.answers.keep(smiles, prediction);
                }
                row
            }
        };
        self.service.metrics.molecules.with_label_values(&[outcome(&row)]).inc();
        if row.as_ref().is_ok_and(|prediction| prediction.unseen.is_some_and(|count| count > 0)) {
            self.service.metrics.molecules_outside_domain.inc();
        }
        if let Some(record) = &mut self.record {
            record.answered(&row);
        }
        Ok(Some(row))
    }
}

impl Service {
    /// Each molecule as the network reads it, in the order in which they came.
    async fn encode(&self, molecules: Vec<String>) -> Result<Vec<(String, Result<Encoded, MoleculeError>)>, Refusal> {
        if molecules.is_empty() {
            return Ok(Vec::new());
        }
        let started = Instant::now();
        let preprocessor = self.preprocessor.clone();
        let bytes: usize = molecules.iter().map(String::len).sum();
        let is_short = bytes <= preprocessor.inline_bytes();
        let encode = move || {
            let encode = |smiles: String| {
                let encoded = preprocessor.encode(&smiles);
                (smiles, encoded)
            };
            molecules.into_iter().map(encode).collect::<Vec<_>>()
        };
        let encoded = if is_short { encode() } else { blocking(encode).await? };
        self.metrics.preprocess_seconds.observe(started.elapsed().as_secs_f64());
        for encoded in encoded.iter().filter_map(|(_, encoded)| encoded.as_ref().ok()) {
            self.metrics.tokens.inc_by(encoded.tokens as u64);
            self.metrics.unknown_tokens.inc_by(encoded.unknown as u64);
        }
        Ok(encoded)
    }

    fn finish(&self, answer: Raw, unseen: Option<u32>) -> Row {
        let raw = answer.map_err(|_| RowError::Engine)?;
        let estimates = postprocess::estimates(&raw, &self.outputs, self.aggregate).ok_or(RowError::NotFinite)?;
        Ok(Prediction { estimates, unseen })
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    // It fails when the runtime is going down, or when the preprocessor panics: then the panic goes on to the one place
    // that catches it.
    tokio::task::spawn_blocking(work).await.map_err(|failed| match failed.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Refusal::Stopped,
    })
}

fn outcome(row: &Row) -> &'static str {
    match row {
        Ok(_) => "ok",
        Err(RowError::Molecule(_)) => "invalid",
        Err(RowError::Engine | RowError::NotFinite) => "failed",
    }
}
