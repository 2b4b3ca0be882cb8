//! Copies of a bundle's networks in other numbers: faster, and off by no more than a tolerance that the manifest states.

use std::collections::BTreeSet;
use std::fmt;
use std::iter;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{BundlePath, Manifest, ManifestError, Tolerance};

/// The numbers that a network computes with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As the network was trained: `members` themselves.
    #[default]
    Fp32,
    /// Products of 8-bit whole numbers, for CPUs.
    Int8,
    /// Half precision, for GPUs.
    Fp16,
}

impl Precision {
    /// As manifests, command lines and labels write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Int8 => "int8",
            Self::Fp16 => "fp16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is no precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no precision; write fp32, int8 or fp16")]
pub struct PrecisionError(String);

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(text: &str) -> Result<Self, PrecisionError> {
        let known = [Self::Fp32, Self::Int8, Self::Fp16].into_iter().find(|precision| precision.as_str() == text);
        known.ok_or_else(|| PrecisionError(text.to_owned()))
    }
}

/// The networks of a bundle in one precision other than fp32.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variant {
    /// One ONNX file for each of the manifest's members, in their order, each listed in `files`.
    pub members: Vec<BundlePath>,
    /// How far an answer may be from its reference in `golden.json`, instead of what that file says.
    pub tolerance: Tolerance,
}

impl Manifest {
    /// The ONNX files that compute with `precision`; none when the bundle has no such variant.
    pub fn members_in(&self, precision: Precision) -> Option<&[BundlePath]> {
        match precision {
            Precision::Fp32 => Some(&self.members),
            Precision::Int8 | Precision::Fp16 => {
                self.variants.get(&precision).map(|variant| variant.members.as_slice())
            }
        }
    }

    /// What [`members_in`](Self::members_in) has.
    pub fn precisions(&self) -> impl Iterator<Item = Precision> {
        iter::once(Precision::Fp32).chain(self.variants.keys().copied())
    }

    /// How far an answer in `precision` may be from its reference, where `golden` is what `golden.json` says; none when
    /// the bundle has no such variant.
    pub fn tolerance_in(&self, precision: Precision, golden: Tolerance) -> Option<Tolerance> {
        match precision {
            Precision::Fp32 => Some(golden),
            Precision::Int8 | Precision::Fp16 => self.variants.get(&precision).map(|variant| variant.tolerance),
        }
    }

    /// Each variant has the shape of the members, and no file serves twice; `seen` are the members.
    pub(crate) fn check_variants<'a>(&'a self, seen: &mut BTreeSet<&'a BundlePath>) -> Result<(), ManifestError> {
        for (precision, variant) in &self.variants {
            let field = |name: &str| format!("variants.{precision}.{name}");
            if *precision == Precision::Fp32 {
                return Err(ManifestError::Fp32Variant);
            }
            let count = variant.members.len();
            if count != self.members.len() {
                let rule = "write one ONNX file for each of members, in their order";
                return Err(ManifestError::Number { field: field("members"), value: count.to_string(), rule });
            }
            for (i, member) in variant.members.iter().enumerate() {
                self.check_member(|| field(&format!("members[{i}]")), member, seen)?;
            }
            if let Some((name, value)) = variant.tolerance.unusable() {
                let rule = "write a finite number, 0 or more";
                let field = field(&format!("tolerance.{name}"));
                return Err(ManifestError::Number { field, value: value.to_string(), rule });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "variant_tests.rs"]
mod tests;
