//! Rollouts, counted by the difference of two statuses.

use chemmodel_crds::ChemModelStatus;
use chemmodel_crds::conditions::kind;
use chemmodel_crds::status::Outcome;
use jiff::Timestamp;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

/// What is counted of rollouts.
#[derive(Clone)]
pub struct Rollouts {
    started: IntCounter,
    finished: IntCounterVec,
    phase_seconds: HistogramVec,
    verification_failures: IntCounterVec,
}

impl Rollouts {
    /// Registers everything.
    ///
    /// # Errors
    /// When two metrics have one name, which would be a mistake here.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let buckets = vec![0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
        let rollouts = Self {
            started: IntCounter::new(
                "chemmodel_operator_rollouts_started_total",
                "Revisions that began to prepare for the traffic",
            )?,
            finished: IntCounterVec::new(
                Opts::new("chemmodel_operator_rollouts_finished_total", "Rollouts by how they ended"),
                &["outcome"],
            )?,
            phase_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "chemmodel_operator_phase_duration_seconds",
                    "Time that ChemModels spent in a phase",
                )
                .buckets(buckets),
                &["phase"],
            )?,
            verification_failures: IntCounterVec::new(
                Opts::new(
                    "chemmodel_operator_verification_failures_total",
                    "Candidates that answered wrongly, by reason",
                ),
                &["reason"],
            )?,
        };
        let Self { started, finished, phase_seconds, verification_failures } = &rollouts;
        registry.register(Box::new(started.clone()))?;
        registry.register(Box::new(finished.clone()))?;
        registry.register(Box::new(phase_seconds.clone()))?;
        registry.register(Box::new(verification_failures.clone()))?;
        // Zeros too: an alert on a counter that is not there yet misses its first increase.
        for outcome in Outcome::ALL {
            finished.with_label_values(&[outcome.as_str()]);
        }
        Ok(rollouts)
    }

    /// Counts the step from one written status to the next.
    pub fn count(&self, before: &ChemModelStatus, after: &ChemModelStatus, now: Timestamp) {
        let candidate =
            |status: &ChemModelStatus| status.candidate.as_ref().map(|candidate| candidate.revision.clone());
        if after.candidate.is_some() && candidate(before) != candidate(after) {
            self.started.inc();
        }
        let new = after.history.iter().take_while(|entry| before.history.first() != Some(entry));
        for entry in new {
            self.finished.with_label_values(&[entry.outcome.as_str()]).inc();
        }
        if let (Some(phase), Some(since)) = (before.phase, &before.since)
            && after.phase != Some(phase)
        {
            let seconds = now.duration_since(since.0).as_secs_f64().max(0.0);
            self.phase_seconds.with_label_values(&[phase.as_str()]).observe(seconds);
        }
        let unverified = |status: &ChemModelStatus| {
            let condition = status.conditions.iter().find(|c| c.type_ == kind::VERIFIED && c.status == "False");
            condition.map(|condition| condition.reason.clone())
        };
        if let Some(failed) = after.failed.as_ref().filter(|failed| before.failed.as_ref() != Some(failed))
            && unverified(after).as_ref() == Some(&failed.reason)
        {
            self.verification_failures.with_label_values(&[failed.reason.as_str()]).inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(text: serde_json::Value) -> ChemModelStatus {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_rollout_is_counted_when_it_begins_and_once_when_it_ends() {
        let registry = Registry::new();
        let rollouts = Rollouts::new(&registry).unwrap();
        let began = "2026-01-01T12:00:00Z";
        let now: Timestamp = "2026-01-01T12:00:40Z".parse().unwrap();
        let candidate = json!({"version": "v2", "revision": "00000000aa", "startedAt": began});
        let failed = json!({"revision": "00000000aa", "version": "v2", "outcome": "Aborted", "reason": "GoldenMismatch", "message": "", "at": began});
        let entry = json!({"revision": "00000000aa", "version": "v2", "outcome": "Aborted", "reason": "GoldenMismatch", "message": "",
            "startedAt": began, "finishedAt": began});
        let unverified = json!({"type": "Verified", "status": "False", "reason": "GoldenMismatch", "message": "", "lastTransitionTime": began});
        let before = status(json!({"phase": "Stable", "since": began}));
        let verifying = status(json!({"phase": "Verifying", "since": began, "candidate": candidate}));
        let aborted =
            status(json!({"phase": "Aborted", "failed": failed, "history": [entry], "conditions": [unverified]}));
        for (before, after) in
            [(&before, &verifying), (&verifying, &verifying), (&verifying, &aborted), (&aborted, &aborted)]
        {
            rollouts.count(before, after, now);
        }
        assert_eq!(rollouts.started.get(), 1);
        assert_eq!(rollouts.finished.with_label_values(&["Aborted"]).get(), 1);
        assert_eq!(rollouts.finished.with_label_values(&["Promoted"]).get(), 0);
        assert_eq!(rollouts.verification_failures.with_label_values(&["GoldenMismatch"]).get(), 1);
        let verifying = rollouts.phase_seconds.with_label_values(&["Verifying"]);
        assert_eq!((verifying.get_sample_count(), verifying.get_sample_sum()), (1, 40.0));
    }
}
