//! Tensors as bytes, the same in HTTP's binary extension and in gRPC's raw contents: little endian, row-major. An
//! element of BYTES is its length (four bytes) and then itself.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::OutputData;

const LENGTH_BYTES: usize = size_of::<u32>();

/// Why bytes are no tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RawError {
    /// Less than a length is left.
    #[error("{left} bytes are left where the length of element {element} should be; it has four")]
    NoLength {
        /// Counted from 0.
        element: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Less than an element is left.
    #[error("element {element} says that it has {length} bytes, but {left} are left")]
    Truncated {
        /// Counted from 0.
        element: usize,
        /// What it says.
        length: usize,
        /// Bytes that are left.
        left: usize,
    },
}

/// The elements of a BYTES tensor.
pub fn texts(mut raw: Bytes) -> Result<Vec<Vec<u8>>, RawError> {
    let mut elements = Vec::new();
    while raw.has_remaining() {
        let (element, left) = (elements.len(), raw.remaining());
        if left < LENGTH_BYTES {
            return Err(RawError::NoLength { element, left });
        }
        let length = raw.get_u32_le() as usize;
        if length > raw.remaining() {
            return Err(RawError::Truncated { element, length, left: raw.remaining() });
        }
        elements.push(raw.split_to(length).to_vec());
    }
    Ok(elements)
}

/// A tensor of an answer as bytes.
pub fn write(data: &OutputData) -> Bytes {
    let mut raw = BytesMut::new();
    match data {
        OutputData::Values(values) => {
            raw.reserve(size_of_val(values.as_slice()));
            for value in values {
                raw.put_f32_le(*value);
            }
        }
        OutputData::Texts(texts) => {
            for text in texts {
                // A reason is a sentence.
                raw.put_u32_le(u32::try_from(text.len()).unwrap_or(u32::MAX));
                raw.put_slice(text.as_bytes());
            }
        }
    }
    raw.freeze()
}
