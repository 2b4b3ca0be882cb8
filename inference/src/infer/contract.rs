//! What the model takes and gives, as its metadata tells it.

use chemmodel_bundle::Output;

use super::Fault;

/// The input: SMILES, one for each element.
pub const INPUT: &str = "smiles";
/// The output that is given only to those who ask for it by name: why a row has no answer.
pub const ERROR: &str = "error";
/// Datatype of text.
pub const BYTES: &str = "BYTES";
/// Datatype of predictions.
pub const FP32: &str = "FP32";
/// What runs the model, in the protocol's words for ONNX Runtime with a model in the ONNX format.
pub const PLATFORM: &str = "onnx_onnxv1";
/// Extensions of the protocol that this server has.
pub const EXTENSIONS: [&str; 1] = ["binary_tensor_data"];
/// Shape of every tensor: any number of molecules.
pub const SHAPE: [i64; 1] = [-1];

/// An output of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The model's, by its column.
    Model(usize),
    /// [`ERROR`].
    Error,
}

/// Every output with its datatype, in the order of an answer to a client that names none; [`ERROR`] is the last.
pub fn outputs(outputs: &[Output]) -> impl Iterator<Item = (&str, &'static str)> {
    outputs.iter().map(|output| (output.name.as_str(), FP32)).chain([(ERROR, BYTES)])
}

/// The outputs that a request names, or those of the model when it names none.
pub fn select(outputs: &[Output], names: &[String]) -> Result<Vec<Wanted>, Fault> {
    if names.is_empty() {
        return Ok((0..outputs.len()).map(Wanted::Model).collect());
    }
    let mut wanted = Vec::with_capacity(names.len());
    for name in names {
        let output = match outputs.iter().position(|output| output.name == *name) {
            Some(column) => Wanted::Model(column),
            None if name == ERROR => Wanted::Error,
            None => return Err(unknown(outputs, name)),
        };
        if wanted.contains(&output) {
            return Err(Fault::Invalid(format!("the output \"{name}\" is asked for twice; ask once")));
        }
        wanted.push(output);
    }
    Ok(wanted)
}

fn unknown(outputs: &[Output], name: &str) -> Fault {
    let known: Vec<_> = self::outputs(outputs).map(|(name, _)| format!("\"{name}\"")).collect();
    Fault::Invalid(format!("the model has no output \"{name}\"; it has {}", known.join(", ")))
}
