//! The body of `POST /predict`. Strict: a field that nobody reads would be an answer to another question.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};

/// `{"smiles": "CCO"}` or `{"smiles": ["CCO", "CCN"]}`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PredictRequest {
    pub(super) smiles: Smiles,
}

/// One molecule or a list: the answer has the same form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Smiles {
    One(String),
    Many(Vec<String>),
}

impl PredictRequest {
    /// Reads a body; the error is a sentence with the place of the mistake.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err("the body is empty; send JSON such as {\"smiles\":\"CCO\"}".to_owned());
        }
        // A struct also reads itself from an array; the contract knows objects only.
        if body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[') {
            return Err("the body is a JSON array; send an object such as {\"smiles\":[\"CCO\",\"CCN\"]}".to_owned());
        }
        serde_json::from_slice(body).map_err(|e| {
            let what = if e.is_data() { "does not have the expected form" } else { "is not JSON" };
            format!(
                "the body {what}: {e}; send JSON such as {{\"smiles\":\"CCO\"}} or {{\"smiles\":[\"CCO\",\"CCN\"]}}"
            )
        })
    }
}

impl<'de> Deserialize<'de> for Smiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SmilesVisitor)
    }
}

struct SmilesVisitor;

impl<'de> Visitor<'de> for SmilesVisitor {
    type Value = Smiles;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"smiles\" to be a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Smiles, E> {
        Ok(Smiles::One(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Smiles, E> {
        Ok(Smiles::One(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Smiles, A::Error> {
        let mut molecules = Vec::new();
        while let Some(Molecule(molecule)) = list.next_element()? {
            molecules.push(molecule);
        }
        Ok(Smiles::Many(molecules))
    }
}

/// One element of the list. A type of its own, because the text for a wrong one should speak of elements.
struct Molecule(String);

impl<'de> Deserialize<'de> for Molecule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementVisitor;
        impl Visitor<'_> for ElementVisitor {
            type Value = Molecule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("every element of \"smiles\" to be a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Molecule, E> {
                Ok(Molecule(text.to_owned()))
            }

            fn visit_unit<E: Error>(self) -> Result<Molecule, E> {
                Err(E::invalid_type(Unexpected::Other("null"), &self))
            }
        }
        deserializer.deserialize_any(ElementVisitor)
    }
}
