//! One writer per staging directory.
//!
//! The lock only spares work: what makes a bundle correct is its digest, and what makes it visible is one rename. So
//! on a file system without locks (some NFS servers) a run goes on without one, in a staging directory of its own.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What came of an attempt.
#[derive(Debug)]
pub enum Attempt {
    /// This process is the only writer until the lock is dropped.
    Held(Lock),
    /// Another process is writing.
    Busy,
    /// The file system knows no locks.
    Unsupported,
}

/// An exclusive lock; the kernel frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    /// Holds the lock as long as it is open.
    _file: File,
    path: PathBuf,
}

impl Lock {
    /// Tries to become the writer.
    pub fn attempt(path: &Path) -> io::Result<Attempt> {
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o644)
                .custom_flags(super::files::NO_FOLLOW)
                .open(path)?;
            match file.try_lock() {
                Ok(()) if still_at(path, &file)? => {
                    return Ok(Attempt::Held(Self { _file: file, path: path.to_owned() }));
                }
                // Its last holder removed the file between our open and our lock.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(Attempt::Busy),
                Err(TryLockError::Error(why)) if unsupported(&why) => return Ok(Attempt::Unsupported),
                Err(TryLockError::Error(why)) => return Err(why),
            }
        }
    }

    /// Frees the lock and removes its file.
    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

fn still_at(path: &Path, file: &File) -> io::Result<bool> {
    let held = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (held.dev(), held.ino())),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(why),
    }
}

fn unsupported(why: &io::Error) -> bool {
    let no_locks = rustix::io::Errno::NOLCK.raw_os_error();
    why.kind() == io::ErrorKind::Unsupported || why.raw_os_error() == Some(no_locks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_holder_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lock");
        let Attempt::Held(lock) = Lock::attempt(&path).unwrap() else { panic!("not held") };
        assert!(matches!(Lock::attempt(&path).unwrap(), Attempt::Busy));
        lock.remove().unwrap();
        assert!(!path.exists());
        assert!(matches!(Lock::attempt(&path).unwrap(), Attempt::Held(_)));
    }
}
