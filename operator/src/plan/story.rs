//! Phase, reason and message: what is going on, what is waited for and until when, or what to do.

use chemmodel_crds::conditions::reason;
use chemmodel_crds::spec::{AccessMode, StorageMode};
use chemmodel_crds::status::{Outcome, Phase};
use jiff::Timestamp;

use super::Picture;
use super::rollout::facts::{Promotion, Standing};
use super::rollout::{Candidate, Cause, Stage, Step};
use super::status::identity;
use super::sync::Artifact;
use super::verify::{self, Verification};
use crate::model::ValidatedModel;

/// The story of a ChemModel in three parts.
pub struct Story {
    /// Where the ChemModel stands.
    pub phase: Phase,
    /// `None` only when nothing is to be said.
    pub reason: Option<String>,
    /// The sentence.
    pub message: String,
}

impl Story {
    fn new(phase: Phase, reason: &str, message: String) -> Self {
        Self { phase, reason: Some(reason.to_owned()), message }
    }
}

/// Tells the story.
pub fn story(picture: &Picture<'_>) -> Story {
    let Picture { model, seen, artifact, stage, now, .. } = picture;
    if model.spec.suspend {
        let message = "spec.suspend is true: pods and traffic stay as they are".to_owned();
        return Story::new(Phase::Suspended, reason::SUSPENDED, message);
    }
    let active = picture.facts.active.map(|active| identity(seen, active.revision).0).unwrap_or_default();
    match stage {
        Stage::Settled => settled(picture),
        Stage::Syncing => syncing(model, artifact),
        Stage::Preparing { candidate, step, deadline } => match step {
            Step::Starting => starting(picture, candidate, *deadline),
            Step::Verifying => verifying(picture, candidate, *deadline),
            Step::AwaitingPromotion => awaiting(picture, *deadline),
        },
        Stage::Switching { candidate } => {
            let (version, colour) = (&model.spec.model.version, candidate.standing.colour.as_str());
            let message = format!("version {version} in {colour} passed every gate: giving it the traffic");
            Story::new(Phase::Promoting, reason::PROMOTING, message)
        }
        Stage::Promoting { deadline } => {
            let late = *now >= *deadline;
            let message = format!(
                "the Service selects version {active}; waiting until {} for its endpoints to be exactly the ready pods of that version",
                minute(*deadline)
            );
            let phase = if late { Phase::Blocked } else { Phase::Promoting };
            Story::new(phase, if late { reason::PROGRESS_DEADLINE_EXCEEDED } else { reason::PROMOTING }, message)
        }
        Stage::Observing { until } => {
            let then = if active == model.spec.model.version {
                String::new()
            } else {
                format!("; then version {} starts", model.spec.model.version)
            };
            let trouble = picture.trouble.map(|trouble| format!("; {}", trouble.message)).unwrap_or_default();
            let message = format!(
                "version {active} has the traffic and is watched until {}; the old pods are warm{then}{trouble}",
                second(*until)
            );
            Story::new(Phase::Observing, reason::OBSERVING, message)
        }
        Stage::Returning { to, possible } => returning(picture, *to, *possible, &active),
        Stage::Failing { outcome, cause, .. } => {
            let (reason, message) = failure(picture, *cause);
            Story::new(phase_of(*outcome), reason, message)
        }
        Stage::GivenUp => given_up(picture),
    }
}

