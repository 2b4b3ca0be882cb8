//! The candidate's bundle on its volume, as far as a verification reads it.

use std::fs;
use std::path::{Path, PathBuf};

use chemmodel_bundle::{BundleDigest, Sha256Hex};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory with a manifest and reference answers.
pub struct Bundle {
    directory: TempDir,
    /// What golden.json says, or would say.
    pub golden: Value,
    /// What chemmodel.json says.
    pub manifest: Value,
}

/// Three molecules with one output: `boiling_point` in K, ± 0.5.
pub fn golden() -> Value {
    json!({
        "schema": "chemmodel.io/golden/v1", "framework": "torch", "tolerance": {"absolute": 0.5, "relative": 0.0},
        "outputs": [{"name": "boiling_point", "unit": "K"}],
        "molecules": [
            {"smiles": "CCO", "predictions": [352.1]},
            {"smiles": "C", "predictions": [111.6]},
            {"smiles": "c1ccccc1", "predictions": [353.2]}
        ]
    })
}

fn output(name: &str, unit: &str) -> Value {
    json!({"name": name, "unit": unit, "transform": "none", "scale": 78.9, "center": 468.2})
}

impl Default for Bundle {
    fn default() -> Self {
        Self::new(golden(), &[output("boiling_point", "K")])
    }
}

impl Bundle {
    /// With two outputs, the second of which the manifest puts first.
    pub fn with_two_outputs() -> Self {
        let mut golden = golden();
        golden["outputs"] = json!([{"name": "boiling_point", "unit": "K"}, {"name": "toxicity", "unit": "%"}]);
        for molecule in golden["molecules"].as_array_mut().unwrap() {
            molecule["predictions"].as_array_mut().unwrap().push(json!(12.5));
        }
        Self::new(golden, &[output("boiling_point", "K"), output("toxicity", "%")])
    }

    fn new(golden: Value, outputs: &[Value]) -> Self {
        let manifest = json!({
            "schema": "chemmodel.io/bundle/v1", "name": "boiling-point", "architecture": "chemberta", "kind": "sequence",
            "members": ["model.onnx"], "files": {}, "maxLength": 512, "outputs": outputs, "aggregate": "mean"
        });
        Self { directory: tempfile::tempdir().unwrap(), golden, manifest }.written()
    }

    /// Writes what the fields say, with the digests that belong to it.
    pub fn written(mut self) -> Self {
        let golden = self.golden.to_string();
        let pin = |content: &str| json!({"sha256": Sha256Hex::of(content.as_bytes()), "bytes": content.len()});
        self.manifest["files"] = json!({"model.onnx": pin("weights"), "tokenizer.json": pin("{}")});
        if !self.golden.is_null() {
            self.manifest["files"]["golden.json"] = pin(&golden);
            fs::write(self.path().join("golden.json"), golden).unwrap();
        }
        fs::write(self.path().join("chemmodel.json"), self.manifest.to_string()).unwrap();
        self
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn digest(&self) -> BundleDigest {
        digest(self.path())
    }
}

/// The digest of a bundle on the disk.
pub fn digest(bundle: &Path) -> BundleDigest {
    BundleDigest::of(&fs::read(bundle.join("chemmodel.json")).unwrap())
}

/// A bundle of the examples.
pub fn committed(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/models/boiling-point").join(version)
}
