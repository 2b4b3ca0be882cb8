//! The Job that fetches and proves a revision's bundle before any pod serves it.
//!
//! In storage mode `Volume` it fills the claim. In mode `Ephemeral` it fetches into a folder of its own: nothing stays, but the bundle
//! is proven and its digest known before the first server starts, and every pod then fetches exactly that digest.

use std::collections::BTreeMap;

use chemmodel_bundle::BundleDigest;
use chemmodel_bundle::report::SyncReason;
use chemmodel_crds::labels::component;
use k8s_openapi::api::batch::v1::Job;

use super::pod_template::bundle_volume;
use super::task::{self, Task};
use super::{Keep, sync_container};
use crate::model::{ValidatedModel, names};

/// The Job. `pinned` is the digest that the bundle must have, when one is known; `keep` are the bundles that must stay on the volume.
pub fn build_sync_job(model: &ValidatedModel, attempt: u32, pinned: Option<&BundleDigest>, keep: Keep<'_>) -> Job {
    let account = model.spec.model.s3.service_account_name.clone().unwrap_or_else(|| names::shared(model));
    let volumes = [Some(bundle_volume(model, false)), sync_container::ca_volume(model)];
    task::build(
        model,
        Task {
            name: names::sync_job(model, model.revision, attempt),
            component: component::SYNC,
            attempt,
            annotations: BTreeMap::new(),
            seconds: model.spec.rollout.progress_deadline_seconds,
            final_codes: SyncReason::ALL
                .into_iter()
                .filter(|reason| !reason.retryable())
                .map(|reason| reason.exit_code().into())
                .collect(),
            account,
            init_containers: Vec::new(),
            container: sync_container::build(model, pinned, keep),
            volumes: volumes.into_iter().flatten().collect(),
        },
    )
}
