//! The committed bundle, and broken copies of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chemmodel_bundle::Sha256Hex;
use chemmodel_inference::args::Args;
use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The bundle that most tests use.
pub fn committed() -> PathBuf {
    committed_version("v1")
}

/// A bundle of the examples.
pub fn committed_version(version: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/models/boiling-point").join(version);
    assert!(path.join("chemmodel.json").is_file(), "{} is missing; it belongs to the repository", path.display());
    path
}

/// The shared library of ONNX Runtime.
pub fn runtime() -> PathBuf {
    std::env::var_os("ORT_DYLIB_PATH")
        .expect("ORT_DYLIB_PATH must name a libonnxruntime.so; `make test` fetches one and sets it")
        .into()
}

/// The command line for a bundle.
pub fn args(bundle: &Path, more: &[&str]) -> Args {
    let (bundle, runtime) = (bundle.to_str().unwrap(), runtime());
    let required = ["chemmodel-server", "--bundle", bundle, "--name", "boiling-point", "--version", "v1"];
    let runtime = ["--onnxruntime", runtime.to_str().unwrap()];
    // Later flags win, so a test can name another runtime.
    let flags = if more.contains(&"--onnxruntime") { &[][..] } else { &runtime[..] };
    Args::parse_from(required.iter().chain(flags).chain(more))
}

/// A copy of the committed bundle that a test may break.
pub struct Copy {
    directory: TempDir,
}

impl Copy {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for file in fs::read_dir(committed()).unwrap().map(Result::unwrap).filter(|f| f.path().is_file()) {
            fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
        }
        Self { directory }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Changes the bytes of a file and lets the manifest stand.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> &Self {
        let path = self.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
        self
    }

    /// Changes the manifest.
    pub fn edit_manifest(&self, change: impl FnOnce(&mut Value)) -> &Self {
        self.edit("chemmodel.json", |bytes| {
            let mut manifest = serde_json::from_slice(bytes).unwrap();
            change(&mut manifest);
            *bytes = serde_json::to_vec(&manifest).unwrap();
        })
    }

    /// Writes the files' digests into the manifest again, so that only their content is wrong.
    pub fn pin(&self) -> &Self {
        let pinned: BTreeMap<String, Value> =
            self.listed().into_iter().map(|name| (name.clone(), self.entry(&name))).collect();
        self.edit_manifest(|manifest| manifest["files"] = json!(pinned))
    }

    fn listed(&self) -> Vec<String> {
        let manifest: Value = serde_json::from_slice(&fs::read(self.path().join("chemmodel.json")).unwrap()).unwrap();
        manifest["files"].as_object().unwrap().keys().cloned().collect()
    }

    fn entry(&self, name: &str) -> Value {
        let bytes = fs::read(self.path().join(name)).unwrap();
        json!({"sha256": Sha256Hex::of(&bytes), "bytes": bytes.len()})
    }
}

/// Replaces every occurrence of `from`; the lengths are equal, so the file stays well formed.
pub fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut found = 0;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(found > 0, "nothing to replace");
}
