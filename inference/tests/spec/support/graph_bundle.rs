//! A graph bundle on the disk, with networks whose answers a reader can compute.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chemmodel_bundle::Sha256Hex;
use chemmodel_chem::features::chemprop::{ATOM_FEATURES, BOND_FEATURES};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fixture::features;
use super::onnx::{Graph, sums, weighted_sums};

/// Tables of a network that adds up the ids of atoms, and of bonds a tenth each; `more` is what it adds for each atom.
pub fn network(more: f32) -> Graph {
    let atoms: Vec<f32> = (0..=16).map(|id: u8| f32::from(id) + more).collect();
    let bonds: Vec<f32> = (0..=5).map(|id: u8| f32::from(id) / 10.0).collect();
    sums(&atoms, &bonds)
}

/// A network of `chemprop-v2` that adds up the hydrogens of the atoms, and a tenth for each directed bond in a ring.
pub fn float_network() -> Graph {
    let mut atoms = [0.0; ATOM_FEATURES];
    // The one-hot of 0 to 4 hydrogens is behind those of the element, the neighbours, the charge and the chirality.
    atoms[57..61].copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
    let mut bonds = [0.0; BOND_FEATURES];
    bonds[6] = 0.1;
    weighted_sums(&atoms, &bonds)
}

/// The features of [`float_network`].
pub fn float_features() -> Value {
    json!({"schema": "chemmodel.io/features/v1", "scheme": "chemprop-v2", "stereo": "ignored"})
}

/// A bundle that a test may change before it is loaded.
pub struct GraphBundle {
    directory: TempDir,
    files: BTreeMap<String, Vec<u8>>,
    /// Without `files`.
    pub manifest: Value,
}

impl GraphBundle {
    /// An ensemble of these networks.
    pub fn new(networks: Vec<Graph>) -> Self {
        let names: Vec<String> = (0..networks.len()).map(|member| format!("member-{member}.onnx")).collect();
        let mut files: BTreeMap<String, Vec<u8>> =
            names.iter().cloned().zip(networks.into_iter().map(Graph::file)).collect();
        files.insert("features.json".to_owned(), features().to_string().into_bytes());
        let manifest = json!({
            "schema": "chemmodel.io/bundle/v1", "name": "sums", "architecture": "sums", "kind": "graph", "members": names,
            "maxLength": 100, "aggregate": "mean",
            "outputs": [{"name": "sum", "unit": "K", "transform": "none", "scale": 1.0, "center": 0.0}],
        });
        Self { directory: tempfile::tempdir().unwrap(), files, manifest }
    }

    /// Adds a file, or replaces it.
    #[must_use]
    pub fn with(mut self, name: &str, content: &Value) -> Self {
        self.files.insert(name.to_owned(), content.to_string().into_bytes());
        self
    }

    /// Writes it; it is there as long as this is.
    pub fn write(&self) -> &Path {
        let entry = |content: &Vec<u8>| json!({"sha256": Sha256Hex::of(content), "bytes": content.len()});
        let entries: BTreeMap<_, _> = self.files.iter().map(|(name, content)| (name, entry(content))).collect();
        let mut manifest = self.manifest.clone();
        manifest["files"] = json!(entries);
        for (name, content) in &self.files {
            fs::write(self.directory.path().join(name), content).unwrap();
        }
        fs::write(self.directory.path().join("chemmodel.json"), manifest.to_string()).unwrap();
        self.directory.path()
    }
}
