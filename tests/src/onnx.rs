//! The weights inside an ONNX file, changed where they lie: a file of the same size that any runtime loads, with other answers.
//!
//! Only as much of Protocol Buffers as that needs: `ModelProto.graph` (7), `GraphProto.initializer` (5), `TensorProto.name` (8) and
//! `.raw_data` (9).

use std::ops::Range;

use anyhow::{Context as _, Result, ensure};

const GRAPH: u64 = 7;
const INITIALIZER: u64 = 5;
const NAME: u64 = 8;
const RAW_DATA: u64 = 9;

/// Changes the numbers of a float tensor: `change` gets the position and the number.
pub fn change_weights(model: &mut [u8], tensor: &str, mut change: impl FnMut(usize, f32) -> f32) -> Result<()> {
    let place = find(model, tensor)?.with_context(|| format!("model.onnx has no tensor {tensor}"))?;
    ensure!(!place.is_empty() && place.len() % 4 == 0, "tensor {tensor} is not made of 32-bit numbers");
    for (position, number) in model[place].chunks_exact_mut(4).enumerate() {
        let before = f32::from_le_bytes([number[0], number[1], number[2], number[3]]);
        number.copy_from_slice(&change(position, before).to_le_bytes());
    }
    Ok(())
}

/// Where the numbers of a tensor lie.
fn find(model: &[u8], tensor: &str) -> Result<Option<Range<usize>>> {
    for graph in messages(model, 0..model.len(), GRAPH)? {
        for initializer in messages(model, graph, INITIALIZER)? {
            let name = messages(model, initializer.clone(), NAME)?.pop().unwrap_or_default();
            if &model[name] == tensor.as_bytes() {
                return Ok(messages(model, initializer, RAW_DATA)?.pop());
            }
        }
    }
    Ok(None)
}

/// The places of all fields with this number and a length, within a message.
fn messages(bytes: &[u8], within: Range<usize>, wanted: u64) -> Result<Vec<Range<usize>>> {
    let mut found = Vec::new();
    let mut at = within.start;
    while at < within.end {
        let tag = varint(bytes, &mut at)?;
        let length = match tag & 7 {
            0 => {
                varint(bytes, &mut at)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(bytes, &mut at)?)?,
            5 => 4,
            other => anyhow::bail!("model.onnx has a field of wire type {other}"),
        };
        let end = at.checked_add(length).filter(|end| *end <= within.end).context("model.onnx is cut off")?;
        if tag >> 3 == wanted && tag & 7 == 2 {
            found.push(at..end);
        }
        at = end;
    }
    Ok(found)
}

fn varint(bytes: &[u8], at: &mut usize) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).context("model.onnx is cut off")?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    anyhow::bail!("model.onnx has a number that does not end")
}
