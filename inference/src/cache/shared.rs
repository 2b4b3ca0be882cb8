//! Answers in Redis, which replicas share. It may help and must not hurt: every question has a short deadline, and after one
//! that failed Redis is left alone for a while.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Pipeline};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::metrics::Metrics;
use crate::service::Values;

/// How long an answer of Redis may take. A network is some milliseconds faster than that only when it is large.
const PATIENCE: Duration = Duration::from_millis(20);
/// Writes have nobody who waits.
const WRITE_PATIENCE: Duration = Duration::from_secs(1);
/// How long Redis is left alone after it failed.
const REST: Duration = Duration::from_secs(1);
/// After so long nobody has the digest any more, most likely. In seconds.
const LIFETIME: u64 = 7 * 24 * 3600;
/// Answers that wait to be written; more are forgotten.
const BACKLOG: usize = 4096;
/// Answers of one write.
const AT_ONCE: usize = 256;

/// A Redis.
pub struct Shared {
    connection: ConnectionManager,
    keys: Keys,
    writes: mpsc::Sender<(Arc<str>, Values)>,
    health: Arc<Health>,
}

impl Shared {
    /// The Redis at an address like `redis://:password@host:6379/0`, or `rediss://` for TLS. It need not be there yet. Answers are those of one `network`,
    /// a bundle's digest and its precision, and have `outputs` numbers. Must be called within a runtime.
    pub fn new(address: &str, network: &str, outputs: usize, metrics: Arc<Metrics>) -> Result<Self, redis::RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(WRITE_PATIENCE))
            .set_response_timeout(Some(WRITE_PATIENCE))
            .set_number_of_retries(0);
        let connection = ConnectionManager::new_lazy_with_config(Client::open(address)?, config)?;
        let (keys, health) =
            (Keys { prefix: format!("chemmodel:{network}:"), outputs }, Arc::new(Health::new(metrics)));
        let (writes, waiting) = mpsc::channel(BACKLOG);
        tokio::spawn(write(connection.clone(), keys.clone(), waiting, health.clone()));
        Ok(Self { connection, keys, writes, health })
    }

    /// For each molecule its answer, when Redis has one and says so in time.
    pub async fn find(&self, molecules: &[&str]) -> Vec<Option<Values>> {
        if self.health.rests() {
            return vec![None; molecules.len()];
        }
        let mut question = redis::cmd("MGET");
        for smiles in molecules {
            question.arg(self.keys.of(smiles));
        }
        let mut connection = self.connection.clone();
        let answers = timeout(PATIENCE, question.query_async::<Vec<Option<Vec<u8>>>>(&mut connection)).await;
        match self.health.judge(answers) {
            Some(answers) => answers.into_iter().map(|bytes| self.keys.read(&bytes?)).collect(),
            None => vec![None; molecules.len()],
        }
    }

    /// Keeps an answer, some time later.
    pub fn keep(&self, smiles: Arc<str>, values: Values) {
        // Too many, or Redis is away: the next one who asks finds out for themselves.
        let _ = self.writes.try_send((smiles, values));
    }
}

async fn write(
    mut connection: ConnectionManager,
    keys: Keys,
    mut waiting: mpsc::Receiver<(Arc<str>, Values)>,
    health: Arc<Health>,
) {
    let mut answers = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut answers, AT_ONCE).await > 0 {
        if health.rests() {
            answers.clear();
            continue;
        }
        let mut pipeline = Pipeline::new();
        for (smiles, values) in answers.drain(..) {
            pipeline.set_ex(keys.of(&smiles), Keys::write(&values), LIFETIME).ignore();
        }
        health.judge(timeout(WRITE_PATIENCE, pipeline.query_async::<()>(&mut connection)).await);
    }
}

/// What an entry is called and how it is written: numbers one after the other, 4 bytes each, little endian.
#[derive(Clone)]
struct Keys {
    prefix: String,
    outputs: usize,
}

impl Keys {
    fn of(&self, smiles: &str) -> String {
        format!("{}{smiles}", self.prefix)
    }

    fn write(values: &Values) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Somebody else may have written anything.
    fn read(&self, bytes: &[u8]) -> Option<Values> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let values: Values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let right = rest.is_empty() && values.len() == self.outputs && values.iter().all(|value| value.is_finite());
        right.then_some(values)
    }
}

/// Whether Redis is worth a question.
struct Health {
    failed: Mutex<Option<Instant>>,
    metrics: Arc<Metrics>,
}

impl Health {
    fn new(metrics: Arc<Metrics>) -> Self {
        Self { failed: Mutex::new(None), metrics }
    }

    fn rests(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|since| since.elapsed() < REST)
    }

    /// The answer, when there is one; and what that says of the next.
    fn judge<T>(&self, outcome: Result<Result<T, redis::RedisError>, tokio::time::error::Elapsed>) -> Option<T> {
        let (answer, why) = match outcome {
            Ok(Ok(answer)) => (Some(answer), String::new()),
            Ok(Err(error)) => (None, error.to_string()),
            Err(late) => (None, late.to_string()),
        };
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failed.is_some();
        *failed = answer.is_none().then(Instant::now);
        drop(failed);
        match (before, &answer) {
            (false, None) => warn!(error = why, "the shared cache fails; requests go on without it"),
            (true, Some(_)) => info!("the shared cache works again"),
            _ => {}
        }
        if answer.is_none() {
            self.metrics.cache_failures.inc();
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let keys = Keys { prefix: "chemmodel:sha256:0:".to_owned(), outputs: 2 };
        assert_eq!(keys.read(&Keys::write(&vec![1.5, -2.0])), Some(vec![1.5, -2.0]));
        assert_eq!(keys.of("CCO"), "chemmodel:sha256:0:CCO");
    }

    #[test]
    fn what_somebody_else_wrote_is_no_answer() {
        let keys = Keys { prefix: String::new(), outputs: 1 };
        for bytes in [&b""[..], b"abc", b"abcde", b"abcdefgh", &f32::NAN.to_le_bytes(), &f32::INFINITY.to_le_bytes()] {
            assert_eq!(keys.read(bytes), None, "{bytes:?}");
        }
    }
}
