//! Why a candidate did not pass: a reason for machines and a sentence for people.

use chemmodel_bundle::verification::VerifyReason;

use crate::shown;

/// What ended a verification. The message names the pod, the molecule, the cause and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Failure {
    /// Becomes the exit code and the condition's reason.
    pub reason: VerifyReason,
    /// Becomes the condition's message.
    pub message: String,
}

impl Failure {
    /// Answers are strangers' text: what could steer a terminal is shown escaped.
    pub fn new(reason: VerifyReason, message: impl AsRef<str>) -> Self {
        Self { reason, message: shown::escaped(message.as_ref()) }
    }
}
