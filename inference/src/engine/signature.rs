//! What a network must take and give for this engine to run it.

use std::borrow::Cow;

use chemmodel_chem::features::chemprop::{ATOM_FEATURES, BOND_FEATURES};
use ort::session::Session;
use ort::value::TensorElementType::{self, Float32, Int64};
use ort::value::{Outlet, ValueType};

use super::refined;

pub(super) const INPUT_IDS: &str = "input_ids";
pub(super) const ATTENTION_MASK: &str = "attention_mask";
/// Exports of BERT ask for it; a single sequence has zeros everywhere.
pub(super) const TOKEN_TYPE_IDS: &str = "token_type_ids";

pub(super) const ATOM: &str = "atom";
pub(super) const BOND: &str = "bond";
pub(super) const CONNECTIVITY: &str = "connectivity";
pub(super) const GRAPH: &str = "graph";
pub(super) const SIZE: &str = "size";

pub(super) const ATOM_GRAPH: &str = "atom_graph";
pub(super) const BOND_GRAPH: &str = "bond_graph";

/// What the networks of a bundle read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Tokens of sequences.
    Sequences,
    /// Chemprop's features of atoms and directed bonds.
    Graphs,
    /// Classes of atoms and directed bonds, refined by so many messages.
    Refined {
        /// At least one.
        messages: usize,
    },
}

/// An input by its name, its elements, and its dimensions, -1 where they must be dynamic.
type Input = (Cow<'static, str>, TensorElementType, &'static [i64]);

#[expect(clippy::cast_possible_wrap, reason = "two small constants")]
const FEATURES: [&[i64]; 2] = [&[-1, ATOM_FEATURES as i64], &[-1, BOND_FEATURES as i64]];

impl Network {
    fn inputs(self) -> Vec<Input> {
        let named = |name: &'static str| (Cow::Borrowed(name), Int64, &[-1][..]);
        match self {
            Self::Sequences => [INPUT_IDS, ATTENTION_MASK].map(|name| (name.into(), Int64, &[-1, -1][..])).into(),
            Self::Graphs => vec![
                (ATOM.into(), Float32, FEATURES[0]),
                (BOND.into(), Float32, FEATURES[1]),
                (CONNECTIVITY.into(), Int64, &[-1, 2]),
                named(GRAPH),
                named(SIZE),
            ],
            Self::Refined { messages } => refined::names(messages)
                .map(|name| (name.into(), Int64, &[-1][..]))
                .chain([ATOM_GRAPH, BOND_GRAPH, SIZE].map(named))
                .collect(),
        }
    }

    fn options(self) -> Vec<Input> {
        match self {
            Self::Sequences => vec![(TOKEN_TYPE_IDS.into(), Int64, &[-1, -1])],
            Self::Graphs | Self::Refined { .. } => vec![],
        }
    }
}

/// Whether the network wants `token_type_ids`; an error when it is not one that this engine can feed.
pub(super) fn check_signature(session: &Session, network: Network, outputs: usize) -> Result<bool, String> {
    check_inputs(session.inputs(), &network.inputs(), &network.options())?;
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
