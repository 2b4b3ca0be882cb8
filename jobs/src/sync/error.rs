//! Why a sync ended without a bundle: a reason for machines and a sentence for people.

use std::io;
use std::path::Path;

use chemmodel_bundle::report::SyncReason;

use crate::shown;

/// A failed sync. The message names the object, the cause and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct SyncError {
    /// Becomes the exit code and the condition's reason.
    pub reason: SyncReason,
    /// Becomes the condition's message.
    pub message: String,
}

impl SyncError {
    /// An error with this reason and sentence. Keys and answers of the storage are strangers' text: what could steer
    /// a terminal is shown escaped.
    pub fn new(reason: SyncReason, message: impl AsRef<str>) -> Self {
        Self { reason, message: shown::escaped(message.as_ref()) }
    }

    /// An operation on the volume that failed. `doing` reads like "write".
    pub fn volume(doing: &str, path: &Path, why: &io::Error) -> Self {
        let path = path.display();
        match why.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::new(
                SyncReason::NoSpace,
                format!("cannot {doing} {path}: {why}; make the volume larger (storage.size) or free some of it"),
            ),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::NotADirectory => {
                Self::new(
                    SyncReason::InvalidConfiguration,
                    format!(
                        "cannot {doing} {path}: {why}; the volume must be mounted writable for the user of this Job"
                    ),
                )
            }
            _ => Self::new(
                SyncReason::Unavailable,
                format!("cannot {doing} {path}: {why}; the volume failed, check its node"),
            ),
        }
    }

    /// A bug or a dying process, never the bundle's fault: worth another try.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        Self::new(
            SyncReason::Unavailable,
            format!("a thread of the sync ended early: {why}; the next run resumes what was staged"),
        )
    }
}
