//! What a network must take and give for this engine to run it.

use chemmodel_bundle::Scheme;
use chemmodel_chem::features::chemprop::{ATOM_FEATURES, BOND_FEATURES};
use ort::session::Session;
use ort::value::TensorElementType::{self, Float32, Int64};
use ort::value::{Outlet, ValueType};

pub(super) const INPUT_IDS: &str = "input_ids";
pub(super) const ATTENTION_MASK: &str = "attention_mask";
/// Exports of BERT ask for it; a single sequence has zeros everywhere.
pub(super) const TOKEN_TYPE_IDS: &str = "token_type_ids";

pub(super) const ATOM: &str = "atom";
pub(super) const BOND: &str = "bond";
pub(super) const CONNECTIVITY: &str = "connectivity";
pub(super) const GRAPH: &str = "graph";
pub(super) const SIZE: &str = "size";

/// An input by its name, its elements, and its dimensions, -1 where they must be dynamic.
type Input = (&'static str, TensorElementType, &'static [i64]);

const SEQUENCE_INPUTS: [Input; 2] = [(INPUT_IDS, Int64, &[-1, -1]), (ATTENTION_MASK, Int64, &[-1, -1])];
const SEQUENCE_OPTIONS: [Input; 1] = [(TOKEN_TYPE_IDS, Int64, &[-1, -1])];
const TOKEN_INPUTS: [Input; 5] = graph_inputs((ATOM, Int64, &[-1]), (BOND, Int64, &[-1]));
#[expect(clippy::cast_possible_wrap, reason = "two small constants")]
const FEATURE_INPUTS: [Input; 5] =
    graph_inputs((ATOM, Float32, &[-1, ATOM_FEATURES as i64]), (BOND, Float32, &[-1, BOND_FEATURES as i64]));

const fn graph_inputs(atom: Input, bond: Input) -> [Input; 5] {
    [atom, bond, (CONNECTIVITY, Int64, &[-1, 2]), (GRAPH, Int64, &[-1]), (SIZE, Int64, &[-1])]
}

/// Whether the network wants `token_type_ids`; an error when it is not one that this engine can feed. A network of sequences has
/// no scheme.
pub(super) fn check_signature(session: &Session, scheme: Option<Scheme>, outputs: usize) -> Result<bool, String> {
    let (required, optional): (&[Input], &[Input]) = match scheme {
        None => (&SEQUENCE_INPUTS, &SEQUENCE_OPTIONS),
        Some(Scheme::NfpV1) => (&TOKEN_INPUTS, &[]),
        Some(Scheme::ChempropV2) => (&FEATURE_INPUTS, &[]),
    };
    check_inputs(session.inputs(), required, optional)?;
    check_output(session.outputs(), outputs)?;
    Ok(session.inputs().iter().any(|input| input.name() == TOKEN_TYPE_IDS))
}

fn check_inputs(inputs: &[Outlet], required: &[Input], optional: &[Input]) -> Result<(), String> {
    for (name, ..) in required {
        if !inputs.iter().any(|input| input.name() == *name) {
            return Err(format!("the network has no input \"{name}\""));
        }
    }
    for input in inputs {
        let Some((name, element, wanted)) = required.iter().chain(optional).find(|(name, ..)| input.name() == *name)
        else {
            return Err(format!("the network asks for an input \"{}\", which the server does not know", input.name()));
        };
        let found = dimensions(input, "input", *element)?;
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
    let shape = dimensions(output, "output", Float32)?;
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
