//! From the tensors of a request to molecules.

use super::Fault;
use super::contract::{BYTES, INPUT};

/// A tensor that was sent.
#[derive(Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its datatype, as it was written.
    pub datatype: String,
    /// Its shape, as it was written.
    pub shape: Vec<i64>,
    /// Its elements, in row-major order; nested lists are flat by now.
    pub elements: Vec<Vec<u8>>,
}

/// The molecules of a request, and the shape that its answer has.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// One for each row.
    pub molecules: Vec<String>,
    /// `[N]` or `[N, 1]`.
    pub shape: Vec<i64>,
}

/// Reads the one input of the model.
pub fn read(inputs: Vec<Input>) -> Result<Column, Fault> {
    let invalid = |sentence: String| Err(Fault::Invalid(sentence));
    let count = inputs.len();
    let mut inputs = inputs.into_iter();
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return invalid(format!("the request has {count} inputs; send one, \"{INPUT}\""));
    };
    if input.name != INPUT {
        return invalid(format!("the model has no input \"{}\"; it has \"{INPUT}\"", input.name));
    }
    if input.datatype != BYTES {
        return invalid(format!("the input \"{INPUT}\" has the datatype {}; send {BYTES}", input.datatype));
    }
    let rows = rows(&input.shape)?;
    if rows != input.elements.len() {
        let (found, shape) = (input.elements.len(), &input.shape);
        return invalid(format!("the input \"{INPUT}\" has the shape {shape:?} and {found} elements; they must agree"));
    }
    let mut molecules = Vec::with_capacity(rows);
    for (row, element) in input.elements.into_iter().enumerate() {
        match String::from_utf8(element) {
            Ok(molecule) => molecules.push(molecule),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                return invalid(format!("{INPUT}[{row}] is not UTF-8 from its byte {at} on; send printable ASCII"));
            }
        }
    }
    Ok(Column { molecules, shape: input.shape })
}

/// Rows of a shape, which must be a column.
fn rows(shape: &[i64]) -> Result<usize, Fault> {
    let ([rows] | [rows, 1]) = shape else {
        return Err(Fault::Invalid(format!("the input \"{INPUT}\" has the shape {shape:?}; send [N] or [N, 1]")));
    };
    usize::try_from(*rows).map_err(|_| {
        Fault::Invalid(format!("the input \"{INPUT}\" has the shape {shape:?}; a length is never negative"))
    })
}
