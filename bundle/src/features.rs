//! `features.json`: how the atoms and bonds of a graph model's molecules become what its network reads.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Name of the file inside a bundle.
pub const FEATURES_FILE: &str = "features.json";
/// The version of the features contract that this crate reads.
pub const FEATURES_SCHEMA: &str = "chemmodel.io/features/v1";
/// More than any published network has, and little enough to bound the work for one molecule.
pub const MOST_MESSAGES: u8 = 64;
/// 0 was padding where the vocabulary was made, and 1 is whatever the vocabulary does not know.
const FIRST_ID: u32 = 2;

/// Why `features.json` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeaturesError {
    /// Not JSON, an unknown or missing field, or a value of another type; the position is in the text.
    #[error("features.json does not follow the bundle contract: {0}; export the bundle again")]
    Json(String),
    /// Written for another version of the contract.
    #[error(
        "features.json: schema \"{0}\" is not known; this program reads \"{FEATURES_SCHEMA}\", so export the bundle again or update this program"
    )]
    Schema(String),
    /// The scheme cannot work without it.
    #[error("features.json: {field} has no token, but the scheme {scheme} looks every one up; export the bundle again")]
    NoTokens {
        /// `atoms` or `bonds`.
        field: &'static str,
        /// The scheme.
        scheme: Scheme,
    },
    /// Equal atoms cannot be told without it.
    #[error(
        "features.json: messages is {}, but the scheme {scheme} needs the number of the network's messages, 1 to {MOST_MESSAGES}; export the bundle again",
        found.map_or_else(|| "missing".to_owned(), |found| found.to_string())
    )]
    Messages {
        /// The scheme.
        scheme: Scheme,
        /// What is there.
        found: Option<u8>,
    },
    /// Nobody would read it.
    #[error("features.json: {field} has no meaning for the scheme {scheme}; take it out")]
    NotOfScheme {
        /// `atoms`, `bonds`, `messages` or `stereo`.
        field: &'static str,
        /// The scheme.
        scheme: Scheme,
    },
    /// Molecules cannot be read without knowing it.
    #[error(
        "features.json: stereo is missing; the scheme {0} needs \"ignored\" or \"read\", so export the bundle again"
    )]
    NoStereo(Scheme),
    /// A token whose answer would be that of another one.
    #[error("features.json: {field}[{token:?}]: the id {id} {why}; export the bundle again")]
    Id {
        /// `atoms` or `bonds`.
        field: &'static str,
        /// The token.
        token: String,
        /// Its id.
        id: u32,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A vocabulary: token, as the original framework wrote it, to the row of the network's embedding.
pub type Vocabulary = BTreeMap<String, u32>;

/// The content of `features.json`. Read it with [`Features::parse`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Features {
    /// Tokens of nfp, which PolyID reads. Keys are the Python reprs that nfp writes.
    Nfp {
        /// Of nfp's features.
        version: NfpVersion,
        /// Of atoms, hydrogens among them.
        atoms: Vocabulary,
        /// Of directed bonds.
        bonds: Vocabulary,
        /// How often the network's atoms hear from their neighbours, 1 to [`MOST_MESSAGES`].
        messages: u8,
    },
    /// Numbers of Chemprop's second version; it needs no vocabulary.
    ChempropV2 {
        /// What the marks of stereochemistry count for.
        stereo: Stereo,
    },
}

/// The version of nfp's features, which keys tell by their form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NfpVersion {
    /// `atom_features_v1` and `bond_features_v1`: they do not tell stereoisomers apart.
    V1,
    /// `atom_features_v2`, `bond_features_v2` or both.
    V2,
}

/// What the marks `@`, `/` and `\` of a SMILES count for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stereo {
    /// Nothing: training had none.
    Ignored,
    /// Stereocentres and double bonds are told apart as in training.
    Read,
}

/// The name of a way to describe atoms and bonds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Scheme {
    /// See [`Features::Nfp`].
    #[serde(rename = "nfp-v1")]
    NfpV1,
    /// See [`Features::Nfp`].
    #[serde(rename = "nfp-v2")]
    NfpV2,
    /// See [`Features::ChempropV2`].
    #[serde(rename = "chemprop-v2")]
    ChempropV2,
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NfpV1 => "nfp-v1",
            Self::NfpV2 => "nfp-v2",
            Self::ChempropV2 => "chemprop-v2",
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    schema: String,
    scheme: Scheme,
    #[serde(default)]
    atoms: Vocabulary,
    #[serde(default)]
    bonds: Vocabulary,
    messages: Option<u8>,
    stereo: Option<Stereo>,
}

impl Features {
    /// Reads and checks the bytes of `features.json`.
    pub fn parse(bytes: &[u8]) -> Result<Self, FeaturesError> {
        let form: Form = serde_json::from_slice(bytes).map_err(|e| FeaturesError::Json(e.to_string()))?;
        let Form { schema, scheme, atoms, bonds, messages, stereo } = form;
        if schema != FEATURES_SCHEMA {
            return Err(FeaturesError::Schema(schema));
        }
        let nfp = match scheme {
            Scheme::NfpV1 => Some(NfpVersion::V1),
            Scheme::NfpV2 => Some(NfpVersion::V2),
            Scheme::ChempropV2 => None,
        };
        for (field, vocabulary) in [("atoms", &atoms), ("bonds", &bonds)] {
            match (nfp, vocabulary.is_empty()) {
                (Some(_), true) => return Err(FeaturesError::NoTokens { field, scheme }),
                (Some(_), false) => check_ids(field, vocabulary)?,
                (None, true) => {}
                (None, false) => return Err(FeaturesError::NotOfScheme { field, scheme }),
            }
        }
        match (nfp, messages, stereo) {
            (Some(_), _, Some(_)) => Err(FeaturesError::NotOfScheme { field: "stereo", scheme }),
            (Some(version), Some(messages @ 1..=MOST_MESSAGES), None) => {
                Ok(Self::Nfp { version, atoms, bonds, messages })
            }
            (Some(_), messages, None) => Err(FeaturesError::Messages { scheme, found: messages }),
            (None, Some(_), _) => Err(FeaturesError::NotOfScheme { field: "messages", scheme }),
            (None, None, Some(stereo)) => Ok(Self::ChempropV2 { stereo }),
            (None, None, None) => Err(FeaturesError::NoStereo(scheme)),
        }
    }
}

/// Two tokens with one id could not be told apart, and the ids below the first are taken.
fn check_ids(field: &'static str, vocabulary: &Vocabulary) -> Result<(), FeaturesError> {
    let mut seen = BTreeSet::new();
    for (token, id) in vocabulary {
        let why = match *id {
            id if id < FIRST_ID => "is below 2: 0 is padding, and 1 is what the vocabulary does not know",
            id if !seen.insert(id) => "is that of another token too",
            _ => continue,
        };
        return Err(FeaturesError::Id { field, token: token.clone(), id: *id, why });
    }
    Ok(())
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;
