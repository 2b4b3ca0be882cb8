//! What a network must take and give for this engine to run it.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

pub(super) const INPUT_IDS: &str = "input_ids";
pub(super) const ATTENTION_MASK: &str = "attention_mask";
/// Exports of BERT ask for it; a single sequence has zeros everywhere.
pub(super) const TOKEN_TYPE_IDS: &str = "token_type_ids";

/// Whether the network wants `token_type_ids`; an error when it is not one that this engine can feed.
pub(super) fn check_signature(session: &Session, outputs: usize) -> Result<bool, String> {
    let inputs = session.inputs();
    for required in [INPUT_IDS, ATTENTION_MASK] {
        if !inputs.iter().any(|i| i.name() == required) {
            return Err(format!("the network has no input \"{required}\""));
        }
    }
    for input in inputs {
        if ![INPUT_IDS, ATTENTION_MASK, TOKEN_TYPE_IDS].contains(&input.name()) {
            return Err(format!("the network asks for an input \"{}\", which the server does not know", input.name()));
        }
        let dimensions = tensor(input, "input", TensorElementType::Int64)?;
        if dimensions.iter().any(|d| *d != -1) {
            return Err(format!(
                "the input \"{}\" has the fixed shape {dimensions:?}; batch and length must be dynamic",
                input.name()
            ));
        }
    }
    let [output] = session.outputs() else {
        return Err(format!("the network has {} outputs instead of one", session.outputs().len()));
    };
    let columns = tensor(output, "output", TensorElementType::Float32)?[1];
    if columns != -1 && usize::try_from(columns) != Ok(outputs) {
        return Err(format!(
            "the output \"{}\" has {columns} columns, but chemmodel.json lists {outputs} outputs",
            output.name()
        ));
    }
    Ok(inputs.iter().any(|i| i.name() == TOKEN_TYPE_IDS))
}

/// The two dimensions of an input or output, -1 where dynamic.
fn tensor(outlet: &Outlet, role: &str, element: TensorElementType) -> Result<[i64; 2], String> {
    match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } if *ty == element => shape[..]
            .try_into()
            .map_err(|_| format!("the {role} \"{}\" has {} dimensions instead of two", outlet.name(), shape.len())),
        other => Err(format!("the {role} \"{}\" is {other}, not a tensor of {element:?}", outlet.name())),
    }
}
