//! Bundles to upload, and what must be found on the volume afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chemmodel_bundle::{BundleDigest, Manifest, Sha256Hex};
use serde_json::json;

/// A bundle: paths and contents, the manifest among them.
#[derive(Clone)]
pub struct Bundle {
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// A valid bundle whose network has `bytes` bytes; equal arguments give equal bundles.
    pub fn with_weights(bytes: usize) -> Self {
        let files = [
            ("model.onnx", noise(bytes, 1)),
            ("members/second.onnx", noise(bytes / 7 + 1, 2)),
            ("tokenizer.json", b"{}".to_vec()),
            ("golden.json", noise(999, 3)),
        ];
        Self { files: files.map(|(path, content)| (path.to_owned(), content)).into() }.sealed()
    }

    pub fn small() -> Self {
        Self::with_weights(50_000)
    }

    /// The same files under a manifest that pins them as they are now.
    pub fn sealed(mut self) -> Self {
        self.files.remove("chemmodel.json");
        let entry = |content: &Vec<u8>| json!({"sha256": Sha256Hex::of(content), "bytes": content.len()});
        let files: BTreeMap<_, _> = self.files.iter().map(|(path, content)| (path, entry(content))).collect();
        let manifest = json!({
            "schema": "chemmodel.io/bundle/v1", "name": "boiling-point", "architecture": "chemberta", "kind": "sequence",
            "members": ["model.onnx", "members/second.onnx"], "files": files, "maxLength": 512,
            "outputs": [{"name": "boiling_point", "unit": "K", "transform": "none", "scale": 78.9, "center": 468.2}],
            "aggregate": "mean"
        });
        self.files.insert("chemmodel.json".to_owned(), manifest.to_string().into_bytes());
        self
    }

    pub fn digest(&self) -> BundleDigest {
        BundleDigest::of(&self.files["chemmodel.json"])
    }

    pub fn bytes(&self) -> u64 {
        self.files.values().map(|content| content.len() as u64).sum()
    }

    pub fn directory(&self, target: &Path) -> PathBuf {
        target.join("models").join(self.digest().hex())
    }

    /// Whether it is on the volume. Whatever is there must be whole.
    pub fn is_published(&self, target: &Path) -> bool {
        let directory = self.directory(target);
        if !directory.exists() {
            return false;
        }
        assert_eq!(
            files_below(&directory),
            self.files.keys().cloned().collect::<Vec<_>>(),
            "an incomplete bundle is visible"
        );
        for (path, content) in &self.files {
            assert!(fs::read(directory.join(path)).unwrap() == *content, "{path} is visible with another content");
        }
        true
    }

    /// It is on the volume, whole, readable by everybody, and nothing else is.
    pub fn assert_published(&self, target: &Path) {
        assert!(self.is_published(target), "the bundle is not published");
        let directory = self.directory(target);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&directory), mode(&directory.join("members"))), (0o755, 0o755));
        assert!(self.files.keys().all(|path| mode(&directory.join(path)) == 0o444));
        assert_eq!(fs::read_dir(target.join("models")).unwrap().count(), 1, "something else is published too");
        assert_eq!(files_below(&target.join(".staging")), [""; 0], "something is left in .staging");
    }
}

/// Nothing at all is published.
pub fn assert_nothing_published(target: &Path) {
    let found = files_below(&target.join("models"));
    assert!(found.is_empty(), "{found:?} is published");
}

/// What `models/<digest>` of a plain export holds.
pub fn read_manifest(target: &Path, digest: BundleDigest) -> Manifest {
    let bytes = fs::read(target.join("models").join(digest.hex()).join("chemmodel.json")).unwrap();
    assert_eq!(BundleDigest::of(&bytes), digest);
    Manifest::parse(&bytes).unwrap()
}

/// Paths of all files below a directory; none when it does not exist.
pub fn files_below(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(directory) else { return found };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()).iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// Bytes without structure (xorshift), so that a shifted or repeated piece cannot go unseen.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(length).collect()
}
