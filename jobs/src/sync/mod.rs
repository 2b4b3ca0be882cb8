//! `chemmodel-job sync`: a bundle from S3 to a volume.
//!
//! What may be relied on: `models/<digest>` either does not exist or holds the whole bundle, every file of which has
//! the SHA-256 that the manifest says. A process killed at any instruction leaves at most a staging directory, and
//! the next run goes on from it.
//!
//! [`report`] tells the story; each step is a module. Only `source` talks to S3, only `volume`, `stage`, `publish`
//! and `collect` touch files, with what `files` offers.

mod adopt;
pub mod args;
mod collect;
mod download;
mod error;
mod files;
mod hint;
mod http;
mod list;
mod lock;
mod pinned;
mod plan;
mod progress;
mod publish;
mod source;
mod stage;
pub mod uri;
mod verdict;
mod volume;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chemmodel_bundle::report::{SyncReason, SyncReport, Synced};
use chemmodel_bundle::{BundleDigest, BundlePath, FileEntry, Manifest};
use tokio::task::spawn_blocking;

use crate::process::stop_signal;
use args::SyncArgs;
pub use error::SyncError;
use lock::{Attempt, Lock};
use plan::{ManifestOrigin, Plan};
use source::Source;
use volume::{Verified, Volume};

/// How often a run looks whether another one has finished.
const LOCK_POLL: Duration = Duration::from_millis(200);

/// Makes sure that the bundle is published on the volume, and says how it went. A stop leaves what is staged, and the
/// next run goes on from there.
pub async fn report(args: &SyncArgs) -> SyncReport {
    let outcome = tokio::select! {
        outcome = run(args) => outcome,
        name = stop_signal() => Err(SyncError::new(
            SyncReason::Unavailable,
            format!("stopped by {name} before the end; the next run resumes what was staged"),
        )),
    };
    match outcome {
        Ok(synced) => SyncReport::Succeeded(synced),
        Err(SyncError { reason, message }) => SyncReport::failed(reason, message),
    }
}

async fn run(args: &SyncArgs) -> Result<Synced, SyncError> {
    let started = Instant::now();
    let source = Source::open(args)?;
    let volume = Volume::open(&args.target)?;

    // A digest pins every byte, so a bundle that is here needs no storage.
    if let Some(pin) = args.digest
        && let Some(found) = verified(&volume, pin).await?
    {
        collect(&volume, args, pin).await?;
        return Ok(synced(pin, &found, true, started));
    }

    source.authenticate().await?;
    let plan = plan(&source, args).await?;
    plan.require_at_most(&source.verdict().place(), args.max_bytes)?;

    let (staging, lock) = claim(&volume, &plan.staging_name()).await?;
    if let Some(digest) = plan.digest()
        && let Some(found) = verified(&volume, digest).await?
    {
        release(&staging, lock).await?;
        collect(&volume, args, digest).await?;
        return Ok(synced(digest, &found, true, started));
    }
    let known = plan.digest().or(args.digest);
    if let Some(digest) = known {
        collect(&volume, args, digest).await?;
    }
    prepare(&volume, &staging, &plan).await?;
    let files = download::all(&source, &plan.files, &staging).await?;
    let (bytes, manifest, digest) = complete(&source, plan, &staging, files)?;
    plan::require_pin(&source.verdict().place(), digest, args.digest)?;
    if known.is_none() {
        collect(&volume, args, digest).await?;
    }

    let found = Verified { manifest, manifest_bytes: bytes.len() as u64 };
    let (staged, done) = (staging.clone(), found.clone());
    let publish = move || publish::publish(&volume, &staged, digest, &bytes, &done.manifest);
    let ours = spawn_blocking(publish).await.map_err(SyncError::internal)??;
    release(&staging, lock).await?;
    Ok(synced(digest, &found, !ours, started))
}

/// Reads the listing and the manifest, and decides what to fetch.
async fn plan(source: &Source, args: &SyncArgs) -> Result<Plan, SyncError> {
    let place = source.verdict().place();
    let listing = list::list(source).await?;
    match plan::manifest_object(&listing)? {
        Some(object) => plan::published(&place, source.read_all(object).await?.into(), &listing, args.digest),
        None => plan::plain_export(&place, &listing),
    }
}

async fn verified(volume: &Volume, digest: BundleDigest) -> Result<Option<Verified>, SyncError> {
    let volume = volume.clone();
    spawn_blocking(move || volume.verified(digest)).await.map_err(SyncError::internal)
}

