//! What a network must take and give for this engine to run it.

use chemmodel_bundle::Kind;
use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

pub(super) const INPUT_IDS: &str = "input_ids";
pub(super) const ATTENTION_MASK: &str = "attention_mask";
/// Exports of BERT ask for it; a single sequence has zeros everywhere.
pub(super) const TOKEN_TYPE_IDS: &str = "token_type_ids";

pub(super) const ATOM: &str = "atom";
pub(super) const BOND: &str = "bond";
pub(super) const CONNECTIVITY: &str = "connectivity";
pub(super) const GRAPH: &str = "graph";
pub(super) const SIZE: &str = "size";

/// An input of int64 by its name and its dimensions, -1 where they must be dynamic.
type Input = (&'static str, &'static [i64]);

const SEQUENCE_INPUTS: [Input; 2] = [(INPUT_IDS, &[-1, -1]), (ATTENTION_MASK, &[-1, -1])];
const SEQUENCE_OPTIONS: [Input; 1] = [(TOKEN_TYPE_IDS, &[-1, -1])];
const GRAPH_INPUTS: [Input; 5] =
    [(ATOM, &[-1]), (BOND, &[-1]), (CONNECTIVITY, &[-1, 2]), (GRAPH, &[-1]), (SIZE, &[-1])];

/// Whether the network wants `token_type_ids`; an error when it is not one that this engine can feed.
pub(super) fn check_signature(session: &Session, kind: Kind, outputs: usize) -> Result<bool, String> {
    let (required, optional): (&[Input], &[Input]) = match kind {
        Kind::Sequence => (&SEQUENCE_INPUTS, &SEQUENCE_OPTIONS),
        Kind::Graph => (&GRAPH_INPUTS, &[]),
    };
    check_inputs(session.inputs(), required, optional)?;
    check_output(session.outputs(), outputs)?;
    Ok(session.inputs().iter().any(|input| input.name() == TOKEN_TYPE_IDS))
}

fn check_inputs(inputs: &[Outlet], required: &[Input], optional: &[Input]) -> Result<(), String> {
    for (name, _) in required {
        if !inputs.iter().any(|input| input.name() == *name) {
            return Err(format!("the network has no input \"{name}\""));
        }
    }
    for input in inputs {
        let Some((name, wanted)) = required.iter().chain(optional).find(|(name, _)| input.name() == *name) else {
            return Err(format!("the network asks for an input \"{}\", which the server does not know", input.name()));
        };
        let found = dimensions(input, "input", TensorElementType::Int64)?;
        let fits = |(found, wanted): (&i64, &i64)| *found == -1 || found == wanted;
        if found.len() != wanted.len() || !found.iter().zip(*wanted).all(fits) {
            return Err(format!(
                "the input \"{name}\" has the shape {found:?} instead of {wanted:?}, where -1 must be dynamic"
            ));
        }
    }
    Ok(())
}

fn check_output(found: &[Outlet], outputs: usize) -> Result<(), String> {
    let [output] = found else {
        return Err(format!("the network has {} outputs instead of one", found.len()));
    };
    let name = output.name();
    let shape = dimensions(output, "output", TensorElementType::Float32)?;
    let [_, columns] = shape else {
        return Err(format!("the output \"{name}\" has {} dimensions instead of two", shape.len()));
    };
    if *columns != -1 && usize::try_from(*columns) != Ok(outputs) {
        return Err(format!("the output \"{name}\" has {columns} columns, but chemmodel.json lists {outputs} outputs"));
    }
    Ok(())
}

/// The dimensions of an input or output, -1 where dynamic.
fn dimensions<'a>(outlet: &'a Outlet, role: &str, element: TensorElementType) -> Result<&'a [i64], String> {
    match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } if *ty == element => Ok(shape),
        other => Err(format!("the {role} \"{}\" is {other}, not a tensor of {element:?}", outlet.name())),
    }
}
