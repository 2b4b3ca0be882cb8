//! What `chemmodel-job verify` says when it ends: one line of JSON in the container's termination log.
//!
//! The Job writes it, the operator gives a candidate traffic on nothing but a [`VerifyReport::Passed`] for the digest
//! and revision that it has in mind. The exit code carries the same verdict in the form that a `podFailurePolicy` reads.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::{BundleDigest, termination};

/// How a verification ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome")]
pub enum VerifyReport {
    /// Every answer of every pod was right.
    Passed(Figures),
    /// At least one answer was not, or there is no evidence.
    Failed(VerifyFailure),
}

/// What was asked, and what came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// The bundle that had to answer.
    pub digest: BundleDigest,
    /// The revision that had to answer.
    pub revision: String,
    /// Pods that had to answer.
    pub pods: u64,
    /// Molecules with a reference.
    pub molecules: u64,
    /// Answers that came, one for each molecule and each way of asking it.
    pub answers: u64,
    /// How many of them were right.
    pub passed: u64,
    /// What runs the network, `CPU` or `CUDA`, as the pods' metrics say; several, divided by commas, when they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Half of the requests with one molecule were answered within this, by the pod that is slowest in 95 of 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_milliseconds: Option<f64>,
    /// 95 of 100 of them were answered within this, by the same pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_milliseconds: Option<f64>,
    /// At most three molecules, the largest error in units of its tolerance first.
    #[serde(default)]
    pub worst: Vec<WorstMolecule>,
    /// Wall time of the verification.
    pub seconds: f64,
}

/// A molecule and how far its answer was off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorstMolecule {
    /// As it was sent.
    pub smiles: String,
    /// Which output; none when the model has but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The reference.
    pub expected: f64,
    /// The worst answer.
    pub answered: f64,
}

/// Why a candidate did not pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyFailure {
    /// The class of the failure: the condition's reason and the exit code follow from it.
    pub reason: VerifyReason,
    /// A sentence with the pod, the molecule, the cause and the remedy.
    pub message: String,
    /// Whether the same Job may pass later without anybody changing anything.
    pub retryable: bool,
    /// As far as it came; none when nothing could be asked.
    #[serde(flatten)]
    pub figures: Option<Figures>,
}

/// The class of a failed verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum VerifyReason {
    /// A pod or the Service took no connection until the end of the time, or the Job was told to stop.
    Unreachable,
    /// The bundle on the volume cannot be read, or is not the expected one.
    InvalidBundle,
    /// The arguments of the Job are wrong.
    InvalidConfiguration,
    /// An answer is further from its reference than the tolerance.
    GoldenMismatch,
    /// The names or units of the outputs are not those of the original framework.
    WrongOutputs,
    /// Something else answered: another digest, revision or version.
    WrongIdentity,
    /// Every answer was right, but those of a pod were not as fast as asked for.
    TooSlow,
    /// There is no molecule with a reference, so nothing was proved.
    NoMolecules,
    /// An HTTP error, no finite number, or no answer in time.
    NotAnswered,
}

impl VerifyReason {
    /// Every reason, for tables and policies.
    pub const ALL: [Self; 9] = [
        Self::Unreachable,
        Self::InvalidBundle,
        Self::InvalidConfiguration,
        Self::GoldenMismatch,
        Self::WrongOutputs,
        Self::WrongIdentity,
        Self::TooSlow,
        Self::NoMolecules,
        Self::NotAnswered,
    ];

