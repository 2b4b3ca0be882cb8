//! What the verification of a candidate came to. Only positive evidence counts: a report that names this digest and this revision, from a
//! Job that asked exactly the pods that there are now.

use chemmodel_bundle::verification::{Figures, VerifyReport};
use chemmodel_crds::conditions::reason;
use k8s_openapi::api::batch::v1::Job;

use super::action::{Action, Child, Guard};
use super::differs::stamp;
use super::gather::candidate_pods;
use super::jobs::{condition, newest, reports};
use super::observed::Observed;
use super::rollout::{Stage, Step};
use super::sync::Artifact;
use super::trouble::{self, Trouble};
use crate::build::{PODS, RecordedRevision, build_verify_job};
use crate::model::{ValidatedModel, names};

/// What a verification came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verification {
    /// The spec asks for none.
    NotRequired,
    /// There is none for the pods that there are now.
    Due {
        /// Number of the Job to create, from 1.
        attempt: u32,
        /// What the one before said, when that proved nothing.
        before: Option<String>,
    },
    /// A Job is at it.
    Running {
        /// What keeps its pod from running, when something does.
        trouble: Option<Trouble>,
    },
    /// Every pod answered every molecule rightly.
    Passed(Box<Figures>),
    /// One did not.
    Failed {
        /// Reason of the condition.
        reason: &'static str,
        /// The sentence for people.
        message: String,
        /// What was counted and measured.
        figures: Option<Box<Figures>>,
    },
}

impl Verification {
    /// What was counted and measured, once there is a verdict.
    pub fn figures(&self) -> Option<&Figures> {
        match self {
            Self::Passed(figures) => Some(figures),
            Self::Failed { figures, .. } => figures.as_deref(),
            Self::NotRequired | Self::Due { .. } | Self::Running { .. } => None,
        }
    }
}

/// Decides from the Jobs of the spec's revision.
pub fn decide(model: &ValidatedModel, seen: &Observed, artifact: &Artifact) -> Verification {
    if !model.spec.rollout.verification.required {
        return Verification::NotRequired;
    }
    let (Some((attempt, job)), Artifact::Recorded(record)) = (current_job(model, seen), artifact) else {
        return Verification::Due { attempt: 1, before: None };
    };
    let next = |before| Verification::Due { attempt: attempt.saturating_add(1), before };
    let asked = job.metadata.annotations.as_ref().and_then(|annotations| annotations.get(PODS));
    let pods: Vec<String> = candidate_pods(seen, model.revision).into_iter().collect();
    if asked != Some(&pods.join(",")) {
        return next(None);
    }
    let verdict = reports(seen, job, "verify").find_map(|message| VerifyReport::parse(message).ok());
    match (condition(job, "Complete").is_some(), condition(job, "Failed").is_some(), verdict) {
        (true, _, Some(VerifyReport::Passed(figures))) if is_positive(&figures, model, record, pods.len()) => {
            Verification::Passed(Box::new(figures))
        }
        (_, true, Some(VerifyReport::Failed(failure))) if !failure.retryable => Verification::Failed {
            reason: failure.reason.as_str(),
            message: failure.message,
            figures: failure.figures.map(Box::new),
        },
        // A Job that ended without a word, or could not reach the pods, proves nothing: again, until the deadline of the step.
        (_, _, Some(VerifyReport::Failed(failure))) if condition(job, "Failed").is_some() => {
            next(Some(failure.message))
        }
        (true, _, _) | (_, true, _) => next(None),
        (false, false, _) => {
            let name = job.metadata.name.as_deref().unwrap_or_default();
            Verification::Running { trouble: trouble::of_pods(model, seen.job_pods(name)) }
        }
    }
}

/// Evidence for this digest, this revision and this many pods. That every pod answered every molecule rightly, and that there was one,
/// is what a report must say to be read as passed at all.
fn is_positive(figures: &Figures, model: &ValidatedModel, record: &RecordedRevision, pods: usize) -> bool {
    figures.digest == record.digest && figures.revision == model.revision.to_string() && figures.pods == pods as u64
}

/// The Job that is due, once the candidate's pods are there to be asked.
pub fn actions(model: &ValidatedModel, seen: &Observed, stage: &Stage, verification: &Verification) -> Vec<Action> {
    let (Stage::Preparing { step: Step::Verifying, .. }, Verification::Due { attempt, .. }) = (stage, verification)
    else {
        return Vec::new();
    };
    let Some(record) = seen.record(model.revision) else { return Vec::new() };
    let pods: Vec<_> = seen
        .staying_pods(model.revision)
        .filter_map(|pod| Some((pod.metadata.name.clone()?, pod.status.as_ref()?.pod_ip.clone()?)))
        .collect();
    let job = build_verify_job(model, &record, *attempt, &pods);
    vec![Action::Apply(Box::new(Child::Job(stamp(job))), Guard::Absent)]
}

/// The newest verify Job of the spec's revision, and which attempt it is.
pub fn current_job<'a>(model: &ValidatedModel, seen: &'a Observed) -> Option<(u32, &'a Job)> {
    newest(seen, |attempt| names::verify_job(model, model.revision, attempt))
}

/// The reason to show when the step's deadline passed without a verdict.
pub fn overdue(verification: &Verification) -> (&'static str, String) {
    let why = match verification {
        Verification::Running { trouble: Some(trouble) } => format!("; {}", trouble.message),
        Verification::Due { before: Some(before), .. } => format!("; {before}"),
        Verification::NotRequired
        | Verification::Due { .. }
        | Verification::Running { .. }
        | Verification::Passed(_)
        | Verification::Failed { .. } => String::new(),
    };
    let message = format!("the verification came to no verdict within spec.rollout.verification.timeoutSeconds{why}");
    (reason::VERIFICATION_TIMED_OUT, message)
}
