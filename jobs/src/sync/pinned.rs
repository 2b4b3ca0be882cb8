//! One object of the bundle, pinned: the listing makes it, the source reads it.

use chemmodel_bundle::BundlePath;
use object_store::path::Path as Key;

/// One object as it was when it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Its key in the bucket.
    pub key: Key,
    /// Its path inside the bundle.
    pub path: BundlePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its entity tag, when the storage has one.
    pub etag: Option<String>,
}