    /// The process's exit code: 10 may be retried, all others are final. Codes that `sync` has too mean the same.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Unreachable => 10,
            Self::InvalidBundle => 25,
            Self::InvalidConfiguration => 26,
            Self::GoldenMismatch => 30,
            Self::WrongOutputs => 31,
            Self::WrongIdentity => 32,
            Self::TooSlow => 33,
            Self::NoMolecules => 34,
            Self::NotAnswered => 35,
        }
    }

    /// Whether the same Job may pass later without anybody changing anything.
    pub const fn retryable(self) -> bool {
        self.exit_code() == 10
    }

    /// The word used in JSON, in conditions and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "Unreachable",
            Self::InvalidBundle => "InvalidBundle",
            Self::InvalidConfiguration => "InvalidConfiguration",
            Self::GoldenMismatch => "GoldenMismatch",
            Self::WrongOutputs => "WrongOutputs",
            Self::WrongIdentity => "WrongIdentity",
            Self::TooSlow => "TooSlow",
            Self::NoMolecules => "NoMolecules",
            Self::NotAnswered => "NotAnswered",
        }
    }
}

impl std::fmt::Display for VerifyReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Figures {
    /// `Err` says what is missing before these figures prove that every pod answered every molecule rightly.
    pub fn prove(&self) -> Result<(), String> {
        let Self { digest: _, revision: _, pods, molecules, answers, passed, provider, .. } = self;
        let (pods, molecules, answers, passed) = (*pods, *molecules, *answers, *passed);
        if pods == 0 || molecules == 0 {
            return Err(format!("{pods} pods were asked for {molecules} molecules"));
        }
        let least = pods.saturating_mul(molecules);
        if answers < least {
            return Err(format!("there are {answers} answers to {molecules} molecules from {pods} pods"));
        }
        if passed != answers {
            return Err(format!("{passed} of {answers} answers were right"));
        }
        if provider.as_deref().unwrap_or_default().is_empty() {
            return Err("no pod said what runs its network".to_owned());
        }
        if self.p50_milliseconds.is_none() || self.p95_milliseconds.is_none() {
            return Err("no answer was timed".to_owned());
        }
        Ok(())
    }
}

impl VerifyReport {
    /// A failure; whether it is retryable follows from the reason.
    pub fn failed(reason: VerifyReason, message: impl Into<String>, figures: Option<Figures>) -> Self {
        Self::Failed(VerifyFailure { reason, message: message.into(), retryable: reason.retryable(), figures })
    }

    /// 0 for a pass, else the reason's code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Passed(_) => 0,
            Self::Failed(failure) => failure.reason.exit_code(),
        }
    }

    /// Reads a termination message. A pass whose figures do not [prove](Figures::prove) it is an error: whatever wrote
    /// it, it is no evidence.
    pub fn parse(message: &str) -> Result<Self, serde_json::Error> {
        let report: Self = serde_json::from_str(message)?;
        if let Self::Passed(figures) = &report {
            let without = |why| serde_json::Error::custom(format!("the report says Passed without evidence: {why}"));
            figures.prove().map_err(without)?;
        }
        Ok(report)
    }

    /// One line of JSON of at most [`MAX_TERMINATION_MESSAGE_BYTES`](crate::MAX_TERMINATION_MESSAGE_BYTES); long texts
    /// lose their ends.
    pub fn to_termination_message(&self) -> Result<String, serde_json::Error> {
        termination::message(self.clone(), Self::longest_text)
    }

    fn longest_text(&mut self) -> &mut String {
        let (mut longest, figures) = match self {
            Self::Passed(figures) => return figures.longest_text(),
            Self::Failed(VerifyFailure { message, figures, .. }) => (message, figures),
        };
        if let Some(figures) = figures {
            let other = figures.longest_text();
            if other.len() > longest.len() {
                longest = other;
            }
        }
        longest
    }
}

impl Figures {
    fn longest_text(&mut self) -> &mut String {
        let worst = self.worst.iter_mut().flat_map(|worst| worst.output.iter_mut().chain([&mut worst.smiles]));
        let others = worst.chain(&mut self.provider);
        others.fold(&mut self.revision, |longest, text| if text.len() > longest.len() { text } else { longest })
    }
}

#[cfg(test)]
#[path = "verification_tests.rs"]
mod tests;