/// Why a revision is given up, in one word and in a sentence.
pub fn failure(picture: &Picture<'_>, cause: Cause) -> (&'static str, String) {
    let Picture { model, seen, verification, trouble, facts, .. } = picture;
    let version = &model.spec.model.version;
    let rollout = &model.spec.rollout;
    let why = trouble.map(|trouble| format!("; {}", trouble.message)).unwrap_or_default();
    match cause {
        Cause::AbortRequested => {
            let version = rollout.abort.as_deref().unwrap_or_default();
            (reason::ABORT_REQUESTED, format!("spec.rollout.abort is {version}: version {version} is given up"))
        }
        Cause::StartOverdue => {
            let reason = trouble.map_or(reason::PROGRESS_DEADLINE_EXCEEDED, |trouble| trouble.reason);
            let seconds = rollout.progress_deadline_seconds;
            (
                reason,
                format!(
                    "the pods of version {version} were not all ready after spec.rollout.progressDeadlineSeconds ({seconds} s){why}"
                ),
            )
        }
        Cause::VerificationFailed => match verification {
            Verification::Failed { reason, message, .. } => (reason, message.clone()),
            // Not met: this cause comes from that verdict.
            _ => verify::overdue(verification),
        },
        Cause::VerificationOverdue => verify::overdue(verification),
        Cause::PromotionOverdue => {
            let seconds = rollout.promotion_deadline_seconds;
            let message = format!(
                "nobody set spec.rollout.promote to {version} within spec.rollout.promotionDeadlineSeconds ({seconds} s)"
            );
            (reason::PROMOTION_DEADLINE_EXCEEDED, message)
        }
        Cause::Collapsed => {
            let version = facts.active.map(|active| identity(seen, active.revision).0).unwrap_or_default();
            let slot = facts.active_slot();
            let (ready, wanted) = slot.map_or((0, 0), |slot| (slot.ready(), slot.wanted));
            let message = format!("{ready} of {wanted} pods of version {version} are ready while it is watched{why}");
            (reason::COLLAPSED, message)
        }
    }
}

fn starting(picture: &Picture<'_>, candidate: &Candidate, deadline: Timestamp) -> Story {
    let Picture { model, facts, trouble, now, .. } = picture;
    let version = &model.spec.model.version;
    let ready = facts.slot(candidate.standing).map_or(0, |slot| slot.ready());
    let (wanted, colour) = (candidate.wanted, candidate.standing.colour.as_str());
    let why = trouble.map(|trouble| format!("; {}", trouble.message)).unwrap_or_default();
    let counts = format!("{ready} of {wanted} pods of version {version} in {colour}");
    let gives = candidate.shrunk_at.map_or("", |_| "; the active revision gives up pods for it");
    if *now < deadline {
        let reason = trouble.map_or(reason::STARTING, |trouble| trouble.reason);
        let message = format!("{counts} are ready; waiting until {}{gives}{why}", minute(deadline));
        return Story::new(Phase::Starting, reason, message);
    }
    // Only the first revision is waited for longer.
    let reason = trouble.map_or(reason::PROGRESS_DEADLINE_EXCEEDED, |trouble| trouble.reason);
    let message = format!("only {counts} are ready after spec.rollout.progressDeadlineSeconds{why}");
    Story::new(Phase::Blocked, reason, message)
}

fn verifying(picture: &Picture<'_>, candidate: &Candidate, deadline: Timestamp) -> Story {
    let Picture { model, trouble, .. } = picture;
    let (version, pods) = (&model.spec.model.version, candidate.wanted);
    let why = trouble.map(|trouble| format!("; {}", trouble.message)).unwrap_or_default();
    let message = format!(
        "asking {pods} pods of version {version} the golden molecules; waiting until {}{why}",
        minute(deadline)
    );
    Story::new(Phase::Verifying, trouble.map_or(reason::VERIFYING, |trouble| trouble.reason), message)
}

fn awaiting(picture: &Picture<'_>, deadline: Timestamp) -> Story {
    let Picture { model, verification, facts, .. } = picture;
    let version = &model.spec.model.version;
    let passed = match verification.figures() {
        Some(figures) => format!("{} of {} answers passed", figures.passed, figures.answers),
        None => "verification is not required".to_owned(),
    };
    let message = match facts.wish.promotion {
        Promotion::After(_) => format!(
            "version {version} is ready ({passed}): it gets the traffic at {}, or when spec.rollout.promote is {version}",
            second(deadline)
        ),
        Promotion::AtOnce | Promotion::ByHand => format!(
            "version {version} is ready ({passed}) and waits for approval until {} UTC: set spec.rollout.promote to {version}",
            deadline.strftime("%Y-%m-%d %H:%M")
        ),
    };
    Story::new(Phase::AwaitingPromotion, reason::AWAITING_PROMOTION, message)
}

fn returning(picture: &Picture<'_>, to: Standing, possible: bool, active: &str) -> Story {
    let (way_back, _) = identity(picture.seen, to.revision);
    let failed = picture.seen.status.failed.as_ref();
    let why = failed.map(|failed| failed.message.as_str()).unwrap_or_default();
    if possible {
        let reason = failed.map_or(reason::COLLAPSED, |failed| failed.reason.as_str());
        let message = format!("the traffic goes back to version {way_back} in {}: {why}", to.colour.as_str());
        return Story::new(Phase::RolledBack, reason, message);
    }
    let message = format!(
        "version {active} is given up ({why}), and no pod of version {way_back} is ready to take the traffic: it stays where it is until one is"
    );
    Story::new(Phase::Blocked, reason::NO_WAY_BACK, message)
}

