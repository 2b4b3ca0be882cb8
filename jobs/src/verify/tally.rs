//! What has been answered so far: counts, the worst answers, the times. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use chemmodel_bundle::GoldenOutput;
use chemmodel_bundle::verification::WorstMolecule;

use super::compare::{allowed, deviation};
use super::golden::Question;

/// Molecules that a report names.
const WORST: usize = 3;

/// Counts what comes in.
#[derive(Debug)]
pub struct Tally {
    /// Answers that came.
    pub answers: u64,
    /// How many of them were right.
    pub passed: u64,
    /// What runs the networks of the pods that said so.
    pub providers: BTreeSet<String>,
    paces: Vec<Pace>,
    /// The worst answer to each molecule.
    worst: Vec<Option<Deviation>>,
}

/// One answer beside its reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// Who answered.
    pub who: String,
    /// The molecule.
    pub smiles: String,
    /// The output, where the model has several.
    pub output: Option<String>,
    /// The reference.
    pub expected: f64,
    /// The answer.
    pub answered: f64,
    /// The largest error that passes.
    pub allowed: f64,
    /// Whether this one does.
    pub passes: bool,
    in_tolerances: f64,
}

/// How fast one pod answered single molecules.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Name of the pod.
    pub pod: String,
    /// Half of its answers came within this.
    pub p50: Duration,
    /// 95 of 100 of its answers came within this.
    pub p95: Duration,
}

impl Tally {
    /// Nothing has been asked of so many molecules.
    pub fn new(molecules: usize) -> Self {
        Self { answers: 0, passed: 0, providers: BTreeSet::new(), paces: Vec::new(), worst: vec![None; molecules] }
    }

    /// Molecules that are asked.
    pub fn molecules(&self) -> u64 {
        self.worst.len() as u64
    }

    /// An answer with a number for each output came; `index` is the molecule's place among the questions.
    pub fn record(&mut self, who: &str, index: usize, question: &Question, values: &[f64], outputs: &[GoldenOutput]) {
        let deviations = values.iter().zip(&question.expected).zip(outputs).map(|((answered, expected), output)| {
            let (answered, expected, tolerance) = (*answered, *expected, question.tolerance);
            Deviation {
                who: who.to_owned(),
                smiles: question.smiles.clone(),
                output: (outputs.len() > 1).then(|| output.name.clone()),
                expected,
                answered,
                allowed: allowed(expected, tolerance),
                passes: tolerance.accepts(answered, expected),
                in_tolerances: deviation(answered, expected, tolerance),
            }
        });
        let Some(worst) = deviations.max_by(Deviation::by_wrongness) else { return };
        self.answers += 1;
        self.passed += u64::from(worst.passes);
        if let Some(slot) = self.worst.get_mut(index)
            && slot.as_ref().is_none_or(|earlier| earlier.by_wrongness(&worst).is_lt())
        {
            *slot = Some(worst);
        }
    }

    /// A pod has answered single molecules, each within one of these times.
    pub fn record_times(&mut self, pod: &str, mut times: Vec<Duration>) {
        times.sort_unstable();
        if let (Some(p50), Some(p95)) = (percentile(&times, 50), percentile(&times, 95)) {
            self.paces.push(Pace { pod: pod.to_owned(), p50, p95 });
        }
    }

    /// The pod that answers slowest.
    pub fn slowest(&self) -> Option<&Pace> {
        self.paces.iter().max_by_key(|pace| pace.p95)
    }

    /// The answer that is furthest off among those that do not pass.
    pub fn worst_mismatch(&self) -> Option<&Deviation> {
        self.worst.iter().flatten().filter(|deviation| !deviation.passes).max_by(|a, b| a.by_wrongness(b))
    }

    /// At most three molecules, the largest error in units of its tolerance first.
    pub fn worst_molecules(&self) -> Vec<WorstMolecule> {
        let mut worst: Vec<_> = self.worst.iter().flatten().collect();
        worst.sort_by(|a, b| b.by_wrongness(a));
        let entry = |d: &Deviation| WorstMolecule {
            smiles: d.smiles.clone(),
            output: d.output.clone(),
            expected: d.expected,
            answered: d.answered,
        };
        worst.into_iter().take(WORST).map(entry).collect()
    }
}

impl Deviation {
    /// One that does not pass is always worse than one that does.
    fn by_wrongness(&self, other: &Self) -> std::cmp::Ordering {
        other.passes.cmp(&self.passes).then(self.in_tolerances.total_cmp(&other.in_tolerances))
    }
}

/// The smallest of the sorted `times` that so many of 100 do not exceed (nearest rank).
fn percentile(times: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (times.len() * percent).div_ceil(100);
    times.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