/// Takes other bundles off the volume, if that is asked for. As soon as the digest of this one is known: of an export
/// without a manifest only after its download, so there the space of two bundles is needed.
async fn collect(volume: &Volume, args: &SyncArgs, digest: BundleDigest) -> Result<(), SyncError> {
    if !args.collect {
        return Ok(());
    }
    let (volume, keep) = (volume.clone(), args.keep.iter().copied().chain([digest]).collect());
    spawn_blocking(move || collect::collect(&volume, &keep)).await.map_err(SyncError::internal)
}

/// Waits until this run is the only one that stages this bundle, and says where.
async fn claim(volume: &Volume, name: &str) -> Result<(PathBuf, Option<Lock>), SyncError> {
    let path = volume.staging().join(format!("{name}.lock"));
    let mut waiting = false;
    loop {
        match Lock::attempt(&path).map_err(|why| SyncError::volume("lock", &path, &why))? {
            Attempt::Held(lock) => return Ok((volume.staging().join(name), Some(lock))),
            Attempt::Unsupported => {
                tracing::warn!("the volume has no file locks; this run stages on its own and cannot be resumed");
                let unique = format!("{name}-{}-{}", std::process::id(), hostname());
                return Ok((volume.staging().join(unique), None));
            }
            Attempt::Busy if !waiting => {
                tracing::info!(lock = %path.display(), "another run is fetching this bundle; waiting for it");
                waiting = true;
            }
            Attempt::Busy => {}
        }
        tokio::time::sleep(LOCK_POLL).await;
    }
}

/// A Pod's name is its host name: unique on a shared volume.
fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Makes room: what is staged already counts, what other dead runs left goes.
async fn prepare(volume: &Volume, staging: &Path, plan: &Plan) -> Result<(), SyncError> {
    let (volume, staging, digest) = (volume.clone(), staging.to_owned(), plan.digest());
    let files: Vec<_> = plan.files.iter().map(|file| (file.object.path.clone(), file.object.size)).collect();
    let work = move || {
        let volume = &volume;
        let on = |doing: &'static str| move |why| SyncError::volume(doing, volume.staging(), &why);
        if let Some(digest) = digest {
            volume.salvage(digest, &staging).map_err(on("move the damaged bundle to"))?;
        }
        volume.remove_leftovers(&staging).map_err(on("clean"))?;
        files::create_directory(&staging).map_err(on("create"))?;
        let present = |(path, size): &(BundlePath, u64)| {
            staging.join(path).symlink_metadata().map_or(0, |found| found.len().min(*size))
        };
        let staged: u64 = files.iter().map(present).sum();
        let total: u64 = files.iter().map(|(_, size)| size).sum();
        volume.require_space(total - staged)
    };
    spawn_blocking(work).await.map_err(SyncError::internal)?
}

/// The manifest's bytes, its content and the digest, once all files are here.
fn complete(
    source: &Source,
    plan: Plan,
    staging: &Path,
    files: BTreeMap<BundlePath, FileEntry>,
) -> Result<(Vec<u8>, Manifest, BundleDigest), SyncError> {
    match plan.manifest {
        ManifestOrigin::Published { bytes, manifest, digest } => Ok((bytes, *manifest, digest)),
        ManifestOrigin::PlainExport => {
            let path = staging.join(adopt::CONFIG_FILE);
            let config = std::fs::read(&path).map_err(|why| SyncError::volume("read", &path, &why))?;
            let (bytes, manifest) = adopt::manifest(&source.verdict().place(), &config, files)?;
            let digest = BundleDigest::of(&bytes);
            Ok((bytes, manifest, digest))
        }
    }
}

/// Gives the staging name back. The bundle is published by now, so nothing is left to resume.
async fn release(staging: &Path, lock: Option<Lock>) -> Result<(), SyncError> {
    let staging = staging.to_owned();
    let work = move || {
        files::remove(&staging)?;
        lock.map_or(Ok(()), Lock::remove)
    };
    let done = spawn_blocking(work).await.map_err(SyncError::internal)?;
    if let Err(why) = done {
        tracing::warn!(%why, "what was staged could not be removed; the next sync of another bundle will");
    }
    Ok(())
}

fn synced(digest: BundleDigest, found: &Verified, reused: bool, started: Instant) -> Synced {
    let Verified { manifest, manifest_bytes } = found;
    Synced {
        digest,
        name: manifest.name.clone(),
        files: manifest.files.len() as u64 + 1,
        bytes: manifest.total_bytes().saturating_add(*manifest_bytes),
        reused,
        seconds: started.elapsed().as_secs_f64(),
    }
}
