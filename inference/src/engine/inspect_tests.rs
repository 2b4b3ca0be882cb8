use std::path::Path;

use super::proto::{FunctionProto, OperatorSetIdProto, SparseTensorProto, StringStringEntryProto, TrainingInfoProto};
use super::*;

const FILES: [&str; 2] = ["model.onnx", "weights.bin"];

fn tensor(dims: &[i64], bytes: usize) -> TensorProto {
    TensorProto {
        name: "weights".to_owned(),
        dims: dims.to_vec(),
        data_type: 1,
        raw_data: vec![0; bytes].into(),
        ..TensorProto::default()
    }
}

fn in_file(location: &str) -> TensorProto {
    let external_data = vec![StringStringEntryProto { key: "location".to_owned(), value: location.to_owned() }];
    let location = DataLocation::External.into();
    TensorProto { external_data, data_location: location, raw_data: Bytes::new(), ..tensor(&[1], 0) }
}

fn with(initializer: Vec<TensorProto>) -> GraphProto {
    GraphProto { initializer, ..GraphProto::default() }
}

fn node(domain: &str, attribute: AttributeProto) -> NodeProto {
    NodeProto {
        op_type: "MatMul".to_owned(),
        domain: domain.to_owned(),
        attribute: vec![attribute],
        ..NodeProto::default()
    }
}

fn of(graph: GraphProto) -> ModelProto {
    ModelProto { graph: Some(graph), ..ModelProto::default() }
}

fn verdict(model: &ModelProto) -> Result<(), String> {
    inspect(model.encode_to_vec().into(), &FILES)
}

fn refused(graph: GraphProto) -> String {
    verdict(&of(graph)).unwrap_err()
}

#[test]
fn the_committed_networks_pass() {
    for version in ["v1", "v2"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/models/boiling-point").join(version);
        let network = std::fs::read(path.join("model.onnx")).unwrap();
        assert_eq!(inspect(network.into(), &["model.onnx"]), Ok(()), "{version}");
    }
}

#[test]
fn what_is_no_onnx_file_is_refused() {
    assert!(inspect(Bytes::from_static(b"\xff\xff"), &FILES).unwrap_err().contains("not an ONNX file"));
    assert!(inspect(Bytes::new(), &FILES).unwrap_err().contains("no graph"));
}

#[test]
fn tensors_lie_in_the_bundle_or_nowhere() {
    assert_eq!(verdict(&of(with(vec![in_file("weights.bin")]))), Ok(()));
    for location in ["/etc/passwd", "../weights.bin", "./weights.bin", "*/_ORT_MEM_ADDR_/*", ""] {
        assert!(refused(with(vec![in_file(location)])).contains("no file of chemmodel.json"), "{location}");
    }
    let nowhere = TensorProto { data_location: DataLocation::External.into(), ..tensor(&[1], 0) };
    assert!(refused(with(vec![nowhere])).contains("does not say where"));
    // The runtime has believed entries of a tensor that does not call itself external.
    let hidden = TensorProto { data_location: DataLocation::Default.into(), ..in_file("/etc/passwd") };
    assert!(refused(with(vec![hidden])).contains("/etc/passwd"));
}

#[test]
fn a_tensor_in_a_subgraph_or_an_attribute_is_seen_too() {
    let attribute = AttributeProto { t: Some(in_file("/etc/passwd")), ..AttributeProto::default() };
    let nested = AttributeProto { g: Some(with(vec![in_file("/etc/passwd")])), ..AttributeProto::default() };
    for attribute in [attribute.clone(), nested] {
        let graph = GraphProto { node: vec![node("", attribute)], ..GraphProto::default() };
        assert!(refused(graph).contains("/etc/passwd"));
    }
    let function = FunctionProto { name: "f".to_owned(), node: vec![node("", attribute)] };
    let model = ModelProto { functions: vec![function], ..of(GraphProto::default()) };
    assert!(verdict(&model).unwrap_err().contains("/etc/passwd"));
}

#[test]
fn a_tensor_has_as_many_bytes_as_its_shape_says() {
    assert_eq!(verdict(&of(with(vec![tensor(&[2, 3], 24)]))), Ok(()));
    for (dims, bytes) in [(vec![2, 3], 20), (vec![-1], 4), (vec![i64::MAX, i64::MAX], 4), (vec![], 8)] {
        assert!(refused(with(vec![tensor(&dims, bytes)])).contains("do not fit"), "{dims:?}");
    }
}

#[test]
fn operators_are_those_of_the_runtime() {
    for domain in DOMAINS {
        let graph = GraphProto { node: vec![node(domain, AttributeProto::default())], ..GraphProto::default() };
        assert_eq!(verdict(&of(graph)), Ok(()), "{domain}");
    }
    let graph = GraphProto { node: vec![node("evil", AttributeProto::default())], ..GraphProto::default() };
    assert!(refused(graph).contains("MatMul"));
    let set = OperatorSetIdProto { domain: "evil".to_owned(), version: 1 };
    let model = ModelProto { opset_import: vec![set], ..of(GraphProto::default()) };
    assert!(verdict(&model).unwrap_err().contains("\"evil\""));
}

#[test]
fn what_no_network_needs_is_refused() {
    let sparse = GraphProto { sparse_initializer: vec![SparseTensorProto {}], ..GraphProto::default() };
    assert!(refused(sparse).contains("sparse"));
    let model = ModelProto { training_info: vec![TrainingInfoProto {}], ..of(GraphProto::default()) };
    assert!(verdict(&model).unwrap_err().contains("training"));
    let mut deep = GraphProto::default();
    for _ in 0..MOST_DEPTH {
        let attribute = AttributeProto { g: Some(deep), ..AttributeProto::default() };
        deep = GraphProto { node: vec![node("", attribute)], ..GraphProto::default() };
    }
    assert!(refused(deep).contains("deep"));
    let many = GraphProto { node: vec![NodeProto::default(); MOST_NODES + 1], ..GraphProto::default() };
    assert!(refused(many).contains("nodes"));
}
