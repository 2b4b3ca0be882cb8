//! `golden.json`: molecules with the answers of the original framework.

use serde::{Deserialize, Serialize};

/// The version of the golden contract that this crate reads.
pub const GOLDEN_SCHEMA: &str = "chemmodel.io/golden/v1";

/// Why `golden.json` cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GoldenError {
    /// Not JSON, or another shape.
    #[error("golden.json does not follow the bundle contract: {0}; export the bundle again")]
    Json(String),
    /// Written for another version of the contract.
    #[error("golden.json: schema \"{0}\" is not known; this program reads \"{GOLDEN_SCHEMA}\"")]
    Schema(String),
    /// Nothing can be verified with no molecules.
    #[error("golden.json: molecules is empty; without molecules nothing can be verified, so export the bundle again")]
    NoMolecules,
    /// A tolerance that accepts nothing or everything.
    #[error("golden.json: tolerance.{field} is {value}; write a finite number, 0 or more")]
    Tolerance {
        /// `absolute` or `relative`.
        field: &'static str,
        /// What the file says.
        value: f64,
    },
    /// Outputs that cannot belong to the predictions.
    #[error("golden.json: outputs: {0}; export the bundle again")]
    Outputs(String),
    /// One value per output of the manifest, each finite.
    #[error("golden.json: molecules[{index}] (\"{smiles}\"): {why}")]
    Molecule {
        /// Position in the list.
        index: usize,
        /// The molecule.
        smiles: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The content of `golden.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Golden {
    /// Always [`GOLDEN_SCHEMA`].
    pub schema: String,
    /// What computed the answers.
    pub framework: String,
    /// How far an answer may be from its reference.
    pub tolerance: Tolerance,
    /// What the framework computed, in the order of `predictions`; empty when the file does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<GoldenOutput>,
    /// At least one molecule.
    pub molecules: Vec<GoldenMolecule>,
}

/// An answer passes when |answer − reference| ≤ absolute + relative × |reference|.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tolerance {
    /// In the output's unit.
    pub absolute: f64,
    /// Fraction of the reference.
    pub relative: f64,
}

/// One output of the original framework. It must be what the server answers, name and unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoldenOutput {
    /// Unique within the file.
    pub name: String,
    /// Unit of the predictions; none for a number without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// One molecule and its reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GoldenMolecule {
    /// As the caller would send it.
    pub smiles: String,
    /// Token ids, special tokens included; empty where no tokenizer is used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<u32>,
    /// One value per output, in the output's unit.
    pub predictions: Vec<f64>,
}

impl Golden {
    /// Reads and checks the bytes of `golden.json` for a bundle with `outputs` outputs.
    pub fn parse(bytes: &[u8], outputs: usize) -> Result<Self, GoldenError> {
        let golden: Self = serde_json::from_slice(bytes).map_err(|e| GoldenError::Json(e.to_string()))?;
        if golden.schema != GOLDEN_SCHEMA {
            return Err(GoldenError::Schema(golden.schema));
        }
        if golden.molecules.is_empty() {
            return Err(GoldenError::NoMolecules);
        }
        if let Some((field, value)) = golden.tolerance.unusable() {
            return Err(GoldenError::Tolerance { field, value });
        }
        check_outputs(&golden.outputs, outputs).map_err(GoldenError::Outputs)?;
        for (index, molecule) in golden.molecules.iter().enumerate() {
            molecule.check(outputs).map_err(|why| GoldenError::Molecule {
                index,
                smiles: molecule.smiles.clone(),
                why,
            })?;
        }
        Ok(golden)
    }
}

fn check_outputs(found: &[GoldenOutput], outputs: usize) -> Result<(), String> {
    if !found.is_empty() && found.len() != outputs {
        return Err(format!("there are {}, but the manifest has {outputs}", found.len()));
    }
    for (index, output) in found.iter().enumerate() {
        if output.name.trim().is_empty() {
            return Err(format!("the name of number {index} is empty"));
        }
        if found[..index].iter().any(|earlier| earlier.name == output.name) {
            return Err(format!("\"{}\" occurs twice", output.name));
        }
    }
    Ok(())
}

impl GoldenMolecule {
    fn check(&self, outputs: usize) -> Result<(), String> {
        let found = self.predictions.len();
        if self.smiles.is_empty() {
            return Err("smiles is empty".to_owned());
        }
        if found != outputs {
            return Err(format!("predictions has {found} values, but the manifest has {outputs} outputs"));
        }
        if let Some(bad) = self.predictions.iter().find(|p| !p.is_finite()) {
            return Err(format!("predictions holds {bad}, which is not a finite number"));
        }
        Ok(())
    }
}

impl Tolerance {
    /// The first number that is not finite or below 0, with its name.
    pub(crate) fn unusable(self) -> Option<(&'static str, f64)> {
        let Self { absolute, relative } = self;
        [("absolute", absolute), ("relative", relative)]
            .into_iter()
            .find(|(_, value)| !value.is_finite() || *value < 0.0)
    }

    /// Whether `answer` is close enough to `reference`. NaN never is.
    pub fn accepts(&self, answer: f64, reference: f64) -> bool {
        (answer - reference).abs() <= self.absolute + self.relative * reference.abs()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn golden() -> Value {
        json!({
            "schema": "chemmodel.io/golden/v1", "framework": "torch", "tolerance": {"absolute": 0.01, "relative": 1e-4},
            "outputs": [{"name": "boiling_point", "unit": "K"}],
            "molecules": [{"smiles": "CCO", "ids": [12, 16, 13], "predictions": [351.6]}]
        })
    }

    fn parse(value: &Value, outputs: usize) -> Result<Golden, GoldenError> {
        Golden::parse(value.to_string().as_bytes(), outputs)
    }

    #[test]
    fn the_example_of_the_contract_is_read() {
        let golden = parse(&golden(), 1).unwrap();
        assert_eq!(golden.molecules[0].smiles, "CCO");
        assert_eq!(golden.molecules[0].ids, [12, 16, 13]);
        assert_eq!(golden.outputs, [GoldenOutput { name: "boiling_point".to_owned(), unit: Some("K".to_owned()) }]);
    }

    #[test]
    fn a_file_from_before_outputs_were_written_is_read() {
        let mut older = golden();
        older.as_object_mut().unwrap().remove("outputs");
        assert_eq!(parse(&older, 1).unwrap().outputs, []);
    }

    #[test]
    fn outputs_have_names_and_optional_units_one_for_each_prediction() {
        let mut two = golden();
        two["molecules"][0]["predictions"] = json!([351.6, 0.8]);
        let accepted = |outputs: Value| {
            let mut changed = two.clone();
            changed["outputs"] = outputs;
            parse(&changed, 2).is_ok()
        };
        assert!(accepted(json!([{"name": "a", "unit": "K"}, {"name": "b"}])));
        for wrong in [
            json!([{"name": "a"}]),
            json!([{"name": "a"}, {"name": "a", "unit": "K"}]),
            json!([{"name": "a"}, {"name": " "}]),
            json!([{"name": "a"}, {"unit": "K"}]),
            json!([{"name": "a"}, {"name": "b", "colour": 1}]),
        ] {
            assert!(!accepted(wrong.clone()), "{wrong} was accepted");
        }
    }

    #[test]
    fn evidence_that_proves_nothing_is_refused() {
        let cases = [
            ("/schema", json!("chemmodel.io/golden/v2")),
            ("/molecules", json!([])),
            ("/molecules/0/smiles", json!("")),
            ("/molecules/0/predictions", json!([1.0, 2.0])),
            ("/tolerance/absolute", json!(-1.0)),
            ("/tolerance/relative", json!("wide")),
        ];
        for (field, value) in cases {
            let mut changed = golden();
            *changed.pointer_mut(field).unwrap() = value.clone();
            assert!(parse(&changed, 1).is_err(), "{field} = {value} was accepted");
        }
    }

    #[test]
    fn a_tolerance_grows_with_the_reference_and_never_accepts_nan() {
        let tolerance = Tolerance { absolute: 0.5, relative: 0.25 };
        assert!(tolerance.accepts(-10.0, -8.0));
        assert!(tolerance.accepts(10.5, 8.0));
        assert!(!tolerance.accepts(10.75, 8.0));
        assert!(!tolerance.accepts(f64::NAN, 8.0));
        assert!(!tolerance.accepts(f64::INFINITY, 8.0));
    }
}
