//! What the server counts. Labels name the model and outcomes, never a molecule: a metric store is read by more people
//! than a request is.

use std::collections::HashMap;

use chemmodel_bundle::Precision;
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::engine::Batch;

/// Media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// 10 µs to 40 s: from a queue that was empty to a request at its deadline.
const SECONDS: (f64, f64, usize) = (1e-5, 2.0, 23);

/// Every metric of the server, all with the labels `model`, `version` and `revision`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests by outcome.
    pub requests: IntCounterVec,
    /// Requests that are being answered.
    pub requests_in_flight: IntGauge,
    /// From the request's head to its answer.
    pub request_seconds: Histogram,
    /// Molecules by outcome.
    pub molecules: IntCounterVec,
    /// Answered molecules with an environment that training had not.
    pub molecules_outside_domain: IntCounter,
    /// Requests refused because of load or phase, by reason.
    pub shed: IntCounterVec,
    /// Reading the molecules of one request.
    pub preprocess_seconds: Histogram,
    /// Tokens that stand for what the vocabulary does not know.
    pub unknown_tokens: IntCounter,
    /// All tokens, or atoms and directed bonds.
    pub tokens: IntCounter,
    /// Molecules that wait.
    pub queue_items: IntGauge,
    /// How long a molecule waited.
    pub queue_seconds: Histogram,
    /// One call of the engine.
    pub inference_seconds: Histogram,
    /// Molecules that were looked for in the cache, by where they were found.
    pub cache_lookups: IntCounterVec,
    /// Questions to the shared cache that failed.
    pub cache_failures: IntCounter,
    /// Panics that a request survived.
    pub panics: IntCounter,
    batch_molecules: Histogram,
    batch_padding: Histogram,
    info: IntGaugeVec,
}

impl Metrics {
    /// Registers everything under the given model.
    pub fn new(model: &str, version: &str, revision: &str) -> Result<Self, prometheus::Error> {
        let labels = [("model", model), ("version", version), ("revision", revision)];
        let labels: HashMap<String, String> =
            labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let registry = Registry::new_custom(Some("chemmodel".to_owned()), Some(labels))?;
        let add = Register(&registry);
        let (start, factor, count) = SECONDS;
        let seconds = prometheus::exponential_buckets(start, factor, count)?;
        let sizes = prometheus::exponential_buckets(1.0, 2.0, 11)?;
        let ratios = prometheus::linear_buckets(0.0, 0.1, 10)?;
        Ok(Self {
            requests: add.counters("requests_total", "Requests for predictions by outcome", &["outcome"])?,
            requests_in_flight: add.gauge("requests_in_flight", "Requests for predictions that are being answered")?,
            request_seconds: add.histogram("request_duration_seconds", "From head to answer", &seconds)?,
            molecules: add.counters("molecules_total", "Molecules by outcome", &["outcome"])?,
            molecules_outside_domain: add.counter(
                "molecules_outside_domain_total",
                "Answered molecules with an environment that training had not",
            )?,
            shed: add.counters("shed_total", "Requests refused because of load or phase", &["reason"])?,
            preprocess_seconds: add.histogram(
                "preprocess_duration_seconds",
                "Reading the molecules of a request",
                &seconds,
            )?,
            unknown_tokens: add.counter("unknown_tokens_total", "Tokens for what the vocabulary lacks")?,
            tokens: add.counter("tokens_total", "Tokens, or atoms and directed bonds, of all molecules")?,
            queue_items: add.gauge("queue_items", "Molecules that wait for the engine")?,
            queue_seconds: add.histogram("queue_duration_seconds", "Wait of a molecule for the engine", &seconds)?,
            inference_seconds: add.histogram("inference_duration_seconds", "One call of the engine", &seconds)?,
            cache_lookups: add.counters(
                "cache_lookups_total",
                "Molecules looked for in the cache: found in own memory, in the shared cache, or missed",
                &["outcome"],
            )?,
            cache_failures: add.counter("cache_failures_total", "Failed questions to the shared cache")?,
            panics: add.counter("panics_total", "Requests that ended in a panic of the server")?,
            batch_molecules: add.histogram("batch_molecules", "Molecules of a batch", &sizes)?,
            batch_padding: add.histogram("batch_padding_ratio", "Fraction of a batch that is padding", &ratios)?,
            info: add.gauges(
                "server_info",
                "What runs here; always 1",
                &["build", "provider", "precision", "threads", "digest"],
            )?,
            registry,
        })
    }

    /// Tells which build serves which bundle with what.
    pub fn set_info(&self, provider: &str, precision: Precision, threads: usize, digest: &str) {
        self.info
            .with_label_values(&[env!("CARGO_PKG_VERSION"), provider, precision.as_str(), &threads.to_string(), digest])
            .set(1);
    }

    /// Records the shape of a batch.
    pub fn observe_batch(&self, batch: &Batch) {
        #[allow(clippy::cast_precision_loss)] // Far below 2^52.
        self.batch_molecules.observe(batch.molecules() as f64);
        self.batch_padding.observe(batch.padding_ratio());
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

struct Register<'a>(&'a Registry);

impl Register<'_> {
    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        let metric = IntCounter::new(name, help)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        let metric = IntGauge::new(name, help)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, prometheus::Error> {
        let metric = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}
