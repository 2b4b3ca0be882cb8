//! The volume: published bundles in `models/<digest>`, unfinished ones in `.staging/`.
//!
//! Blocking file operations only; nothing here knows S3.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chemmodel_bundle::report::SyncReason;
use chemmodel_bundle::{BundleDigest, MANIFEST_FILE, Manifest, Sha256Hex};
use sha2::{Digest, Sha256};

use super::error::SyncError;
use super::files::{self, DIRECTORY_MODE};
use super::lock::{Attempt, Lock};

/// Free space asked for beyond the bytes themselves: directories, block rounding, journals.
const SPARE_PERCENT: u64 = 5;

/// The two directories of a target.
#[derive(Debug, Clone)]
pub struct Volume {
    models: PathBuf,
    staging: PathBuf,
}

/// A bundle whose every file has just been checked.
#[derive(Debug, Clone)]
pub struct Verified {
    /// What it says about itself.
    pub manifest: Manifest,
    /// Length of the manifest.
    pub manifest_bytes: u64,
}

impl Volume {
    /// Opens the volume that is mounted at `target`.
    pub fn open(target: &Path) -> Result<Self, SyncError> {
        if !target.is_dir() {
            let message = format!("--target {} is not a directory; mount the volume there", target.display());
            return Err(SyncError::new(SyncReason::InvalidConfiguration, message));
        }
        let volume = Self { models: target.join("models"), staging: target.join(".staging") };
        for directory in [&volume.models, &volume.staging] {
            let create = || match DirBuilder::new().create(directory) {
                // Whatever the umask says, the server's user must get through.
                Ok(()) => fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE)),
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                Err(why) => Err(why),
            };
            create().map_err(|why| SyncError::volume("create", directory, &why))?;
        }
        Ok(volume)
    }

    /// Where a bundle is published.
    pub fn model(&self, digest: BundleDigest) -> PathBuf {
        self.models.join(digest.hex())
    }

    /// The directory of published bundles.
    pub fn models(&self) -> &Path {
        &self.models
    }

    /// The directory of unfinished bundles.
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// The published bundle, if every one of its files is what the manifest says. A damaged one counts as absent.
    pub fn verified(&self, digest: BundleDigest) -> Option<Verified> {
        let directory = self.model(digest);
        if fs::symlink_metadata(&directory).is_err() {
            return None;
        }
        match verify(&directory, digest) {
            Ok(verified) => Some(verified),
            Err(why) => {
                tracing::warn!(directory = %directory.display(), %why, "the published bundle is damaged and will be replaced");
                None
            }
        }
    }

    /// Fails unless `bytes` more fit.
    pub fn require_space(&self, bytes: u64) -> Result<(), SyncError> {
        let stat = rustix::fs::statvfs(&self.staging)
            .map_err(|why| SyncError::volume("look at the free space of", &self.staging, &why.into()))?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        let needed = bytes.saturating_add(bytes / 100 * SPARE_PERCENT);
        if free >= needed {
            return Ok(());
        }
        let message = format!(
            "the volume has {free} bytes free, but {needed} are needed; make it larger (storage.size) or free some of it"
        );
        Err(SyncError::new(SyncReason::NoSpace, message))
    }

    /// Takes a damaged bundle out of sight and makes it the beginning of its own replacement: sound files need not be
    /// fetched again, and no space is needed for two copies.
    pub fn salvage(&self, digest: BundleDigest, staging: &Path) -> io::Result<()> {
        let model = self.model(digest);
        if fs::symlink_metadata(&model).is_err() {
            return Ok(());
        }
        files::remove(staging)?;
        fs::rename(&model, staging)
    }

    /// Removes what dead runs for other bundles left behind. A live run holds its lock and keeps its files.
    pub fn remove_leftovers(&self, own: &Path) -> io::Result<()> {
        let own = own.file_name().unwrap_or_default().to_string_lossy();
        for entry in fs::read_dir(&self.staging)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let run = name.split('.').next().unwrap_or_default();
            if run == own || run.is_empty() {
                continue;
            }
            if let Attempt::Held(lock) = Lock::attempt(&self.staging.join(format!("{run}.lock")))? {
                tracing::info!(run, "removing what an earlier sync of another bundle left behind");
                if let Err(why) = files::remove(&self.staging.join(run)).and_then(|()| lock.remove()) {
                    // It only costs space, and whether there is enough is asked later.
                    tracing::warn!(run, %why, "what an earlier sync left behind could not be removed");
                }
            }
        }
        Ok(())
    }
}

fn verify(directory: &Path, digest: BundleDigest) -> Result<Verified, String> {
    let at = |path: &str, why: &dyn std::fmt::Display| format!("{path}: {why}");
    let mut bytes = Vec::new();
    let manifest = files::open_file(&directory.join(MANIFEST_FILE)).and_then(|mut file| file.read_to_end(&mut bytes));
    manifest.map_err(|why| at(MANIFEST_FILE, &why))?;
    if BundleDigest::of(&bytes) != digest {
        return Err(at(MANIFEST_FILE, &"its digest is not the name of the directory"));
    }
    let manifest = Manifest::parse(&bytes).map_err(|why| why.to_string())?;
    for (path, entry) in &manifest.files {
        let mut hasher = Sha256::new();
        let read =
            files::open_file(&directory.join(path)).and_then(|mut file| files::hash_rest(&mut file, &mut hasher));
        let length = read.map_err(|why| at(path.as_str(), &why))?;
        if length != entry.bytes || Sha256Hex::from(<[u8; 32]>::from(hasher.finalize())) != entry.sha256 {
            return Err(at(path.as_str(), &"its content is not what the manifest says"));
        }
    }
    Ok(Verified { manifest, manifest_bytes: bytes.len() as u64 })
}
