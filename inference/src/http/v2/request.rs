//! From a body to the tensors in it.

use std::collections::HashSet;
use std::fmt;

use axum::http::HeaderMap;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::http::body;
use crate::infer::contract::{BYTES, INPUT};
use crate::infer::raw;
use crate::infer::tensor::Input;

/// Bytes of JSON at the beginning of a body that goes on with tensors; 0 when there is no JSON at all.
pub(super) const HEADER_LENGTH: &str = "inference-header-content-length";

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: Option<String>,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<String>,
    pub(super) binary: Binary,
}

/// Which outputs a client wants as bytes.
#[derive(Debug, Default)]
pub(super) struct Binary {
    /// Of those that say nothing themselves.
    default: bool,
    yes: HashSet<String>,
    no: HashSet<String>,
}

impl Binary {
    pub(super) fn wants(&self, output: &str) -> bool {
        self.yes.contains(output) || (self.default && !self.no.contains(output))
    }
}

#[derive(Deserialize)]
struct RequestBody {
    id: Option<String>,
    #[serde(default)]
    parameters: RequestParameters,
    inputs: Vec<InputBody>,
    #[serde(default)]
    outputs: Vec<OutputBody>,
}

/// Parameters that this server does not know are for others, and ignored; so the protocol has it.
#[derive(Deserialize, Default)]
struct RequestParameters {
    #[serde(default)]
    binary_data_output: bool,
}

#[derive(Deserialize)]
struct InputBody {
    name: String,
    datatype: String,
    shape: Vec<i64>,
    #[serde(default)]
    parameters: InputParameters,
    data: Option<Elements>,
}

#[derive(Deserialize, Default)]
struct InputParameters {
    binary_data_size: Option<usize>,
}

#[derive(Deserialize)]
struct OutputBody {
    name: String,
    #[serde(default)]
    parameters: OutputParameters,
}

#[derive(Deserialize, Default)]
struct OutputParameters {
    binary_data: Option<bool>,
}

/// Reads a body; the error is a sentence.
pub(super) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Asked, String> {
    let Some(length) = headers.get(HEADER_LENGTH) else { return structured(body, Bytes::new()) };
    let length: usize = body::text(length)
        .parse()
        .map_err(|_| format!("the header {HEADER_LENGTH} is \"{}\"; send a number of bytes", body::text(length)))?;
    if length > body.len() {
        return Err(format!("the header {HEADER_LENGTH} says {length}, but the body has {} bytes", body.len()));
    }
    if length == 0 { Ok(unstructured(body)) } else { structured(&body[..length], body.slice(length..)) }
}

/// A body without JSON is one molecule as it is, and its whole answer is binary too.
fn unstructured(body: &Bytes) -> Asked {
    let input =
        Input { name: INPUT.to_owned(), datatype: BYTES.to_owned(), shape: vec![1], elements: vec![body.to_vec()] };
    let binary = Binary { default: true, ..Binary::default() };
    Asked { id: None, inputs: vec![input], outputs: Vec::new(), binary }
}

fn structured(json: &[u8], mut tensors: Bytes) -> Result<Asked, String> {
    let request: RequestBody = serde_json::from_slice(json).map_err(|error| {
        let what = if error.is_data() { "is not an inference request" } else { "is not JSON" };
        format!(
            "the body {what}: {error}; send {{\"inputs\":[{{\"name\":\"{INPUT}\",\"datatype\":\"{BYTES}\",\"shape\":[1],\"data\":[\"CCO\"]}}]}}"
        )
    })?;
    let mut inputs = Vec::with_capacity(request.inputs.len());
    for input in request.inputs {
        inputs.push(input.read(&mut tensors)?);
    }
    if !tensors.is_empty() {
        return Err(format!("{} bytes are left behind the tensors of the body", tensors.len()));
    }
    let mut binary = Binary { default: request.parameters.binary_data_output, ..Binary::default() };
    for OutputBody { name, parameters } in &request.outputs {
        match parameters.binary_data {
            Some(true) => binary.yes.insert(name.clone()),
            Some(false) => binary.no.insert(name.clone()),
            None => false,
        };
    }
    let outputs = request.outputs.into_iter().map(|output| output.name).collect();
    Ok(Asked { id: request.id, inputs, outputs, binary })
}

impl InputBody {
    fn read(self, tensors: &mut Bytes) -> Result<Input, String> {
        let Self { name, datatype, shape, parameters, data } = self;
        let elements = match (parameters.binary_data_size, data) {
            (None, Some(Elements(elements))) => elements,
            (Some(size), None) if size <= tensors.len() => {
                raw::texts(tensors.split_to(size)).map_err(|why| format!("the input \"{name}\": {why}"))?
            }
            (Some(size), None) => {
                let left = tensors.len();
                return Err(format!(
                    "the input \"{name}\" says that it has {size} bytes, but {left} are left in the body"
                ));
            }
            (None, None) => return Err(format!("the input \"{name}\" has no data; send it as a list")),
            (Some(_), Some(_)) => {
                return Err(format!("the input \"{name}\" has both data and binary_data_size; send one of them"));
            }
        };
        Ok(Input { name, datatype, shape, elements })
    }
}

/// The strings of a list of lists, one after another.
struct Elements(Vec<Vec<u8>>);

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;

        impl<'de> Visitor<'de> for ListVisitor {
            type Value = Elements;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings in \"data\"")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Elements, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    match element {
                        Element::Text(text) => elements.push(text),
                        Element::List(list) => elements.extend(list),
                    }
                }
                Ok(Elements(elements))
            }
        }

        deserializer.deserialize_seq(ListVisitor)
    }
}

/// An element of the outer list: a molecule, or a row with one.
enum Element {
    Text(Vec<u8>),
    List(Vec<Vec<u8>>),
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementVisitor;

        impl<'de> Visitor<'de> for ElementVisitor {
            type Value = Element;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("every element of \"data\" to be a string, or a list of strings")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Element, E> {
                Ok(Element::Text(text.as_bytes().to_vec()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Element, A::Error> {
                let mut texts: Vec<Vec<u8>> = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    texts.push(text.into_bytes());
                }
                Ok(Element::List(texts))
            }
        }

        deserializer.deserialize_any(ElementVisitor)
    }
}
