//! Names of children. All are built from the ChemModel's name, which the API server keeps at 40 characters or fewer.

use chemmodel_crds::status::Colour;

use super::ValidatedModel;
use super::revision::RevisionHash;

/// The Service, ServiceAccount, HorizontalPodAutoscaler, PodDisruptionBudget and PersistentVolumeClaim share the ChemModel's name.
pub fn shared(model: &ValidatedModel) -> String {
    model.name.clone()
}

/// The Service of the candidate.
pub fn preview(model: &ValidatedModel) -> String {
    format!("{}-preview", model.name)
}

/// The Deployment of a colour slot.
pub fn deployment(model: &ValidatedModel, colour: Colour) -> String {
    format!("{}-{}", model.name, colour.as_str())
}

/// The ControllerRevision of a revision.
pub fn revision(model: &ValidatedModel, hash: RevisionHash) -> String {
    format!("{}-{hash}", model.name)
}

/// The n-th sync Job of a revision. The hash is part of it, so that a changed spec is always synced anew.
pub fn sync_job(model: &ValidatedModel, hash: RevisionHash, attempt: u32) -> String {
    format!("{}-sync-{hash}-{attempt}", model.name)
}

/// The n-th verify Job of a revision.
pub fn verify_job(model: &ValidatedModel, hash: RevisionHash, attempt: u32) -> String {
    format!("{}-verify-{hash}-{attempt}", model.name)
}
