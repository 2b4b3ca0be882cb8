//! What a file must be before ONNX Runtime gets it. A network comes from a stranger: the runtime has read files outside of
//! the bundle, and followed addresses, that a file named (onnxruntime#27430, onnxruntime#28709). Pure: bytes in, verdict out.

use bytes::Bytes;
use prost::Message as _;

/// Messages of the format.
#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated from proto/")]
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/onnx.rs"));
}

use proto::tensor_proto::DataLocation;
use proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};

/// Operators that ONNX Runtime has itself.
const DOMAINS: [&str; 4] = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];
/// Far beyond any network of chemistry, and not yet a burden.
const MOST_NODES: usize = 50_000;
/// Loops within conditions within loops.
const MOST_DEPTH: usize = 16;
/// Bytes of an element by the format's number of its type; a type that is not here has no fixed size.
const ELEMENT_BYTES: [(i32, u64); 15] = [
    (1, 4),   // FLOAT
    (2, 1),   // UINT8
    (3, 1),   // INT8
    (4, 2),   // UINT16
    (5, 2),   // INT16
    (6, 4),   // INT32
    (7, 8),   // INT64
    (9, 1),   // BOOL
    (10, 2),  // FLOAT16
    (11, 8),  // DOUBLE
    (12, 4),  // UINT32
    (13, 8),  // UINT64
    (14, 8),  // COMPLEX64
    (15, 16), // COMPLEX128
    (16, 2),  // BFLOAT16
];

/// Says why a file is not given to the runtime. `files` are those of the bundle: tensors may lie in them, and nowhere else.
pub fn inspect(network: Bytes, files: &[&str]) -> Result<(), String> {
    let model = ModelProto::decode(network).map_err(|error| format!("it is not an ONNX file: {error}"))?;
    for set in &model.opset_import {
        check_domain(&set.domain, "the file")?;
    }
    if !model.training_info.is_empty() {
        return Err("it holds training information; export it for inference".to_owned());
    }
    let mut inspector = Inspector { files, nodes: 0 };
    for function in &model.functions {
        inspector.nodes(&function.node, 1)?;
    }
    let graph = model.graph.as_ref().ok_or("it holds no graph")?;
    inspector.graph(graph, 1)
}

struct Inspector<'a> {
    files: &'a [&'a str],
    nodes: usize,
}

impl Inspector<'_> {
    fn graph(&mut self, graph: &GraphProto, depth: usize) -> Result<(), String> {
        if depth > MOST_DEPTH {
            return Err(format!("its graphs are nested more than {MOST_DEPTH} deep"));
        }
        if !graph.sparse_initializer.is_empty() {
            return Err("it has sparse tensors, which are not supported; export it with dense ones".to_owned());
        }
        for tensor in &graph.initializer {
            self.tensor(tensor)?;
        }
        self.nodes(&graph.node, depth)
    }

    fn nodes(&mut self, nodes: &[NodeProto], depth: usize) -> Result<(), String> {
        self.nodes += nodes.len();
        if self.nodes > MOST_NODES {
            return Err(format!("it has more than {MOST_NODES} nodes"));
        }
        for node in nodes {
            check_domain(&node.domain, &format!("its operator {}", node.op_type))?;
            for attribute in &node.attribute {
                self.attribute(attribute, depth)?;
            }
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: &AttributeProto, depth: usize) -> Result<(), String> {
        if attribute.sparse_tensor.is_some() || !attribute.sparse_tensors.is_empty() {
            return Err("it has sparse tensors, which are not supported; export it with dense ones".to_owned());
        }
        for tensor in attribute.t.iter().chain(&attribute.tensors) {
            self.tensor(tensor)?;
        }
        attribute.g.iter().chain(&attribute.graphs).try_for_each(|graph| self.graph(graph, depth + 1))
    }

    fn tensor(&self, tensor: &TensorProto) -> Result<(), String> {
        let name = &tensor.name;
        if tensor.data_location() == DataLocation::External || !tensor.external_data.is_empty() {
            let location = tensor.external_data.iter().find(|entry| entry.key == "location");
            return match location.map(|entry| entry.value.as_str()) {
                Some(location) if self.files.contains(&location) => Ok(()),
                Some(location) => {
                    Err(format!("its tensor \"{name}\" lies in \"{location}\", which is no file of chemmodel.json"))
                }
                None => Err(format!("its tensor \"{name}\" lies outside of it, and it does not say where")),
            };
        }
        let Some((_, size)) = ELEMENT_BYTES.iter().find(|(number, _)| *number == tensor.data_type) else {
            return Ok(());
        };
        if tensor.raw_data.is_empty() {
            return Ok(());
        }
        let elements =
            tensor.dims.iter().try_fold(1_u64, |product, length| product.checked_mul(u64::try_from(*length).ok()?));
        let bytes = elements.and_then(|elements| elements.checked_mul(*size));
        let found = tensor.raw_data.len() as u64;
        if bytes == Some(found) {
            return Ok(());
        }
        Err(format!("its tensor \"{name}\" has {found} bytes, which do not fit its shape {:?}", tensor.dims))
    }
}

fn check_domain(domain: &str, whose: &str) -> Result<(), String> {
    if DOMAINS.contains(&domain) {
        return Ok(());
    }
    Err(format!(
        "{whose} is of the domain \"{domain}\", which this server does not have; export it with standard operators"
    ))
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
