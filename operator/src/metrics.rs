//! What the operator counts.

use std::collections::HashMap;

use chemmodel_crds::status::Phase;
use prometheus::{
    Encoder as _, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

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
}

impl Metrics {
    /// Registers everything.
    ///
    /// # Errors
    /// When two metrics have one name, which would be a mistake here.
    pub fn new() -> Result<Self, prometheus::Error> {
        let buckets = vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
        let metrics = Self {
            registry: Registry::new(),
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
        };
        let Self { registry, reconcile_seconds, errors, models, leader } = &metrics;
        registry.register(Box::new(reconcile_seconds.clone()))?;
        registry.register(Box::new(errors.clone()))?;
        registry.register(Box::new(models.clone()))?;
        registry.register(Box::new(leader.clone()))?;
        Ok(metrics)
    }

    /// Sets the number of ChemModels of every phase, zeros included.
    pub fn set_phases(&self, phases: impl Iterator<Item = Phase>) {
        let mut counts: HashMap<Phase, i64> = Phase::ALL.into_iter().map(|phase| (phase, 0)).collect();
        for phase in phases {
            *counts.entry(phase).or_default() += 1;
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
