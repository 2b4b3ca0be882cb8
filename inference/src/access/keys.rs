//! Keys of callers, of which only the hashes are known here: a directory with one file for each caller, `sha256:` and 64 digits in it.
//! Keys are long and random, so a plain hash is enough: there is nothing to guess. Looking up the hash takes as long for a wrong key
//! as for a right one.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use chemmodel_bundle::Sha256Hex;
use sha2::{Digest as _, Sha256};

use crate::reload::{self, Read};

/// The keys' hashes and who has them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Keys(HashMap<Sha256Hex, String>);

impl Keys {
    /// Reads a directory. Hidden entries are the kubelet's.
    pub fn read(directory: &Path) -> Result<Read<Self>, String> {
        let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = entries.map_err(|error| format!("{}: {error}", directory.display()))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        let (mut keys, mut all) = (HashMap::new(), Vec::new());
        for entry in entries {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') || entry.path().is_dir() {
                continue;
            }
            let bytes = reload::file(&entry.path())?;
            let text = String::from_utf8_lossy(&bytes);
            let hash = text.trim().strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
            let hash: Sha256Hex = hash.ok_or_else(|| {
                format!("{}: not \"sha256:\" and 64 hexadecimal digits, the hash of a key", entry.path().display())
            })?;
            all.extend_from_slice(name.as_bytes());
            all.extend_from_slice(&bytes);
            keys.insert(hash, name);
        }
        if keys.is_empty() {
            return Err(format!("{}: there is no key in it, so nobody could ask", directory.display()));
        }
        Ok(Read { bytes: all, value: Self(keys) })
    }

    /// Who has this key.
    pub fn owner(&self, key: &str) -> Option<&str> {
        let hash = Sha256Hex::from(<[u8; 32]>::from(Sha256::digest(key.as_bytes())));
        self.0.get(&hash).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf secret | sha256sum`
    const SECRET: &str = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(directory.path().join(name), content).unwrap();
        }
        directory
    }

    #[test]
    fn a_key_is_known_by_its_hash() {
        let directory = directory(&[("lab", &format!("{SECRET}\n")), ("..data", "the kubelet's")]);
        let keys = Keys::read(directory.path()).unwrap().value;
        assert_eq!(keys.owner("secret"), Some("lab"));
        for wrong in ["Secret", "secret ", "", SECRET] {
            assert_eq!(keys.owner(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn another_key_is_another_content() {
        let (one, two) = (directory(&[("lab", SECRET)]), directory(&[("other", SECRET)]));
        assert_ne!(Keys::read(one.path()).unwrap().bytes, Keys::read(two.path()).unwrap().bytes);
    }

    #[test]
    fn what_is_no_hash_is_refused_by_name_and_not_shown() {
        let directory = directory(&[("lab", "my plain key")]);
        let refused = Keys::read(directory.path()).err().unwrap();
        assert!(refused.contains("lab") && refused.contains("sha256:") && !refused.contains("plain key"), "{refused}");
    }

    #[test]
    fn no_key_at_all_is_a_mistake() {
        assert!(Keys::read(directory(&[]).path()).err().unwrap().contains("no key"));
        assert!(Keys::read(Path::new("/nowhere")).err().unwrap().contains("/nowhere"));
    }
}