fn given_up(picture: &Picture<'_>) -> Story {
    let Some(failed) = &picture.seen.status.failed else {
        // Not met: the memory of the failure is read from there.
        return Story::new(Phase::Aborted, reason::ABORT_REQUESTED, String::new());
    };
    let active = picture.facts.active.map(|active| identity(picture.seen, active.revision).0);
    let traffic = match active {
        Some(active) => format!("version {active} has the traffic"),
        None => "nothing has the traffic".to_owned(),
    };
    let message = format!(
        "version {} was given up: {}. {traffic}; apply another version, or set spec.rollout.retryToken to try this one again",
        failed.version,
        failed.message.trim_end_matches('.')
    );
    Story::new(phase_of(failed.outcome), &failed.reason, message)
}

fn phase_of(outcome: Outcome) -> Phase {
    match outcome {
        Outcome::Aborted | Outcome::Superseded => Phase::Aborted,
        Outcome::RolledBack => Phase::RolledBack,
        Outcome::Promoted => Phase::Stable,
    }
}

fn settled(picture: &Picture<'_>) -> Story {
    let Picture { model, seen, trouble, .. } = picture;
    let version = &model.spec.model.version;
    let one_node = match (&model.spec.storage.mode, model.spec.storage.access_mode.unwrap_or_default()) {
        (StorageMode::Volume, AccessMode::ReadWriteOnce)
            if model.fixed_replicas().is_none_or(|replicas| replicas > 1) =>
        {
            "; all pods share one node, because the volume is ReadWriteOnce"
        }
        _ => "",
    };
    let answers = !seen.endpoints.ready_pods().is_empty();
    let message = match (answers, trouble) {
        (false, Some(trouble)) => format!("version {version} does not answer: {}", trouble.message),
        (false, None) => format!("version {version} has the traffic, and none of its pods answers yet"),
        (true, Some(trouble)) => format!("version {version} answers at {}; {}", url(model), trouble.message),
        (true, None) => format!("version {version} answers at {}{one_node}", url(model)),
    };
    let reason = match (answers, trouble) {
        (_, Some(trouble)) => Some(trouble.reason.to_owned()),
        (false, None) => Some(reason::NO_READY_ENDPOINTS.to_owned()),
        (true, None) => None,
    };
    Story { phase: Phase::Stable, reason, message }
}

/// The story of the bundle.
pub fn syncing(model: &ValidatedModel, artifact: &Artifact) -> Story {
    let uri = &model.spec.model.uri;
    let (phase, reason, message) = match artifact {
        Artifact::Failed { reason, message, retry_at } => {
            (Phase::Blocked, *reason, format!("{message}; next try at {}", second(*retry_at)))
        }
        Artifact::Refused { message } => (Phase::Blocked, reason::DIGEST_CHANGED, message.clone()),
        Artifact::Running { trouble: Some(trouble), .. } => (Phase::Syncing, trouble.reason, trouble.message.clone()),
        Artifact::Running { deadline, trouble: None } => {
            (Phase::Syncing, reason::SYNCING, format!("fetching {uri}; waiting until {}", minute(*deadline)))
        }
        Artifact::Due { .. } => (Phase::Syncing, reason::SYNCING, format!("about to fetch {uri}")),
        Artifact::Proven(_) | Artifact::Recorded(_) => {
            (Phase::Syncing, reason::SYNCED, format!("{uri} is in the cluster, whole and checked"))
        }
    };
    Story::new(phase, reason, message)
}

/// The address of the model inside the cluster. With TLS by the name that its certificate must have.
pub fn url(model: &ValidatedModel) -> String {
    let (name, namespace, port) = (&model.name, &model.namespace, model.spec.service.port);
    let (host, usual) = match model.spec.security.tls {
        None => (format!("http://{name}.{namespace}"), 80),
        Some(_) => (format!("https://{name}.{namespace}.svc"), 443),
    };
    if port == usual { host } else { format!("{host}:{port}") }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%H:%M UTC").to_string()
}

fn second(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}
