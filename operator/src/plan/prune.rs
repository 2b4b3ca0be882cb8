//! What nobody needs any more. Everything else is taken by garbage collection when the ChemModel goes.

use std::collections::BTreeSet;

use chemmodel_crds::labels::REVISION;
use chemmodel_crds::spec::StorageMode;
use chemmodel_crds::status::Colour;
use k8s_openapi::api::batch::v1::Job;

use super::action::{Action, Doomed, Kind};
use super::observed::Observed;
use super::rollout::Stage;
use super::sync::{self, Artifact};
use super::verify;
use crate::model::ValidatedModel;

/// The deletions that are due.
pub fn actions(model: &ValidatedModel, seen: &Observed, stage: &Stage, artifact: &Artifact) -> Vec<Action> {
    let jobs = seen.jobs.iter().filter(|job| !is_needed(model, seen, artifact, stage, job));
    let mut doomed: Vec<Option<Doomed>> = jobs.map(|job| Doomed::new(Kind::Job, job)).collect();
    doomed.extend(old_revisions(model, seen));
    if model.spec.autoscaling.is_none() {
        doomed.extend(seen.autoscaler.iter().map(|autoscaler| Doomed::new(Kind::Autoscaler, autoscaler)));
    }
    if !model.spec.security.network_policy.enabled {
        doomed.extend(seen.network_policy.iter().map(|policy| Doomed::new(Kind::NetworkPolicy, policy)));
    }
    if matches!(stage, Stage::Settled) && !volume_is_needed(model, seen) {
        doomed.extend(seen.volume_claim.iter().map(|claim| Doomed::new(Kind::VolumeClaim, claim)));
    }
    doomed.into_iter().flatten().map(Action::Delete).collect()
}

/// A Job is needed for its report: a sync Job until the revision is recorded or the next Job is created by this very plan, a verify Job
/// until the status says what became of the candidate.
fn is_needed(model: &ValidatedModel, seen: &Observed, artifact: &Artifact, stage: &Stage, job: &Job) -> bool {
    if matches!(stage, Stage::GivenUp) {
        return false;
    }
    let is =
        |current: Option<(u32, &Job)>| current.is_some_and(|(_, current)| current.metadata.uid == job.metadata.uid);
    if is(verify::current_job(model, seen)) && (stage.candidate().is_some() || !is_told(seen)) {
        return true;
    }
    match artifact {
        Artifact::Recorded(_) | Artifact::Due { .. } | Artifact::Refused { .. } => false,
        Artifact::Proven(_) | Artifact::Running { .. } | Artifact::Failed { .. } => is(sync::current_job(model, seen)),
    }
}

/// Whether the status says who has the traffic, with what its verification found.
fn is_told(seen: &Observed) -> bool {
    let told = seen.status.active.as_ref().map(|active| active.revision.clone());
    told == seen.active().map(|(_, revision)| revision.to_string())
}

/// Records beyond the limit, the oldest first; never one that a slot runs or the spec describes.
fn old_revisions(model: &ValidatedModel, seen: &Observed) -> Vec<Option<Doomed>> {
    let mut used: BTreeSet<String> =
        Colour::ALL.into_iter().filter_map(|colour| Some(seen.slot(colour)?.revision.to_string())).collect();
    used.extend(seen.active().map(|(_, revision)| revision.to_string()));
    used.insert(model.revision.to_string());

    let mut unused: Vec<_> = seen
        .revisions
        .iter()
        .filter(|revision| {
            let labels = revision.metadata.labels.as_ref();
            labels.and_then(|l| l.get(REVISION)).is_none_or(|hash| !used.contains(hash))
        })
        .collect();
    unused.sort_by_key(|revision| std::cmp::Reverse(revision.revision));
    let limit = usize::try_from(model.spec.rollout.history_limit).unwrap_or(usize::MAX);
    unused.into_iter().skip(limit).map(|revision| Doomed::new(Kind::Revision, revision)).collect()
}

/// Whether the spec or a slot with pods reads bundles from the volume.
fn volume_is_needed(model: &ValidatedModel, seen: &Observed) -> bool {
    let reads_volume = |colour| {
        seen.slot(colour).is_some_and(|slot| {
            slot.wanted > 0 && seen.record(slot.revision).is_some_and(|record| record.storage == StorageMode::Volume)
        })
    };
    model.spec.storage.mode == StorageMode::Volume || Colour::ALL.into_iter().any(reads_volume)
}
