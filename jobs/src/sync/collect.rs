//! Takes bundles off the volume that nobody needs any more.
//!
//! A bundle first leaves `models/` by one rename and is removed only then, so that a crash in between leaves nothing
//! incomplete in sight; what it leaves in `.staging/`, the next run removes. Nothing is touched in `models/` but
//! directories whose name is a digest. A bundle that stays costs space and nothing else, so that is no failure.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io;

use chemmodel_bundle::BundleDigest;

use super::files;
use super::volume::Volume;

/// Names in `.staging/` of what is being removed.
const PREFIX: &str = "collected-";

/// Removes every published bundle but those to `keep`.
pub fn collect(volume: &Volume, keep: &BTreeSet<BundleDigest>) {
    if let Err(why) = finish_earlier(volume) {
        tracing::warn!(%why, "what an earlier run took off the volume could not be removed");
    }
    let entries = match fs::read_dir(volume.models()) {
        Ok(entries) => entries,
        Err(why) => {
            tracing::warn!(%why, "the published bundles cannot be listed; none is removed");
            return;
        }
    };
    for digest in entries.flatten().filter_map(|entry| bundle(&entry)).filter(|digest| !keep.contains(digest)) {
        match remove(volume, digest) {
            Ok(()) => tracing::info!(%digest, "removed a bundle that is not needed any more"),
            Err(why) => tracing::warn!(%digest, %why, "a bundle that is not needed any more could not be removed"),
        }
    }
}

/// The digest by which a directory of `models/` is named.
fn bundle(entry: &DirEntry) -> Option<BundleDigest> {
    let name = entry.file_name().into_string().ok()?;
    let digest = format!("sha256:{name}").parse().ok()?;
    entry.file_type().ok()?.is_dir().then_some(digest)
}

fn remove(volume: &Volume, digest: BundleDigest) -> io::Result<()> {
    let aside = volume.staging().join(format!("{PREFIX}{}", digest.hex()));
    files::remove(&aside)?;
    match fs::rename(volume.model(digest), &aside) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()), // Another run was faster.
        renamed => renamed?,
    }
    // The rename must be on the disk before the first file is gone from it.
    files::sync_directory(volume.models())?;
    files::sync_directory(volume.staging())?;
    files::remove(&aside)
}

fn finish_earlier(volume: &Volume) -> io::Result<()> {
    for entry in fs::read_dir(volume.staging())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            files::remove(&entry.path())?;
        }
    }
    Ok(())
}
