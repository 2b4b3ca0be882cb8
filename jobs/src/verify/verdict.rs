//! From everything that was answered to one report. Pure.
//!
//! A wrong answer decides, whatever else happened: it is final, and nothing that comes later can make it right.

use std::time::Duration;

use chemmodel_bundle::BundleDigest;
use chemmodel_bundle::verification::{Figures, VerifyReason, VerifyReport};

use super::failure::Failure;
use super::tally::{Deviation, Tally};
use crate::shown;

/// Characters of a molecule in a sentence; the report names it in full.
pub const MAX_SMILES_CHARS: usize = 100;

/// What was to be verified.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its bundle.
    pub digest: BundleDigest,
    /// Its revision.
    pub revision: String,
    /// How many pods it has.
    pub pods: usize,
    /// What 95 of 100 requests must stay within.
    pub max_p95: Option<Duration>,
}

/// The report. `asked` says what ended the asking; `tally` holds what came until then.
pub fn conclude(candidate: &Candidate, asked: Result<(), Failure>, tally: &Tally, took: Duration) -> VerifyReport {
    let figures = figures(candidate, tally, took);
    let failure = match (tally.worst_mismatch(), asked) {
        (Some(worst), _) => Some(mismatch(worst, tally)),
        (None, Err(failure)) => Some(failure),
        (None, Ok(())) => too_slow(candidate, tally).or_else(|| unproven(&figures)),
    };
    match failure {
        None => VerifyReport::Passed(figures),
        Some(Failure { reason, message }) => VerifyReport::failed(reason, message, Some(figures)),
    }
}

fn figures(candidate: &Candidate, tally: &Tally, took: Duration) -> Figures {
    let slowest = tally.slowest();
    let providers: Vec<_> = tally.providers.iter().map(String::as_str).collect();
    Figures {
        digest: candidate.digest,
        revision: candidate.revision.clone(),
        pods: candidate.pods as u64,
        molecules: tally.molecules(),
        answers: tally.answers,
        passed: tally.passed,
        provider: (!providers.is_empty()).then(|| providers.join(",")),
        p50_milliseconds: slowest.map(|pace| milliseconds(pace.p50)),
        p95_milliseconds: slowest.map(|pace| milliseconds(pace.p95)),
        worst: tally.worst_molecules(),
        seconds: (took.as_secs_f64() * 1e3).round() / 1e3,
    }
}

fn mismatch(worst: &Deviation, tally: &Tally) -> Failure {
    let Deviation { who, smiles, output, expected, answered, allowed, .. } = worst;
    let (smiles, wrong) = (shown::beginning(smiles, MAX_SMILES_CHARS), tally.answers - tally.passed);
    let output = output.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
    let message = format!(
        "{who} answered {answered} for \"{smiles}\"{output}, but the original framework computed {expected} (allowed is an \
         error of {allowed}); {wrong} of {} answers were wrong: the weights, the tokenizer or the scaling are not those of \
         the reference, so export the bundle again, or correct the reference or the tolerance",
        tally.answers
    );
    Failure::new(VerifyReason::GoldenMismatch, message)
}

fn too_slow(candidate: &Candidate, tally: &Tally) -> Option<Failure> {
    let (max, slowest) = (candidate.max_p95?, tally.slowest()?);
    if slowest.p95 <= max {
        return None;
    }
    let message = format!(
        "pod {} answered 95 of 100 single molecules within {} ms, but {} ms are allowed (verification.maxP95Milliseconds); \
         give the pods more CPU or a GPU, serve a smaller network, or allow more",
        slowest.pod,
        milliseconds(slowest.p95),
        max.as_millis()
    );
    Some(Failure::new(VerifyReason::TooSlow, message))
}

/// Nothing failed, and yet something is missing: that is no pass.
fn unproven(figures: &Figures) -> Option<Failure> {
    let why = figures.prove().err()?;
    Some(Failure::new(VerifyReason::NotAnswered, format!("the verification proves nothing: {why}")))
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
