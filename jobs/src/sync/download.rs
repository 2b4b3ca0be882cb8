//! The way of the bytes: ranged reads from S3, a bounded channel, a thread that hashes and writes.
//!
//! ```text
//! S3 --16 MiB ranges--> pump --chunks, at most 16 waiting--> writer thread --> .staging/<run>/<path>
//! ```
//!
//! Memory is bounded by the channel, not by sizes of files or ranges.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use chemmodel_bundle::report::SyncReason;
use chemmodel_bundle::{BundlePath, FileEntry, Sha256Hex};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::error::SyncError;
use super::pinned::Pinned;
use super::plan::Wanted;
use super::progress::Progress;
use super::source::Source;
use super::stage::StagedFile;

/// Files under way at once.
const CONCURRENT_FILES: usize = 4;
/// Bytes asked for by one request: a lost connection or expired credentials cost no more than this.
const RANGE_BYTES: u64 = 16 * 1024 * 1024;
/// Chunks (tens of KiB each) between the network and the disk of one file.
const WAITING_CHUNKS: usize = 16;

/// Fetches all files into `staging` and says what each of them is.
pub async fn all(
    source: &Source,
    files: &[Wanted],
    staging: &Path,
) -> Result<BTreeMap<BundlePath, FileEntry>, SyncError> {
    let progress = Progress::new(files.iter().map(|file| file.object.size).sum());
    let downloads = futures::stream::iter(files)
        .map(|file| one(source, file, staging, &progress))
        .buffer_unordered(CONCURRENT_FILES);
    progress.log_during(downloads.try_collect()).await
}

async fn one(
    source: &Source,
    file: &Wanted,
    staging: &Path,
    progress: &Progress,
) -> Result<(BundlePath, FileEntry), SyncError> {
    let object = &file.object;
    let (path, size) = (staging.join(&object.path), object.size);
    // Without a hash to compare with, nobody would notice that a beginning was spoiled by a crash of the node.
    let resumable = file.sha256.is_some();
    let open = move || if resumable { StagedFile::resume_or_create(&path, size) } else { StagedFile::create(&path) };
    let mut staged = blocking("open", &staging.join(&object.path), open).await?;
    let mut resumed = staged.written() > 0;
    progress.resumed(staged.written());
    loop {
        staged = fetch_rest(source, object, staged, progress).await?;
        let path = staged.path().to_owned();
        let (back, found) = blocking("flush", &path, move || staged.finish().map(|sha256| (staged, sha256))).await?;
        staged = back;
        match file.sha256 {
            Some(expected) if expected != found && resumed => {
                // What an earlier run left may have been spoiled by a crash of the node: once more, from nothing.
                tracing::warn!(file = %object.path, "the staged beginning of the file is damaged; starting it again");
                resumed = false;
                progress.lost(size);
                staged = blocking("restart", &path, move || staged.restart()).await?;
            }
            Some(expected) if expected != found => {
                // Not resumable: the next run must not start from it.
                blocking("restart", &path, move || staged.restart()).await?;
                return Err(mismatch(source, object, found, expected));
            }
            _ => return Ok((object.path.clone(), FileEntry { sha256: found, bytes: size })),
        }
    }
}

/// Appends what is missing. A connection that breaks after it brought something is made anew from there; `Source`
/// has spent its retries when it fails without having brought anything.
async fn fetch_rest(
    source: &Source,
    object: &Pinned,
    mut staged: StagedFile,
    progress: &Progress,
) -> Result<StagedFile, SyncError> {
    let mut offset = staged.written();
    if offset >= object.size {
        return Ok(staged);
    }
    let path = staged.path().to_owned();
    let (chunks, mut arriving) = mpsc::channel::<Bytes>(WAITING_CHUNKS);
    let writer = spawn_blocking(move || {
        while let Some(chunk) = arriving.blocking_recv() {
            staged.append(&chunk)?;
        }
        Ok(staged)
    });
    let fetched = loop {
        let before = offset;
        match pump(source, object, &mut offset, &chunks, progress).await {
            Err(why) if why.reason == SyncReason::Unavailable && offset > before => {
                tracing::warn!(file = %object.path, offset, why = why.message, "the connection broke; going on from here");
            }
            ended => break ended,
        }
    };
    drop(chunks);
    let written = writer.await.map_err(SyncError::internal)?;
    // A full volume also stops the pump; the writer knows why.
    let staged = written.map_err(|why: std::io::Error| SyncError::volume("write", &path, &why))?;
    fetched.map(|()| staged)
}

async fn pump(
    source: &Source,
    object: &Pinned,
    offset: &mut u64,
    chunks: &mpsc::Sender<Bytes>,
    progress: &Progress,
) -> Result<(), SyncError> {
    while *offset < object.size {
        let end = object.size.min(*offset + RANGE_BYTES);
        let mut stream = source.read(object, *offset..end).await?;
        while let Some(chunk) = stream.try_next().await? {
            let length = chunk.len() as u64;
            if length > end - *offset {
                return Err(source.verdict().changed(&object.key));
            }
            if chunks.send(chunk).await.is_err() {
                return Ok(()); // The writer has ended and tells why.
            }
            *offset += length;
            progress.fetched(length);
        }
        if *offset < end {
            let message = format!("reading \"{}\" ended at byte {} of {}", object.key, *offset, object.size);
            return Err(SyncError::new(SyncReason::Unavailable, message));
        }
    }
    Ok(())
}

fn mismatch(source: &Source, object: &Pinned, found: Sha256Hex, expected: Sha256Hex) -> SyncError {
    let message = format!(
        "\"{}\" below {} has the SHA-256 {found}, but chemmodel.json says {expected}; the upload is damaged: upload the file \
         again, or export the bundle again",
        object.path,
        source.verdict().place()
    );
    SyncError::new(SyncReason::IntegrityMismatch, message)
}

/// Runs a file operation on a thread that may block. `doing` reads like "open".
async fn blocking<T: Send + 'static>(
    doing: &str,
    path: &Path,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, SyncError> {
    spawn_blocking(work).await.map_err(SyncError::internal)?.map_err(|why| SyncError::volume(doing, path, &why))
}
