//! What the operator counts.

mod rollouts;

use std::collections::HashMap;

use chemmodel_crds::ChemModel;
use chemmodel_crds::status::Phase;
use kube::ResourceExt as _;
use prometheus::{
    Encoder as _, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

pub use rollouts::Rollouts;

/// The operator's metrics, in a registry of their own.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// Seconds of a reconcile, by outcome.
    pub reconcile_seconds: HistogramVec,
    /// Failed reconciles, by the step that failed.
    pub errors: IntCounterVec,
    /// ChemModels, by phase.
    pub models: IntGaugeVec,
    /// 1 on the leader.
    pub leader: IntGauge,
    /// Rollouts.
    pub rollouts: Rollouts,
    promoted: GaugeVec,
}

impl Metrics {
    /// Registers everything.
    ///
    /// # Errors
    /// When two metrics have one name, which would be a mistake here.
    pub fn new() -> Result<Self, prometheus::Error> {
        let buckets = vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
        let registry = Registry::new();
        let metrics = Self {
            rollouts: Rollouts::new(&registry)?,
            registry,
            reconcile_seconds: HistogramVec::new(
                HistogramOpts::new("chemmodel_operator_reconcile_duration_seconds", "Time of a reconcile")
                    .buckets(buckets),
                &["outcome"],
            )?,
            errors: IntCounterVec::new(
                Opts::new("chemmodel_operator_reconcile_errors_total", "Failed reconciles by step"),
                &["reason"],
            )?,
            models: IntGaugeVec::new(Opts::new("chemmodel_operator_chemmodels", "ChemModels by phase"), &["phase"])?,
            leader: IntGauge::new("chemmodel_operator_leader", "1 on the replica that reconciles")?,
            promoted: GaugeVec::new(
                Opts::new(
                    "chemmodel_operator_last_promotion_timestamp_seconds",
                    "When the revision that has the traffic got it, by ChemModel",
                ),
                &["namespace", "name"],
            )?,
        };
        let Self { registry, reconcile_seconds, errors, models, leader, rollouts: _, promoted } = &metrics;
        registry.register(Box::new(reconcile_seconds.clone()))?;
        registry.register(Box::new(errors.clone()))?;
        registry.register(Box::new(models.clone()))?;
        registry.register(Box::new(leader.clone()))?;
        registry.register(Box::new(promoted.clone()))?;
        Ok(metrics)
    }

    /// Sets what is read off the ChemModels: how many are in every phase, zeros included, and when each was promoted last.
    pub fn set_models<'a>(&self, models: impl Iterator<Item = &'a ChemModel>) {
        let mut counts: HashMap<Phase, i64> = Phase::ALL.into_iter().map(|phase| (phase, 0)).collect();
        self.promoted.reset();
        for model in models {
            let Some(status) = &model.status else { continue };
            if let Some(phase) = status.phase {
                *counts.entry(phase).or_default() += 1;
            }
            if let Some(active) = &status.active {
                let (namespace, name) = (model.namespace().unwrap_or_default(), model.name_any());
                let since = active.since.0.as_millisecond();
                // Milliseconds of this century are far below the 53 bits that a gauge holds.
                #[expect(clippy::cast_precision_loss, reason = "see above")]
                self.promoted.with_label_values(&[&namespace, &name]).set(since as f64 / 1000.0);
            }
        }
        for (phase, count) in counts {
            self.models.with_label_values(&[phase.as_str()]).set(count);
        }
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    /// When a metric cannot be written, which would be a mistake here.
    pub fn encode(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
