use serde_json::{Value, json};

use super::*;

fn example() -> Value {
    let sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    json!({
        "schema": "chemmodel.io/bundle/v1",
        "name": "boiling-point",
        "architecture": "chemberta",
        "kind": "sequence",
        "members": ["model.onnx"],
        "files": {
            "golden.json": {"sha256": sha, "bytes": 8123},
            "model.onnx": {"sha256": sha, "bytes": 13_371_337},
            "tokenizer.json": {"sha256": sha, "bytes": 4321}
        },
        "maxLength": 512,
        "outputs": [{
            "name": "boiling_point", "property": "normal boiling point", "unit": "K",
            "transform": "none", "scale": 78.9, "center": 468.2
        }],
        "aggregate": "mean",
        "provenance": {"data": "Yaws", "metrics": {"mae": 12.3, "anything": [1, 2]}}
    })
}

fn parse(value: &Value) -> Result<Manifest, ManifestError> {
    Manifest::parse(value.to_string().as_bytes())
}

fn with(field: &str, value: Value) -> Value {
    let mut manifest = example();
    let (parent, key) = field.rsplit_once('/').unwrap();
    let parent = manifest.pointer_mut(parent).unwrap();
    match parent {
        Value::Object(fields) => drop(fields.insert(key.replace("~1", "/"), value)),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        other => panic!("{field} is below {other}"),
    }
    manifest
}

fn without(field: &str) -> Value {
    let mut manifest = example();
    let (parent, key) = field.rsplit_once('/').unwrap();
    manifest.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    manifest
}

#[test]
fn the_example_of_the_contract_is_read() {
    let manifest = parse(&example()).unwrap();
    assert_eq!(manifest.name, "boiling-point");
    assert_eq!(manifest.max_length, 512);
    assert_eq!(manifest.total_bytes(), 8123 + 13_371_337 + 4321);
    assert_eq!(manifest.outputs[0].unit.as_deref(), Some("K"));
    assert_eq!(serde_json::to_value(&manifest).unwrap(), example());
}

#[test]
fn a_graph_model_needs_its_features_and_no_tokenizer() {
    let mut graph = with("/kind", json!("graph"));
    let files = graph["files"].as_object_mut().unwrap();
    let entry = files.remove("tokenizer.json").unwrap();
    files.insert("features.json".to_owned(), entry);
    let manifest = parse(&graph).unwrap();
    assert_eq!(manifest.kind, Kind::Graph);
    assert_eq!(serde_json::to_value(&manifest).unwrap(), graph);
}

#[test]
fn provenance_is_free_form_and_may_be_missing() {
    assert!(parse(&without("/provenance")).is_ok());
    assert!(parse(&with("/provenance", json!(["any", {"thing": null}]))).is_ok());
}

#[test]
fn every_broken_rule_is_refused_with_the_field_and_the_remedy() {
    let file = json!({"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "bytes": 1});
    let output = example()["outputs"][0].clone();
    let cases = [
        (with("/schema", json!("chemmodel.io/bundle/v2")), "schema: \"chemmodel.io/bundle/v2\" is not known"),
        (with("/name", json!(" ")), "name: the text is empty"),
        (with("/architecture", json!("")), "architecture: the text is empty"),
        (with("/kind", json!("image")), "unknown variant `image`"),
        (with("/kind", json!("graph")), "kind: graph: \"features.json\" is not listed in files"),
        (with("/members", json!([])), "members: the list is empty"),
        (with("/members/0", json!("other.onnx")), "members[0]: \"other.onnx\" is not listed in files"),
        (with("/members", json!(["model.onnx", "model.onnx"])), "members[1]: \"model.onnx\" occurs twice"),
        (with("/members/0", json!("../model.onnx")), "\"../model.onnx\" is not a safe relative path"),
        (with("/files/model.onnx/bytes", json!(0)), "files[\"model.onnx\"].bytes: 0 cannot be used"),
        (with("/files/model.onnx/sha256", json!("BA78")), "\"BA78\" is not 64 lower-case hex digits"),
        (with("/files/model.onnx/bytes", json!(-1)), "invalid value: integer `-1`"),
        (with("/files/a~1..~1b", file.clone()), "\"a/../b\" is not a safe relative path"),
        (with("/files/model.onnx~1b", file.clone()), "\"model.onnx\" is a file and also a directory"),
        (with("/files/chemmodel.json~1b", file.clone()), "\"chemmodel.json\" is a file and also a directory"),
        (with("/files/chemmodel.json", file), "chemmodel.json lists itself"),
        (without("/files/tokenizer.json"), "kind: sequence: \"tokenizer.json\" is not listed in files"),
        (with("/maxLength", json!(0)), "maxLength: 0 cannot be used"),
        (with("/outputs", json!([])), "outputs: the list is empty"),
        (with("/outputs/0/name", json!("")), "outputs[0].name: the text is empty"),
        (with("/outputs", json!([output, output])), "outputs[1].name: \"boiling_point\" occurs twice"),
        (with("/outputs/0/scale", json!(0.0)), "outputs[0].scale: 0 cannot be used"),
        (with("/outputs/0/transform", json!("sqrt")), "unknown variant `sqrt`"),
        (with("/outputs/0/colour", json!("red")), "unknown field `colour`"),
        (with("/aggregate", json!("median")), "unknown variant `median`"),
        (with("/extra", json!(1)), "unknown field `extra`"),
        (without("/maxLength"), "missing field `maxLength`"),
    ];
    for (manifest, expected) in cases {
        let error = parse(&manifest).expect_err(expected).to_string();
        assert!(error.contains(expected), "expected \"{expected}\" in \"{error}\"");
    }
}

#[test]
fn a_number_that_json_cannot_hold_is_refused() {
    let text = example().to_string().replace("78.9", "1e999");
    assert!(Manifest::parse(text.as_bytes()).is_err());
}

#[test]
fn the_error_of_broken_json_names_the_position() {
    let error = Manifest::parse(b"{\n\"schema\": }").unwrap_err().to_string();
    assert!(error.contains("line 2 column"), "{error}");
}

#[test]
fn the_manifest_of_a_plain_export_is_always_the_same_bytes() {
    let files = || -> BTreeMap<_, _> {
        ["model.onnx", "config.json", "tokenizer.json"]
            .map(|f| (f.parse().unwrap(), FileEntry { sha256: Sha256Hex::of(f.as_bytes()), bytes: 7 }))
            .into()
    };
    let write = || Manifest::for_plain_sequence("v1", "roberta", "model.onnx".parse().unwrap(), files(), 512).unwrap();
    let (bytes, manifest) = write();
    assert_eq!(bytes, write().0);
    assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
    assert_eq!(manifest.outputs[0].name, "prediction");
}
