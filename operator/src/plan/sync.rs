//! Is the bundle of the spec's revision in the cluster? A revision that is recorded was synced and proven; any other needs a Job.

use chemmodel_bundle::BundleDigest;
use chemmodel_bundle::report::{SyncReason, SyncReport};
use chemmodel_crds::conditions::reason;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use super::action::{Action, Child, Guard};
use super::differs::stamp;
use super::jobs::{condition, newest, reports};
use super::observed::Observed;
use super::rollout::Stage;
use super::trouble::{self, Trouble};
use crate::build::{Keep, RecordedRevision, build_revision, build_sync_job};
use crate::model::{ValidatedModel, names};

/// Pauses between failed Jobs of one revision: what is wrong in the storage may be mended there, without a change of the spec.
const PAUSES: [i64; 5] = [15, 30, 60, 120, 300];

/// Where the bundle of the spec's revision is.
#[derive(Clone, Debug, PartialEq)]
pub enum Artifact {
    /// In the cluster, and recorded.
    Recorded(Box<RecordedRevision>),
    /// Its Job has just proven it; the record is to be written.
    Proven(BundleDigest),
    /// No Job yet, or the one that there was is to be followed by the next.
    Due {
        /// Number of the Job to create, from 1.
        attempt: u32,
    },
    /// A Job is at it.
    Running {
        /// Until when at the latest.
        deadline: Timestamp,
        /// What keeps its pod from running, when something does.
        trouble: Option<Trouble>,
    },
    /// The last Job failed.
    Failed {
        /// Reason of the condition.
        reason: &'static str,
        /// The sentence for people.
        message: String,
        /// When the next Job is created.
        retry_at: Timestamp,
    },
    /// It must not even be tried.
    Refused {
        /// The sentence for people.
        message: String,
    },
}

impl Artifact {
    /// When the next Job is due.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Failed { retry_at, .. } => Some(*retry_at),
            Self::Recorded(_) | Self::Proven(_) | Self::Due { .. } | Self::Running { .. } | Self::Refused { .. } => {
                None
            }
        }
    }
}

/// Decides from the records and the Jobs of the spec's revision.
pub fn decide(model: &ValidatedModel, seen: &Observed, now: Timestamp) -> Artifact {
    if let Some(record) = seen.record(model.revision) {
        return Artifact::Recorded(Box::new(record));
    }
    if let (Some(wanted), Some(known)) = (&model.digest, known_digest(model, seen))
        && *wanted != known
    {
        let version = &model.spec.model.version;
        let message = format!(
            "version {version} was recorded with digest {known}, and spec.model.digest now demands {wanted}: give the other bundle another version"
        );
        return Artifact::Refused { message };
    }
    let Some((attempt, job)) = current_job(model, seen) else {
        return Artifact::Due { attempt: 1 };
    };
    let next = Artifact::Due { attempt: attempt.saturating_add(1) };
    if let Some(ended) = condition(job, "Failed") {
        return failed(model, seen, job, ended, attempt, now).unwrap_or(next);
    }
    if condition(job, "Complete").is_some() {
        // A Job whose pod, and with it the report, is gone proves nothing.
        return reports(seen, job, "sync").find_map(succeeded).map_or(next, Artifact::Proven);
    }
    let since = job.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
    let seconds = SignedDuration::from_secs(model.spec.rollout.progress_deadline_seconds.into());
    let deadline = since.checked_add(seconds).unwrap_or(since);
    let name = job.metadata.name.as_deref().unwrap_or_default();
    Artifact::Running { deadline, trouble: trouble::of_pods(model, seen.job_pods(name)) }
}

/// When the Job that is at it ends at the latest.
pub fn deadline(artifact: &Artifact) -> Option<Timestamp> {
    match artifact {
        Artifact::Running { deadline, .. } => Some(*deadline),
        Artifact::Recorded(_)
        | Artifact::Proven(_)
        | Artifact::Due { .. }
        | Artifact::Failed { .. }
        | Artifact::Refused { .. } => None,
    }
}

/// The writes that bring the bundle nearer.
pub fn actions(model: &ValidatedModel, seen: &Observed, artifact: &Artifact, stage: &Stage) -> Vec<Action> {
    // A revision that was given up needs no bundle.
    if matches!(stage, Stage::GivenUp) {
        return Vec::new();
    }
    let child = match artifact {
        Artifact::Due { attempt } => {
            let pinned = model.digest.or_else(|| known_digest(model, seen));
            let recorded: Vec<_> = seen.records().into_values().map(|record| record.digest).collect();
            Child::Job(stamp(build_sync_job(model, *attempt, pinned.as_ref(), Keep::Only(&recorded))))
        }
        Artifact::Proven(digest) => {
            let number = seen.revisions.iter().map(|revision| revision.revision).max().unwrap_or(0) + 1;
            Child::Revision(stamp(build_revision(model, digest, number)))
        }
        Artifact::Recorded(_) | Artifact::Running { .. } | Artifact::Failed { .. } | Artifact::Refused { .. } => {
            return Vec::new();
        }
    };
    vec![Action::Apply(Box::new(child), Guard::Absent)]
}

/// The digest that was recorded for the spec's version: one version is one digest.
fn known_digest(model: &ValidatedModel, seen: &Observed) -> Option<BundleDigest> {
    seen.records().into_values().find(|record| record.version == model.spec.model.version).map(|record| record.digest)
}

/// The newest Job of the spec's revision, and which attempt it is.
pub fn current_job<'a>(model: &ValidatedModel, seen: &'a Observed) -> Option<(u32, &'a Job)> {
    newest(seen, |attempt| names::sync_job(model, model.revision, attempt))
}

/// `None` once the pause is over.
fn failed(
    model: &ValidatedModel,
    seen: &Observed,
    job: &Job,
    ended: &JobCondition,
    attempt: u32,
    now: Timestamp,
) -> Option<Artifact> {
    let pause = PAUSES[PAUSES.len().min(attempt.max(1) as usize) - 1];
    let since = ended.last_transition_time.as_ref().map_or(now, |time| time.0);
    let retry_at = since.checked_add(SignedDuration::from_secs(pause)).unwrap_or(now);
    if now >= retry_at {
        return None;
    }
    let (reason, why) = match reports(seen, job, "sync").find_map(failure) {
        Some((SyncReason::IntegrityMismatch, why)) if known_digest(model, seen).is_some() => {
            (reason::DIGEST_CHANGED, why)
        }
        Some((reason, why)) => (reason.as_str(), why),
        None if ended.reason.as_deref() == Some("DeadlineExceeded") => {
            let seconds = model.spec.rollout.progress_deadline_seconds;
            let why = format!("the sync did not finish within spec.rollout.progressDeadlineSeconds ({seconds} s)");
            (reason::SYNC_DEADLINE_EXCEEDED, why)
        }
        None => {
            let words = ended.message.clone().unwrap_or_default();
            (reason::SYNC_POD_FAILED, format!("the sync's pod ended without a report: {words}"))
        }
    };
    Some(Artifact::Failed { reason, message: why, retry_at })
}

fn succeeded(message: &str) -> Option<BundleDigest> {
    match SyncReport::parse(message).ok()? {
        SyncReport::Succeeded(synced) => Some(synced.digest),
        SyncReport::Failed(_) => None,
    }
}

fn failure(message: &str) -> Option<(SyncReason, String)> {
    match SyncReport::parse(message).ok()? {
        SyncReport::Succeeded(_) => None,
        SyncReport::Failed(failure) => Some((failure.reason, failure.message)),
    }
}
