//! From Kubernetes objects and the written status to the plain values that the rollout machine decides upon.

use std::collections::BTreeSet;

use chemmodel_crds::status::{ChemModelStatus, Colour};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::observed::{Observed, Slots};
use super::rollout::facts::{Evidence, Facts, Promotion, Replicas, Seconds, SlotFacts, Standing, Wish};
use super::rollout::memory::{Candidate, Failed, Memory, Reign};
use super::sync::Artifact;
use super::trouble;
use super::verify::Verification;
use crate::model::ValidatedModel;
use crate::model::revision::RevisionHash;

/// The facts of a ChemModel.
pub fn facts(model: &ValidatedModel, seen: &Observed, artifact: &Artifact, verification: &Verification) -> Facts {
    let active = seen.active().map(|(colour, revision)| Standing { colour, revision });
    let slots = Slots { blue: slot(model, seen, Colour::Blue), green: slot(model, seen, Colour::Green) };
    Facts {
        wish: wish(model, seen, active),
        bundle_ready: matches!(artifact, Artifact::Recorded(_)),
        active,
        slots,
        routed: active.is_some_and(|active| seen.endpoints.ready_pods() == ready_pods(seen, active)),
        answering: !seen.endpoints.ready_pods().is_empty(),
        previewed: active.is_none_or(|active| active.revision != model.revision)
            && seen.preview_endpoints.ready_pods() == candidate_pods(seen, model.revision),
        evidence: match verification {
            Verification::NotRequired => Evidence::NotRequired,
            Verification::Due { .. } | Verification::Running { .. } => Evidence::Missing,
            Verification::Passed(_) => Evidence::Passed,
            Verification::Failed { .. } => Evidence::Failed,
        },
        memory: memory(model, &seen.status),
    }
}

/// Names of the pods of a revision that are there to stay, ready or not.
pub fn candidate_pods(seen: &Observed, revision: RevisionHash) -> BTreeSet<String> {
    seen.staying_pods(revision).filter_map(|pod| pod.metadata.name.clone()).collect()
}

fn ready_pods(seen: &Observed, standing: Standing) -> BTreeSet<String> {
    let pods = seen.slot_pods(standing.colour, standing.revision);
    let ready = pods.filter(|pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        pod.metadata.deletion_timestamp.is_none()
            && conditions.into_iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True")
    });
    ready.filter_map(|pod| pod.metadata.name.clone()).collect()
}

fn wish(model: &ValidatedModel, seen: &Observed, active: Option<Standing>) -> Wish {
    let rollout = &model.spec.rollout;
    let version = Some(&model.spec.model.version);
    let active_version = active.and_then(|active| seen.record(active.revision)).map(|record| record.version);
    Wish {
        revision: model.revision,
        replicas: match (model.fixed_replicas(), &model.spec.autoscaling) {
            (Some(pods), _) => Replicas::Fixed(pods),
            (None, Some(scaling)) => Replicas::Range { min: scaling.min_replicas, max: scaling.max_replicas },
            (None, None) => Replicas::Fixed(1),
        },
        promotion: match (rollout.auto_promote, rollout.auto_promote_after_seconds) {
            (true, None) => Promotion::AtOnce,
            (true, Some(seconds)) => Promotion::After(seconds),
            (false, _) => Promotion::ByHand,
        },
        approved: rollout.promote.as_ref() == version,
        abort: rollout.abort.as_ref() == version,
        abort_active: rollout.abort.is_some() && rollout.abort == active_version,
        capacity: rollout.capacity,
        seconds: Seconds {
            progress: rollout.progress_deadline_seconds,
            verification: rollout.verification.timeout_seconds,
            promotion: rollout.promotion_deadline_seconds,
            observe: rollout.observe_seconds,
            warm: rollout.scale_down_delay_seconds,
        },
    }
}

fn slot(model: &ValidatedModel, seen: &Observed, colour: Colour) -> Option<SlotFacts> {
    let view = seen.slot(colour)?;
    let count = |pods: usize| i32::try_from(pods).unwrap_or(i32::MAX);
    let unschedulable = seen
        .slot_pods(colour, view.revision)
        .filter(|pod| pod.metadata.deletion_timestamp.is_none() && trouble::of_scheduling(model, pod).is_some());
    let leaving = seen.slot_pods(colour, view.revision).filter(|pod| pod.metadata.deletion_timestamp.is_some());
    Some(SlotFacts {
        revision: view.revision,
        wanted: view.wanted,
        existing: view.existing,
        available: view.available,
        unschedulable: count(unschedulable.count()),
        leaving: count(leaving.count()),
        current: view.current,
    })
}

/// What the status remembers. What cannot be read is forgotten: every wait then begins anew, and nothing is switched for it.
fn memory(model: &ValidatedModel, status: &ChemModelStatus) -> Memory {
    let standing = |colour: Colour, text: &str| RevisionHash::parse(text).map(|revision| Standing { colour, revision });
    Memory {
        active: status.active.as_ref().and_then(|active| {
            Some(Reign { standing: standing(active.colour, &active.revision)?, since: active.since.0 })
        }),
        stable: status.stable.as_ref().and_then(|stable| standing(stable.colour, &stable.revision)),
        previous: status.previous.as_ref().and_then(|previous| standing(previous.colour, &previous.revision)),
        candidate: status.candidate.as_ref().and_then(|candidate| {
            let time = |time: &Option<Time>| time.as_ref().map(|time| time.0);
            Some(Candidate {
                standing: standing(candidate.colour?, &candidate.revision)?,
                wanted: candidate.replicas,
                warm: candidate.warm,
                starting_since: time(&candidate.starting_since)?,
                verifying_since: time(&candidate.verifying_since),
                awaiting_since: time(&candidate.awaiting_since),
                shrunk_at: time(&candidate.shrunk_at),
            })
        }),
        failed: status.failed.as_ref().filter(|failed| failed.retry_token == model.spec.rollout.retry_token).and_then(
            |failed| Some(Failed { revision: RevisionHash::parse(&failed.revision)?, outcome: failed.outcome }),
        ),
        suspended: status.phase == Some(chemmodel_crds::status::Phase::Suspended),
    }
}
