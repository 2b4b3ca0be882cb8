//! `chemmodel.json`: the manifest that pins every file of a bundle and says how to read the network's answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{BundlePath, FEATURES_FILE, ManifestError, Precision, Sha256Hex, Variant};

/// Name of the manifest inside a bundle.
pub const MANIFEST_FILE: &str = "chemmodel.json";
/// Name of the tokenizer of a sequence model.
pub const TOKENIZER_FILE: &str = "tokenizer.json";
/// Name of the reference answers.
pub const GOLDEN_FILE: &str = "golden.json";
/// The version of the contract that this crate reads and writes.
pub const MANIFEST_SCHEMA: &str = "chemmodel.io/bundle/v1";

/// The content of `chemmodel.json`. Read it with [`Manifest::parse`], which checks what a type cannot say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Manifest {
    /// Always [`MANIFEST_SCHEMA`].
    pub schema: String,
    /// What people call the model.
    pub name: String,
    /// Family of the network, for people.
    pub architecture: String,
    /// How a molecule becomes tensors.
    pub kind: Kind,
    /// ONNX files of the ensemble, each listed in `files`.
    pub members: Vec<BundlePath>,
    /// The same networks in other numbers; never fp32, which is `members`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<Precision, Variant>,
    /// Every file of the bundle but the manifest.
    pub files: BTreeMap<BundlePath, FileEntry>,
    /// Largest molecule that the network accepts: tokens, special ones counted, or atoms and directed bonds of a graph.
    pub max_length: u32,
    /// Columns of the network's answer, in order.
    pub outputs: Vec<Output>,
    /// How the members' answers become one.
    pub aggregate: Aggregate,
    /// Where the weights come from; free-form, for people.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub provenance: serde_json::Value,
}

/// How a molecule becomes tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// By the tokenizer in `tokenizer.json`.
    Sequence,
    /// Atoms and bonds, described by the scheme in `features.json`.
    Graph,
}

/// What pins one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileEntry {
    /// SHA-256 of the content.
    pub sha256: Sha256Hex,
    /// Length of the content.
    pub bytes: u64,
}

/// One column of the network's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Output {
    /// Unique within the bundle.
    pub name: String,
    /// The measured property, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// Unit of the value that callers get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What training did to the label before scaling; the server undoes it.
    pub transform: Transform,
    /// value = inverse-transform(raw × scale + center); finite and not zero.
    pub scale: f64,
    /// See `scale`; finite.
    pub center: f64,
}

/// What training did to a label before scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transform {
    /// Nothing.
    None,
    /// ln(1 + y).
    Log1p,
    /// log10(y).
    Log10,
}

/// How the members of an ensemble become one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    /// The arithmetic mean over the members, before the label's transform is undone.
    Mean,
}

impl Manifest {
    /// Reads and checks the bytes of `chemmodel.json`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| ManifestError::Json(e.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The manifest of a sequence model that was exported without one: one member, one output `prediction` without
    /// unit or scaling. The bytes, and so the digest, depend on nothing but the arguments.
    pub fn for_plain_sequence(
        name: &str,
        architecture: &str,
        member: BundlePath,
        files: BTreeMap<BundlePath, FileEntry>,
        max_length: u32,
    ) -> Result<(Vec<u8>, Self), ManifestError> {
        let manifest = Self {
            schema: MANIFEST_SCHEMA.to_owned(),
            name: name.to_owned(),
            architecture: architecture.to_owned(),
            kind: Kind::Sequence,
            members: vec![member],
            variants: BTreeMap::new(),
            files,
            max_length,
            outputs: vec![Output {
                name: "prediction".to_owned(),
                property: None,
                unit: None,
                transform: Transform::None,
                scale: 1.0,
                center: 0.0,
            }],
            aggregate: Aggregate::Mean,
            provenance: serde_json::Value::Null,
        };
        manifest.check()?;
        let mut bytes = serde_json::to_vec_pretty(&manifest).map_err(|e| ManifestError::Json(e.to_string()))?;
        bytes.push(b'\n');
        Ok((bytes, manifest))
    }

