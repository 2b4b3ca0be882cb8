//! What every reconcile shares.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use chemmodel_crds::labels::MANAGER;
use kube::Client;
use kube::runtime::events::{Recorder, Reporter};

use crate::metrics::Metrics;
use crate::model::Settings;

/// Client, settings, and counters of failures. No memory of the cluster.
pub struct Context {
    /// The client.
    pub client: Client,
    /// What the operator was installed with.
    pub settings: Settings,
    /// Which term of leadership this is.
    pub term: i32,
    /// Who publishes Events.
    reporter: Reporter,
    /// Counts.
    pub metrics: Metrics,
    failures: Mutex<HashMap<String, u32>>,
}

impl Context {
    /// Puts a context together.
    pub fn new(client: Client, settings: Settings, term: i32, identity: String, metrics: Metrics) -> Self {
        let reporter = Reporter { controller: MANAGER.to_owned(), instance: Some(identity) };
        Self { client, settings, term, reporter, metrics, failures: Mutex::default() }
    }

    /// A recorder for one Event. One that is kept merges what has the same reason into the first Event, and with it the first one's
    /// sentence: the second version to be promoted would be shown as the first.
    pub fn recorder(&self) -> Recorder {
        Recorder::new(self.client.clone(), self.reporter.clone())
    }

    /// The pause after another failure of an object: 1 s, doubled each time up to 5 min, spread by ±20 % so that objects that failed
    /// together do not come back together.
    pub fn failed(&self, object: &str) -> Duration {
        let attempt = {
            let mut failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let count = failures.entry(object.to_owned()).or_default();
            *count = count.saturating_add(1);
            *count
        };
        let seconds = f64::from(1_u32 << attempt.saturating_sub(1).min(9)).min(300.0);
        let spread =
            f64::from(object.bytes().fold(attempt, |sum, byte| sum.wrapping_mul(31) + u32::from(byte)) % 401) / 1000.0;
        Duration::from_secs_f64(seconds * (0.8 + spread))
    }

    /// Forgets the failures of an object.
    pub fn succeeded(&self, object: &str) {
        self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(object);
    }
}
