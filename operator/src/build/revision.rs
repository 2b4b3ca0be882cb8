//! The record of a revision: which bytes, and the pod template as it was rendered. A newer operator may render another one; pods of
//! an existing revision keep theirs.

use std::collections::BTreeMap;

use chemmodel_bundle::BundleDigest;
use chemmodel_crds::labels::REVISION;
use chemmodel_crds::spec::StorageMode;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use serde::{Deserialize, Serialize};

use super::{build_pod_template, meta};
use crate::model::revision::RevisionHash;
use crate::model::{ValidatedModel, names};

/// What a ControllerRevision's `data` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRevision {
    /// Version that the user gave.
    pub version: String,
    /// Where the bundle came from.
    pub uri: String,
    /// Digest of the bundle.
    pub digest: BundleDigest,
    /// Where the pods find the bundle.
    pub storage: StorageMode,
    /// Template of the pods, without the colour.
    pub template: PodTemplateSpec,
}

impl RecordedRevision {
    /// Reads a ControllerRevision of ours; `None` when its data is not a record.
    pub fn read(object: &ControllerRevision) -> Option<(RevisionHash, i64, Self)> {
        let hash = RevisionHash::parse(object.metadata.labels.as_ref()?.get(REVISION)?)?;
        let record = serde_json::from_value(object.data.as_ref()?.0.clone()).ok()?;
        Some((hash, object.revision, record))
    }
}

/// The ControllerRevision of the spec's revision, once its digest is known. `number` orders revisions by age.
pub fn build_revision(model: &ValidatedModel, digest: &BundleDigest, number: i64) -> ControllerRevision {
    let record = RecordedRevision {
        version: model.spec.model.version.clone(),
        uri: model.spec.model.uri.clone(),
        digest: *digest,
        storage: model.spec.storage.mode,
        template: build_pod_template(model, digest),
    };
    let mut metadata = meta(model, names::revision(model, model.revision));
    metadata.labels.get_or_insert_with(BTreeMap::new).insert(REVISION.to_owned(), model.revision.to_string());
    ControllerRevision { metadata, revision: number, data: serde_json::to_value(record).ok().map(RawExtension) }
}
