//! One file on its way into a staging directory: appended to, hashed as it grows, resumable.
//!
//! A staged file already has its final name. Nobody can take it for a finished one: the directory is not published,
//! and the hash of every file is taken from its first byte in every run.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chemmodel_bundle::Sha256Hex;
use sha2::{Digest, Sha256};

use super::files;

/// A file that holds the first `written` bytes of an object.
#[derive(Debug)]
pub struct StagedFile {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    written: u64,
}

impl StagedFile {
    /// Opens what an earlier run left of an object of `size` bytes, or an empty file.
    pub fn resume_or_create(path: &Path, size: u64) -> io::Result<Self> {
        match Self::resume(path, size) {
            Ok(staged) => Ok(staged),
            // Nothing there, too long, not writable, a link: whatever it is, it is not the beginning of this object.
            Err(_) => Self::create(path),
        }
    }

    fn resume(path: &Path, size: u64) -> io::Result<Self> {
        let mut file = files::open_file(path)?;
        if file.metadata()?.len() > size {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut hasher = Sha256::new();
        let written = files::hash_rest(&mut file, &mut hasher)?;
        if written < size {
            file = OpenOptions::new().append(true).custom_flags(files::NO_FOLLOW).open(path)?;
        }
        Ok(Self { path: path.to_owned(), file, hasher, written })
    }

    /// A new file even where there was one: a reader may have the old one mapped, so it must not be cut short.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            files::create_directory(parent)?;
        }
        files::remove(path)?;
        let file =
            OpenOptions::new().append(true).create_new(true).mode(0o644).custom_flags(files::NO_FOLLOW).open(path)?;
        Ok(Self { path: path.to_owned(), file, hasher: Sha256::new(), written: 0 })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that are in the file.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds the next bytes.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Starts again from nothing.
    pub fn restart(self) -> io::Result<Self> {
        Self::create(&self.path)
    }

    /// Makes the content survive a power failure and says what it hashes to.
    pub fn finish(&self) -> io::Result<Sha256Hex> {
        self.file.sync_all()?;
        Ok(Sha256Hex::from(<[u8; 32]>::from(self.hasher.clone().finalize())))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn finished(path: &Path, size: u64, rest: &[u8]) -> Sha256Hex {
        let mut staged = StagedFile::resume_or_create(path, size).unwrap();
        staged.append(rest).unwrap();
        staged.finish().unwrap()
    }

    #[test]
    fn a_file_goes_on_where_the_last_run_stopped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("members/a.onnx");
        let mut first = StagedFile::resume_or_create(&path, 6).unwrap();
        first.append(b"abc").unwrap();
        drop(first);
        let second = StagedFile::resume_or_create(&path, 6).unwrap();
        assert_eq!(second.written(), 3);
        drop(second);
        assert_eq!(finished(&path, 6, b"def"), Sha256Hex::of(b"abcdef"));
        assert_eq!(std::fs::read(&path).unwrap(), b"abcdef");
    }

    #[test]
    fn what_cannot_be_a_beginning_is_replaced_and_never_written_through() {
        let directory = tempfile::tempdir().unwrap();
        let victim = directory.path().join("victim");
        std::fs::write(&victim, "longer than the object").unwrap();
        let link = directory.path().join("link");
        symlink(&victim, &link).unwrap();
        let folder = directory.path().join("folder");
        std::fs::create_dir(&folder).unwrap();
        let longer = directory.path().join("longer");
        std::fs::write(&longer, "longer than the object").unwrap();
        for path in [&link, &folder, &longer] {
            assert_eq!(finished(path, 3, b"abc"), Sha256Hex::of(b"abc"), "{}", path.display());
        }
        assert_eq!(std::fs::read(&victim).unwrap(), b"longer than the object");
    }
}
