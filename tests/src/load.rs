//! Requests at a steady rate, each one counted: half over connections that are kept, half over new ones. Nothing is tried again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::http::{Connection, once, post};

/// Connections that are kept.
const KEPT: u32 = 5;
/// Requests under way over new connections; one more counts as failed rather than as load.
const MOST_AT_ONCE: usize = 100;

/// What became of the requests.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Requests that were answered, by the version that answered.
    pub answered: BTreeMap<String, u64>,
    /// The answers over new connections, in the order in which they came.
    pub fresh: Vec<Fresh>,
    /// Requests that failed: when, in seconds, and how.
    pub failed: Vec<(f64, String)>,
}

impl Tally {
    /// All answers.
    pub fn total(&self) -> u64 {
        self.answered.values().sum()
    }
}

/// An answer over a new connection.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// When the connection was asked for.
    pub began: Instant,
    /// From then to the end of the answer.
    pub took: Duration,
    /// Who answered.
    pub version: String,
}

/// Load that runs until it is stopped.
pub struct Load {
    tally: Arc<Mutex<Tally>>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Shot {
    address: String,
    question: Value,
    began: Instant,
    tally: Arc<Mutex<Tally>>,
}

impl Load {
    /// Asks `address` for one molecule `per_second` times a second.
    pub fn start(address: &str, per_second: u32) -> Self {
        let tally = Arc::<Mutex<Tally>>::default();
        let shot = Shot {
            address: address.to_owned(),
            question: json!({"smiles": "CCO"}),
            began: Instant::now(),
            tally: tally.clone(),
        };
        let (stop, stopped) = watch::channel(false);
        let half = Duration::from_secs(2) / per_second;
        let mut tasks = JoinSet::new();
        for _ in 0..KEPT {
            tasks.spawn(keep_asking(shot.clone(), half * KEPT, stopped.clone()));
        }
        tasks.spawn(ask_anew(shot, half, stopped));
        Self { tally, stop, tasks }
    }

    /// What became of the requests so far.
    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the requests under way, and counts.
    pub async fn stop(mut self) -> Tally {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        self.tally()
    }
}

/// One connection that is kept as long as the server keeps it.
async fn keep_asking(shot: Shot, period: Duration, stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(period);
    let mut kept: Option<Connection> = None;
    while !*stopped.borrow() {
        ticks.tick().await;
        let outcome = async {
            let mut connection = match kept.take().filter(Connection::is_open) {
                Some(connection) => connection,
                None => Connection::open(&shot.address).await?,
            };
            let answer = connection.send(post(&shot.address, "/predict", &shot.question)?).await?.json()?;
            kept = Some(connection);
            anyhow::Ok(answer)
        };
        let outcome = outcome.await.context("over a kept connection");
        shot.count(outcome, None);
    }
}

/// A new connection for each request, on time whether or not the one before was answered.
async fn ask_anew(shot: Shot, period: Duration, stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MOST_AT_ONCE));
    let mut ticks = tokio::time::interval(period);
    let mut under_way = JoinSet::new();
    while !*stopped.borrow() {
        ticks.tick().await;
        while under_way.try_join_next().is_some() {}
        let Ok(place) = places.clone().try_acquire_owned() else {
            shot.count(Err(anyhow::anyhow!("{MOST_AT_ONCE} requests are waiting for their answers")), None);
            continue;
        };
        let shot = shot.clone();
        under_way.spawn(async move {
            let began = Instant::now();
            let outcome = async { once(&shot.address, post(&shot.address, "/predict", &shot.question)?).await?.json() };
            let outcome = outcome.await.context("over a new connection");
            shot.count(outcome, Some(began));
            drop(place);
        });
    }
    while under_way.join_next().await.is_some() {}
}

impl Shot {
    /// `began` is when a connection of its own was asked for.
    fn count(&self, outcome: Result<Value>, began: Option<Instant>) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(answer) => {
                let version = answer["version"].as_str().unwrap_or("none").to_owned();
                tally.fresh.extend(began.map(|began| Fresh { began, took: began.elapsed(), version: version.clone() }));
                *tally.answered.entry(version).or_default() += 1;
            }
            Err(error) => tally.failed.push((self.began.elapsed().as_secs_f64(), format!("{error:#}"))),
        }
    }
}
