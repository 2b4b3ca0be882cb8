//! What to fetch and what it must be: decided from the listing and the manifest alone, before the first download.

use chemmodel_bundle::report::SyncReason;
use chemmodel_bundle::{BundleDigest, BundlePath, MANIFEST_FILE, Manifest, Sha256Hex};

use super::adopt;
use super::error::SyncError;
use super::hint;
use super::list::Listing;
use super::pinned::Pinned;

/// Longest manifest that is read; a real one has a few kilobytes.
const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

/// One file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is and how large.
    pub object: Pinned,
    /// What it must hash to; unknown in an export without a manifest.
    pub sha256: Option<Sha256Hex>,
}

/// What a sync is going to do.
#[derive(Debug)]
pub struct Plan {
    /// Everything to fetch but the manifest.
    pub files: Vec<Wanted>,
    /// Where the manifest comes from.
    pub manifest: ManifestOrigin,
}

/// Where the manifest comes from.
#[derive(Debug)]
pub enum ManifestOrigin {
    /// It lies in the bundle.
    Published {
        /// As it was read: the digest is that of these bytes.
        bytes: Vec<u8>,
        /// What they say.
        manifest: Box<Manifest>,
        /// What they hash to.
        digest: BundleDigest,
    },
    /// It has to be written once the files are here.
    PlainExport,
}

/// The manifest's object, if the bundle has one that can be read.
pub fn manifest_object(listing: &Listing) -> Result<Option<&Pinned>, SyncError> {
    match listing.get(MANIFEST_FILE) {
        Some(object) if object.size > MAX_MANIFEST_BYTES => {
            let (key, size) = (&object.key, object.size);
            let message = format!(
                "\"{key}\" has {size} bytes, more than the {MAX_MANIFEST_BYTES} of a manifest; export the bundle again"
            );
            Err(SyncError::new(SyncReason::InvalidBundle, message))
        }
        found => Ok(found),
    }
}

/// Plans a bundle with a manifest.
pub fn published(place: &str, bytes: Vec<u8>, listing: &Listing, pin: Option<BundleDigest>) -> Result<Plan, SyncError> {
    let digest = BundleDigest::of(&bytes);
    require_pin(place, digest, pin)?;
    let manifest = Manifest::parse(&bytes).map_err(|why| {
        SyncError::new(SyncReason::InvalidBundle, format!("the bundle at {place} cannot be used: {why}"))
    })?;
    let mut files = Vec::with_capacity(manifest.files.len());
    for (path, entry) in &manifest.files {
        let object = listing.get(path.as_str()).ok_or_else(|| missing(place, path, listing))?;
        if object.size != entry.bytes {
            let message = format!(
                "\"{}\" below {place} has {} bytes, but chemmodel.json says {}; upload the file again, or export the bundle again",
                path, object.size, entry.bytes
            );
            return Err(SyncError::new(SyncReason::IntegrityMismatch, message));
        }
        files.push(Wanted { object: object.clone(), sha256: Some(entry.sha256) });
    }
    Ok(Plan { files, manifest: ManifestOrigin::Published { bytes, manifest: Box::new(manifest), digest } })
}

/// Plans a plain Hugging Face export.
pub fn plain_export(place: &str, listing: &Listing) -> Result<Plan, SyncError> {
    let files = adopt::required(place, listing)?;
    let files = files.into_iter().map(|object| Wanted { object, sha256: None }).collect();
    Ok(Plan { files, manifest: ManifestOrigin::PlainExport })
}

/// A pinned digest and the digest that was found are the same, or the sync ends here.
pub fn require_pin(place: &str, found: BundleDigest, pin: Option<BundleDigest>) -> Result<(), SyncError> {
    match pin {
        Some(pin) if pin != found => {
            let message = format!(
                "the bundle at {place} has the digest {found}, but {pin} is expected; a published bundle must not change: \
                 restore it, or set model.digest and a new model.version"
            );
            Err(SyncError::new(SyncReason::IntegrityMismatch, message))
        }
        _ => Ok(()),
    }
}

impl Plan {
    /// Bytes to fetch.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.object.size))
    }

    /// The digest, where it is known before the download.
    pub fn digest(&self) -> Option<BundleDigest> {
        match &self.manifest {
            ManifestOrigin::Published { digest, .. } => Some(*digest),
            ManifestOrigin::PlainExport => None,
        }
    }

    /// Name of the staging directory: equal for equal content, so that a later run finds what an earlier one left.
    pub fn staging_name(&self) -> String {
        match &self.manifest {
            ManifestOrigin::Published { digest, .. } => digest.hex(),
            ManifestOrigin::PlainExport => {
                let pin =
                    |file: &Wanted| format!("{}\n{}\n{:?}\n", file.object.path, file.object.size, file.object.etag);
                let pins: String = self.files.iter().map(pin).collect();
                format!("plain-{}", Sha256Hex::of(pins.as_bytes()))
            }
        }
    }

    /// The size is within what the operator allows.
    pub fn require_at_most(&self, place: &str, max: Option<u64>) -> Result<(), SyncError> {
        match max {
            Some(max) if self.bytes() > max => {
                let message = format!(
                    "the bundle at {place} has {} bytes, but at most {max} are allowed; raise storage.size",
                    self.bytes()
                );
                Err(SyncError::new(SyncReason::NoSpace, message))
            }
            _ => Ok(()),
        }
    }
}

fn missing(place: &str, path: &BundlePath, listing: &Listing) -> SyncError {
    let similar = hint::similar(path.as_str(), listing.paths().map(str::to_owned));
    let message =
        format!("chemmodel.json lists \"{path}\", but no such object lies below {place}{similar}; upload the file");
    SyncError::new(SyncReason::NotFound, message)
}
