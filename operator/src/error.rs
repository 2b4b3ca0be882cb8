//! What can go wrong in a reconcile: one variant per step. The step's name is the metric's label.

use chemmodel_crds::conditions::reason;

use crate::plan::Hindrance;

/// A reconcile that did not get through.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Children could not be read.
    #[error("cannot read the {kind}s of the ChemModel: {source}")]
    Observe {
        /// Kind of the children.
        kind: &'static str,
        /// Answer of the API server.
        source: kube::Error,
    },
    /// An action could not be performed.
    #[error("cannot {verb} {kind} {name}: {source}")]
    Apply {
        /// `apply`, `scale` or `delete`.
        verb: &'static str,
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Answer of the API server.
        source: kube::Error,
    },
    /// The name of a child is in use by an object that belongs to somebody else.
    #[error("{kind} {name} exists and does not belong to this ChemModel: rename the ChemModel, or delete that object")]
    NameTaken {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The status could not be written.
    #[error("cannot write the status: {0}")]
    Report(#[source] kube::Error),
    /// The API server did not answer in time.
    #[error("the reconcile took longer than {0} s; the API server is slow or does not answer")]
    Timeout(u64),
}

impl Error {
    /// The step that failed.
    pub fn step(&self) -> &'static str {
        match self {
            Self::Observe { .. } => "observe",
            Self::Apply { .. } => "apply",
            Self::NameTaken { .. } => "name_taken",
            Self::Report(_) => "report",
            Self::Timeout(_) => "timeout",
        }
    }

    /// What a user must know of it: a refused write, but neither a race nor an API server that is away.
    pub fn hindrance(&self) -> Option<Hindrance> {
        let reason = match self {
            Self::NameTaken { .. } => reason::NAME_TAKEN,
            Self::Apply { source: kube::Error::Api(status), .. }
                if !self.is_race() && !self.is_end_of_namespace() && status.code < 500 =>
            {
                reason::WRITE_REFUSED
            }
            Self::Observe { .. } | Self::Apply { .. } | Self::Report(_) | Self::Timeout(_) => return None,
        };
        Some(Hindrance { reason, message: self.to_string() })
    }

    /// Whether the namespace is on its way out: nothing can be created there any more, and everything in it goes by itself.
    pub fn is_end_of_namespace(&self) -> bool {
        match self {
            Self::Apply { source, .. } => is_end_of_namespace(source),
            Self::Observe { .. } | Self::NameTaken { .. } | Self::Report(_) | Self::Timeout(_) => false,
        }
    }

    /// Whether the object changed or went under our hands: the next look at the cluster settles it, nobody need be told.
    pub fn is_race(&self) -> bool {
        match self {
            // 409: the resourceVersion moved on. 422 for an immutable uid and 404: recreated or gone.
            Self::Apply { source: kube::Error::Api(status), .. } => {
                status.is_conflict() || status.is_not_found() || status.message.contains("metadata.uid")
            }
            Self::Report(kube::Error::Api(status)) => status.is_conflict() || status.is_not_found(),
            _ => false,
        }
    }
}

/// Whether the API server refuses because the namespace is being terminated.
pub fn is_end_of_namespace(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    causes.iter().any(|cause| cause.reason == "NamespaceTerminating")
}
