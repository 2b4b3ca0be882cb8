//! The example bundles, whole or damaged.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use chemmodel_bundle::{BundleDigest, Sha256Hex};
use serde_json::{Value, json};

use crate::environment::repository;
use crate::onnx::change_weights;

const MANIFEST: &str = "chemmodel.json";

/// Paths and contents.
#[derive(Clone)]
pub struct Bundle {
    /// All files, the manifest among them.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// A version of the example model.
    pub fn example(version: &str) -> Result<Self> {
        Self::of("boiling-point", version)
    }

    /// A version of any model of the examples.
    pub fn of(model: &str, version: &str) -> Result<Self> {
        let directory = repository(&format!("examples/models/{model}/{version}"));
        let manifest = read(&directory, MANIFEST)?;
        let listed: Value = serde_json::from_slice(&manifest)?;
        let listed = listed["files"].as_object().context("the manifest lists no files")?;
        let mut files = BTreeMap::from([(MANIFEST.to_owned(), manifest)]);
        for path in listed.keys() {
            files.insert(path.clone(), read(&directory, path)?);
        }
        Ok(Self { files })
    }

    /// Without one of its files; the manifest still lists it.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.files.remove(path);
        self
    }

    /// With other bytes in one of its files; the manifest still pins the old ones.
    #[must_use]
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), content.into());
        self
    }

    /// With one bit of a file turned over.
    #[must_use]
    pub fn with_flipped_bit(mut self, path: &str) -> Self {
        if let Some(byte) = self.files.get_mut(path).and_then(|content| content.last_mut()) {
            *byte ^= 1;
        }
        self
    }

    /// With other numbers in a tensor of `model.onnx`; the manifest still pins the old ones.
    pub fn with_weights(mut self, tensor: &str, change: impl FnMut(usize, f32) -> f32) -> Result<Self> {
        change_weights(self.files.get_mut("model.onnx").context("no model.onnx")?, tensor, change)?;
        Ok(self)
    }

    /// With a change in one of its JSON files; the manifest, unless it is that file, still pins the old one.
    pub fn edited(mut self, path: &str, edit: impl FnOnce(&mut Value)) -> Result<Self> {
        let content = self.files.get_mut(path).with_context(|| format!("the bundle has no {path}"))?;
        let mut value = serde_json::from_slice(content)?;
        edit(&mut value);
        *content = value.to_string().into_bytes();
        Ok(self)
    }

    /// With a manifest that pins the files as they are now.
    pub fn sealed(mut self) -> Result<Self> {
        let manifest = self.files.remove(MANIFEST).context("the bundle has no manifest")?;
        let mut manifest: Value = serde_json::from_slice(&manifest)?;
        let pin = |content: &Vec<u8>| json!({"sha256": Sha256Hex::of(content), "bytes": content.len()});
        manifest["files"] = self.files.iter().map(|(path, content)| (path.clone(), pin(content))).collect();
        self.files.insert(MANIFEST.to_owned(), manifest.to_string().into_bytes());
        Ok(self)
    }

    /// What the operator must find.
    pub fn digest(&self) -> Result<BundleDigest> {
        Ok(BundleDigest::of(self.files.get(MANIFEST).context("the bundle has no manifest")?))
    }

    /// The golden molecules: SMILES and the answer of the original framework.
    pub fn golden(&self) -> Result<Vec<(String, f64)>> {
        let golden: Value = serde_json::from_slice(self.files.get("golden.json").context("no golden.json")?)?;
        let molecules = golden["molecules"].as_array().context("golden.json has no molecules")?;
        let read = |molecule: &Value| {
            Some((molecule["smiles"].as_str()?.to_owned(), molecule["predictions"].get(0)?.as_f64()?))
        };
        molecules.iter().map(read).collect::<Option<_>>().context("a golden molecule has no SMILES or no prediction")
    }
}

fn read(directory: &Path, path: &str) -> Result<Vec<u8>> {
    let file = directory.join(path);
    std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))
}
