//! Is an answer the right one? Pure: no network, no files, no clock.

use chemmodel_bundle::verification::VerifyReason;
use chemmodel_bundle::{GoldenOutput, Tolerance};
use serde_json::{Map, Value};

use super::answer::About;

/// What every answer must say besides its numbers.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// Digest of the bundle.
    pub digest: &'a str,
    /// Revision of the deployment.
    pub revision: &'a str,
    /// Version of the model.
    pub version: &'a str,
    /// Names and units, in order.
    pub outputs: &'a [GoldenOutput],
}

/// What is wrong with an answer, as a sentence about "it".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The class.
    pub reason: VerifyReason,
    /// Begins with "it".
    pub sentence: String,
}

impl Expectation<'_> {
    /// Who answered, and in which units.
    pub fn check(&self, about: &About) -> Result<(), Fault> {
        let Self { digest, revision, version, outputs } = *self;
        for (what, expected, found) in [
            ("digest", digest, &about.digest),
            ("revision", revision, &about.revision),
            ("version", version, &about.version),
        ] {
            match found.as_deref() {
                Some(found) if found == expected => {}
                Some(found) => {
                    return Err(identity(format!(
                        "it answered as {what} {found}, but {expected} is expected; something else than the candidate \
                         is at this address"
                    )));
                }
                None => {
                    return Err(identity(format!(
                        "it does not say its {what} ({expected} is expected); use an image of the server that does"
                    )));
                }
            }
        }
        let units = units(outputs);
        if about.unit != units {
            let text = |unit: &Option<Value>| unit.as_ref().map_or("no unit".to_owned(), ToString::to_string);
            return Err(outputs_differ(
                &format!("it answered with {}, not {}", text(&about.unit), text(&units)),
                outputs,
            ));
        }
        Ok(())
    }

    /// The numbers of a prediction in the order of the outputs.
    pub fn values(&self, prediction: Option<&Value>) -> Result<Vec<f64>, Fault> {
        let Some(prediction) = prediction else { return Err(no_number("nothing")) };
        match (self.outputs, prediction) {
            ([_], Value::Object(named)) => Err(self.other_names(named)),
            ([_], value) => Ok(vec![number(value)?]),
            (outputs, Value::Object(named)) => {
                if named.len() != outputs.len() {
                    return Err(self.other_names(named));
                }
                let find = |output: &GoldenOutput| named.get(&output.name).ok_or_else(|| self.other_names(named));
                outputs.iter().map(|output| number(find(output)?)).collect()
            }
            (outputs, _) => Err(outputs_differ("it answered one number without a name", outputs)),
        }
    }

    fn other_names(&self, found: &Map<String, Value>) -> Fault {
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        outputs_differ(&format!("it answered the outputs {}", names.join(", ")), self.outputs)
    }
}

/// An error in units of what is allowed, to say which is the worst. Whether it passes, [`Tolerance::accepts`] says.
pub fn deviation(answer: f64, reference: f64, tolerance: Tolerance) -> f64 {
    let error = (answer - reference).abs();
    if error == 0.0 { 0.0 } else { error / allowed(reference, tolerance) }
}

/// The largest error that passes.
pub fn allowed(reference: f64, tolerance: Tolerance) -> f64 {
    tolerance.absolute + tolerance.relative * reference.abs()
}

/// Names and units as a sentence has them.
pub fn describe(outputs: &[GoldenOutput]) -> String {
    let one = |output: &GoldenOutput| match &output.unit {
        Some(unit) => format!("{} in {unit}", output.name),
        None => format!("{} without a unit", output.name),
    };
    outputs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How the server tells the units: alone for one output, by name for several, and not at all when there is none.
fn units(outputs: &[GoldenOutput]) -> Option<Value> {
    if let [output] = outputs {
        return output.unit.clone().map(Value::String);
    }
    let named = outputs.iter().filter_map(|o| Some((o.name.clone(), Value::String(o.unit.clone()?))));
    Some(named.collect::<Map<_, _>>()).filter(|units| !units.is_empty()).map(Value::Object)
}

fn number(value: &Value) -> Result<f64, Fault> {
    value.as_f64().filter(|number| number.is_finite()).ok_or_else(|| no_number(&value.to_string()))
}

fn no_number(found: &str) -> Fault {
    let sentence = format!("it answered {found}, which is no finite number; the network is broken, so export it again");
    Fault { reason: VerifyReason::NotAnswered, sentence }
}

fn identity(sentence: String) -> Fault {
    Fault { reason: VerifyReason::WrongIdentity, sentence }
}

fn outputs_differ(found: &str, expected: &[GoldenOutput]) -> Fault {
    let sentence = format!(
        "{found}; expected is {}: correct outputs in chemmodel.json and export the bundle again",
        describe(expected)
    );
    Fault { reason: VerifyReason::WrongOutputs, sentence }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
