//! Opens a bundle directory and proves that every file is the one that the manifest pins. Nothing is served from a
//! file that was not checked here.

use std::borrow::Borrow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chemmodel_bundle::{BundleDigest, BundlePath, FileEntry, MANIFEST_FILE, Manifest, Precision, Sha256Hex};
use sha2::{Digest, Sha256};

use crate::error::BundleError;

/// A directory whose files all have the digests of its manifest.
#[derive(Debug)]
pub struct Bundle {
    directory: PathBuf,
    /// What the bundle says about itself.
    pub manifest: Manifest,
    /// SHA-256 of the manifest.
    pub digest: BundleDigest,
}

impl Bundle {
    /// Reads the manifest and checks each file that it lists. Reads every byte, so it blocks for as long as that takes.
    pub fn open(directory: &Path, expected: Option<BundleDigest>) -> Result<Self, BundleError> {
        let path = directory.join(MANIFEST_FILE);
        let bytes = fs::read(&path).map_err(|source| BundleError::Read { path: path.clone(), source })?;
        let digest = BundleDigest::of(&bytes);
        if let Some(expected) = expected.filter(|e| *e != digest) {
            return Err(BundleError::Digest { path, found: digest, expected });
        }
        let manifest = Manifest::parse(&bytes).map_err(|source| BundleError::Manifest { path, source })?;
        for (name, entry) in &manifest.files {
            check_file(directory.join(name), entry)?;
        }
        Ok(Self { directory: directory.to_owned(), manifest, digest })
    }

    /// Where a file of the bundle lies.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.join(name)
    }

    /// The bytes of a file of the bundle.
    pub fn read(&self, name: impl AsRef<Path>) -> Result<Vec<u8>, BundleError> {
        let path = self.path(name);
        fs::read(&path).map_err(|source| BundleError::Read { path, source })
    }

    /// What the network takes in this precision, at most: all files but the networks in other ones. They may have their weights beside them.
    pub fn network_bytes(&self, precision: Precision) -> u64 {
        let others = self.manifest.precisions().filter(|other| *other != precision);
        let others: Vec<_> = others.filter_map(|other| self.manifest.members_in(other)).flatten().collect();
        self.manifest.files.iter().filter(|(name, _)| !others.contains(name)).map(|(_, entry)| entry.bytes).sum()
    }

    /// The files in the directory of a file and below it, as they are called from there.
    pub fn files_beside(&self, name: &BundlePath) -> Vec<&str> {
        let name: &str = name.borrow();
        let directory = name.rfind('/').map_or("", |end| &name[..=end]);
        self.manifest.files.keys().map(Borrow::<str>::borrow).filter_map(|file| file.strip_prefix(directory)).collect()
    }
}

fn check_file(path: PathBuf, entry: &FileEntry) -> Result<(), BundleError> {
    let (found, bytes) = match hash(&path) {
        Ok(hashed) => hashed,
        Err(source) => return Err(BundleError::Read { path, source }),
    };
    // The length first: it says "cut short" where the digest says only "different".
    if bytes != entry.bytes {
        return Err(BundleError::Length { path, found: bytes, expected: entry.bytes });
    }
    if found != entry.sha256 {
        return Err(BundleError::Content { path, found, expected: entry.sha256 });
    }
    Ok(())
}

fn hash(path: &Path) -> io::Result<(Sha256Hex, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((Sha256Hex::from(<[u8; 32]>::from(hasher.finalize())), bytes)),
            n => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}
