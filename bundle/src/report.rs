//! What `chemmodel-job sync` says when it ends: one line of JSON in the container's termination log.
//!
//! The Job writes it, the operator turns it into a condition. The exit code carries the same verdict in the form that
//! a `podFailurePolicy` reads.

use serde::{Deserialize, Serialize};

use crate::{BundleDigest, termination};

/// How a sync ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome")]
pub enum SyncReport {
    /// The bundle lies complete and checked at `models/<digest>`.
    Succeeded(Synced),
    /// Nothing was published.
    Failed(SyncFailure),
}

/// A bundle that was published, or found published already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Synced {
    /// SHA-256 of the manifest.
    pub digest: BundleDigest,
    /// The bundle's own name for itself.
    pub name: String,
    /// Files in the bundle, the manifest included.
    pub files: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// True when an earlier sync had published it and every file still had its digest.
    pub reused: bool,
    /// Wall time of the sync.
    pub seconds: f64,
}

/// Why nothing was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncFailure {
    /// The class of the failure: the condition's reason and the exit code follow from it.
    pub reason: SyncReason,
    /// A sentence with the object, the cause and the remedy.
    pub message: String,
    /// Whether the same Job may succeed later without anybody changing anything.
    pub retryable: bool,
}

/// The class of a failed sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SyncReason {
    /// The storage did not answer, or the Job was told to stop.
    Unavailable,
    /// An object was replaced while it was being read.
    ChangedDuringSync,
    /// The storage refused the credentials.
    AccessDenied,
    /// The bucket, the prefix or a listed file is missing.
    NotFound,
    /// Content that is not what a digest or the manifest says.
    IntegrityMismatch,
    /// The volume, or the configured limit, is too small.
    NoSpace,
    /// An object's key would escape the target or cannot be a file.
    UnsafeKey,
    /// The manifest breaks the bundle contract.
    InvalidBundle,
    /// The arguments or the environment of the Job are wrong.
    InvalidConfiguration,
}

impl SyncReason {
    /// Every reason, for tables and policies.
    pub const ALL: [Self; 9] = [
        Self::Unavailable,
        Self::ChangedDuringSync,
        Self::AccessDenied,
        Self::NotFound,
        Self::IntegrityMismatch,
        Self::NoSpace,
        Self::UnsafeKey,
        Self::InvalidBundle,
        Self::InvalidConfiguration,
    ];

    /// The process's exit code: 10 may be retried, 20 and above are final.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Unavailable | Self::ChangedDuringSync => 10,
            Self::AccessDenied => 20,
            Self::NotFound => 21,
            Self::IntegrityMismatch => 22,
            Self::NoSpace => 23,
            Self::UnsafeKey => 24,
            Self::InvalidBundle => 25,
            Self::InvalidConfiguration => 26,
        }
    }

    /// Whether the same Job may succeed later without anybody changing anything.
    pub const fn retryable(self) -> bool {
        self.exit_code() == 10
    }

    /// The word used in JSON, in conditions and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "Unavailable",
            Self::ChangedDuringSync => "ChangedDuringSync",
            Self::AccessDenied => "AccessDenied",
            Self::NotFound => "NotFound",
            Self::IntegrityMismatch => "IntegrityMismatch",
            Self::NoSpace => "NoSpace",
            Self::UnsafeKey => "UnsafeKey",
            Self::InvalidBundle => "InvalidBundle",
            Self::InvalidConfiguration => "InvalidConfiguration",
        }
    }
}

impl std::fmt::Display for SyncReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl SyncReport {
    /// A failure; whether it is retryable follows from the reason.
    pub fn failed(reason: SyncReason, message: impl Into<String>) -> Self {
        Self::Failed(SyncFailure { reason, message: message.into(), retryable: reason.retryable() })
    }

    /// 0 for success, else the reason's code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Succeeded(_) => 0,
            Self::Failed(failure) => failure.reason.exit_code(),
        }
    }

    /// Whether the Job may be run again unchanged; a success never needs to be.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Succeeded(_) => false,
            Self::Failed(failure) => failure.retryable,
        }
    }

    /// Reads a termination message. The error says what is wrong with it: a container killed for memory, for
    /// example, leaves an empty one.
    pub fn parse(message: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(message)
    }

    /// One line of JSON of at most [`MAX_TERMINATION_MESSAGE_BYTES`](crate::MAX_TERMINATION_MESSAGE_BYTES); a longer sentence or name loses its end.
    pub fn to_termination_message(&self) -> Result<String, serde_json::Error> {
        termination::message(self.clone(), Self::text_mut)
    }

    /// The one field without a bound.
    fn text_mut(&mut self) -> &mut String {
        match self {
            Self::Succeeded(synced) => &mut synced.name,
            Self::Failed(failure) => &mut failure.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::MAX_TERMINATION_MESSAGE_BYTES;

    fn succeeded() -> SyncReport {
        SyncReport::Succeeded(Synced {
            digest: BundleDigest::of(b"manifest"),
            name: "boiling-point".to_owned(),
            files: 4,
            bytes: 123,
            reused: false,
            seconds: 1.5,
        })
    }

    #[test]
    fn the_json_is_the_contract_with_the_operator() {
        let digest = BundleDigest::of(b"manifest").to_string();
        let json = json!({"outcome": "Succeeded", "digest": digest, "name": "boiling-point", "files": 4, "bytes": 123,
            "reused": false, "seconds": 1.5});
        assert_eq!(serde_json::to_value(succeeded()).unwrap(), json);

        let failed = SyncReport::failed(SyncReason::NotFound, "why");
        let json = json!({"outcome": "Failed", "reason": "NotFound", "message": "why", "retryable": false});
        assert_eq!(serde_json::to_value(failed).unwrap(), json);
    }

    #[test]
    fn a_report_survives_the_termination_log() {
        for report in [succeeded(), SyncReport::failed(SyncReason::Unavailable, "s3 did not answer")] {
            assert_eq!(SyncReport::parse(&report.to_termination_message().unwrap()).unwrap(), report);
        }
    }

    #[test]
    fn a_message_is_cut_to_the_kubelets_limit_between_characters() {
        for text in ["é".repeat(5000), "x".repeat(4096), "\"".repeat(9000), "\u{1}".repeat(4000), "模型".repeat(700)]
        {
            let sent = SyncReport::failed(SyncReason::InvalidBundle, text.as_str()).to_termination_message().unwrap();
            assert!(sent.len() <= MAX_TERMINATION_MESSAGE_BYTES, "{} bytes", sent.len());
            let SyncReport::Failed(read) = SyncReport::parse(&sent).unwrap() else { panic!("not a failure") };
            assert_eq!(read.reason, SyncReason::InvalidBundle);
            assert!(text.starts_with(read.message.trim_end_matches('…')));
            assert!(sent.len() > 4000, "{} bytes: more was cut than needed", sent.len());
        }
    }

    #[test]
    fn only_the_first_code_is_retryable_and_words_match_json() {
        for reason in SyncReason::ALL {
            assert_eq!(reason.retryable(), reason.exit_code() == 10, "{reason}");
            assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.as_str()));
            assert_eq!(SyncReport::failed(reason, "").exit_code(), reason.exit_code());
        }
        assert_eq!(SyncReason::ALL.map(SyncReason::exit_code), [10, 10, 20, 21, 22, 23, 24, 25, 26]);
        assert_eq!(succeeded().exit_code(), 0);
    }

    #[test]
    fn an_empty_termination_log_is_an_error_and_not_a_verdict() {
        assert!(SyncReport::parse("").is_err());
    }
}