    /// Bytes of all listed files together; the manifest itself is not counted.
    pub fn total_bytes(&self) -> u64 {
        self.files.values().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    fn check(&self) -> Result<(), ManifestError> {
        if self.schema != MANIFEST_SCHEMA {
            return Err(ManifestError::Schema { found: self.schema.clone(), known: MANIFEST_SCHEMA });
        }
        not_empty("name", &self.name)?;
        not_empty("architecture", &self.architecture)?;
        self.check_files()?;
        self.check_members()?;
        if self.max_length == 0 {
            return Err(number(
                "maxLength",
                0.0,
                "write the largest molecule that the network accepts (tokens, or atoms and directed bonds), at least 1",
            ));
        }
        self.check_outputs()
    }

    fn check_files(&self) -> Result<(), ManifestError> {
        if self.files.contains_key(MANIFEST_FILE) {
            return Err(ManifestError::ListsItself);
        }
        for path in self.files.keys() {
            if let Some(file) = path.parents().find(|above| *above == MANIFEST_FILE || self.files.contains_key(*above))
            {
                return Err(ManifestError::FileAndDirectory { file: file.to_owned(), below: path.to_string() });
            }
        }
        let (field, needed) = match self.kind {
            Kind::Sequence => ("kind: sequence", TOKENIZER_FILE),
            Kind::Graph => ("kind: graph", FEATURES_FILE),
        };
        if self.files.contains_key(needed) {
            return Ok(());
        }
        Err(ManifestError::NotListed { field: field.to_owned(), path: needed.to_owned() })
    }

    fn check_members(&self) -> Result<(), ManifestError> {
        if self.members.is_empty() {
            return Err(ManifestError::NoItems { field: "members", item: "ONNX file" });
        }
        let mut seen = BTreeSet::new();
        for (i, member) in self.members.iter().enumerate() {
            self.check_member(|| format!("members[{i}]"), member, &mut seen)?;
        }
        self.check_variants(&mut seen)
    }

    /// A network is listed, has content and serves once.
    pub(crate) fn check_member<'a>(
        &self,
        field: impl Fn() -> String,
        member: &'a BundlePath,
        seen: &mut BTreeSet<&'a BundlePath>,
    ) -> Result<(), ManifestError> {
        let Some(entry) = self.files.get(member) else {
            return Err(ManifestError::NotListed { field: field(), path: member.to_string() });
        };
        if entry.bytes == 0 {
            let field = format!("files[\"{member}\"].bytes");
            return Err(number(field, 0.0, "a network has at least one byte; export the bundle again"));
        }
        if !seen.insert(member) {
            return Err(ManifestError::Duplicate { field: field(), value: member.to_string() });
        }
        Ok(())
    }

    fn check_outputs(&self) -> Result<(), ManifestError> {
        if self.outputs.is_empty() {
            return Err(ManifestError::NoItems { field: "outputs", item: "column of the network's answer" });
        }
        let mut seen = BTreeSet::new();
        for (i, output) in self.outputs.iter().enumerate() {
            not_empty(format!("outputs[{i}].name"), &output.name)?;
            if !seen.insert(&output.name) {
                return Err(ManifestError::Duplicate {
                    field: format!("outputs[{i}].name"),
                    value: output.name.clone(),
                });
            }
            if !output.scale.is_finite() || output.scale == 0.0 {
                let rule = "write a finite number other than 0, or 1 when the labels were not scaled";
                return Err(number(format!("outputs[{i}].scale"), output.scale, rule));
            }
            if !output.center.is_finite() {
                let rule = "write a finite number, or 0 when the labels were not centred";
                return Err(number(format!("outputs[{i}].center"), output.center, rule));
            }
        }
        Ok(())
    }
}

fn not_empty(field: impl Into<String>, value: &str) -> Result<(), ManifestError> {
    if value.trim().is_empty() { Err(ManifestError::Empty { field: field.into() }) } else { Ok(()) }
}

fn number(field: impl Into<String>, value: f64, rule: &'static str) -> ManifestError {
    ManifestError::Number { field: field.into(), value: value.to_string(), rule }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
