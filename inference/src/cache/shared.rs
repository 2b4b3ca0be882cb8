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

use super::form::{Form, VERSION};
use crate::metrics::Metrics;
use crate::postprocess::Prediction;

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
    form: Form,
    writes: mpsc::Sender<(Arc<str>, Prediction)>,
    health: Arc<Health>,
}

impl Shared {
    /// The Redis at an address like `redis://:password@host:6379/0`, or `rediss://` for TLS. It need not be there yet. Answers are those of one `network`,
    /// a bundle's digest and its precision, and have its `form`. Must be called within a runtime.
    pub fn new(address: &str, network: &str, form: Form, metrics: Arc<Metrics>) -> Result<Self, redis::RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(WRITE_PATIENCE))
            .set_response_timeout(Some(WRITE_PATIENCE))
            .set_number_of_retries(0);
        let connection = ConnectionManager::new_lazy_with_config(Client::open(address)?, config)?;
        let (keys, health) = (Keys::of_network(network), Arc::new(Health::new(metrics)));
        let (writes, waiting) = mpsc::channel(BACKLOG);
        tokio::spawn(write(connection.clone(), keys.clone(), waiting, health.clone()));
        Ok(Self { connection, keys, form, writes, health })
    }

    /// For each molecule its answer, when Redis has one and says so in time.
    pub async fn find(&self, molecules: &[&str]) -> Vec<Option<Prediction>> {
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
            Some(answers) => answers.into_iter().map(|bytes| self.form.read(&bytes?)).collect(),
            None => vec![None; molecules.len()],
        }
    }

    /// Keeps an answer, some time later.
    pub fn keep(&self, smiles: Arc<str>, prediction: Prediction) {
        // Too many, or Redis is away: the next one who asks finds out for themselves.
        let _ = self.writes.try_send((smiles, prediction));
    }
}

async fn write(
    mut connection: ConnectionManager,
    keys: Keys,
    mut waiting: mpsc::Receiver<(Arc<str>, Prediction)>,
    health: Arc<Health>,
) {
    let mut answers = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut answers, AT_ONCE).await > 0 {
        if health.rests() {
            answers.clear();
            continue;
        }
        let mut pipeline = Pipeline::new();
        for (smiles, prediction) in answers.drain(..) {
            pipeline.set_ex(keys.of(&smiles), Form::write(&prediction), LIFETIME).ignore();
        }
        health.judge(timeout(WRITE_PATIENCE, pipeline.query_async::<()>(&mut connection)).await);
    }
}

/// What an entry is called. The version of the form is in it: replicas of an older release go on beside those of this one.
#[derive(Clone)]
struct Keys {
    prefix: String,
}

impl Keys {
    fn of_network(network: &str) -> Self {
        Self { prefix: format!("chemmodel:{VERSION}:{network}:") }
    }

    fn of(&self, smiles: &str) -> String {
        format!("{}{smiles}", self.prefix)
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
    fn a_key_has_the_version_of_the_form_the_network_and_the_text() {
        assert_eq!(Keys::of_network("sha256:0:fp32").of("CCO"), "chemmodel:2:sha256:0:fp32:CCO");
    }
}
