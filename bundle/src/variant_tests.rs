use serde_json::{Value, json};

use super::*;

const MEMBERS: [&str; 2] = ["a.onnx", "b.onnx"];

fn tolerance() -> Value {
    json!({"absolute": 2.4, "relative": 1e-4})
}

fn manifest(variants: &Value) -> Value {
    let file = json!({"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "bytes": 7});
    let files = ["a.onnx", "b.onnx", "a.int8.onnx", "b.int8.onnx", "a.fp16.onnx", "b.fp16.onnx", "tokenizer.json"];
    let files: serde_json::Map<_, _> = files.into_iter().map(|name| (name.to_owned(), file.clone())).collect();
    json!({
        "schema": "chemmodel.io/bundle/v1", "name": "boiling-point", "architecture": "chemberta", "kind": "sequence",
        "members": MEMBERS, "files": files, "maxLength": 512, "aggregate": "mean",
        "outputs": [{"name": "boiling_point", "transform": "none", "scale": 1.0, "center": 0.0}],
        "variants": variants
    })
}

fn both() -> Value {
    json!({
        "int8": {"members": ["a.int8.onnx", "b.int8.onnx"], "tolerance": tolerance()},
        "fp16": {"members": ["a.fp16.onnx", "b.fp16.onnx"], "tolerance": {"absolute": 0.24, "relative": 0.0}}
    })
}

fn parse(value: &Value) -> Result<Manifest, ManifestError> {
    Manifest::parse(value.to_string().as_bytes())
}

#[test]
fn each_precision_has_its_files_and_its_tolerance() {
    let manifest = parse(&manifest(&both())).unwrap();
    let golden = Tolerance { absolute: 0.01, relative: 1e-4 };
    let names = |precision| manifest.members_in(precision).unwrap().iter().map(BundlePath::as_str).collect::<Vec<_>>();
    assert_eq!(names(Precision::Fp32), MEMBERS);
    assert_eq!(names(Precision::Int8), ["a.int8.onnx", "b.int8.onnx"]);
    assert_eq!(manifest.tolerance_in(Precision::Fp32, golden), Some(golden));
    assert_eq!(manifest.tolerance_in(Precision::Fp16, golden), Some(Tolerance { absolute: 0.24, relative: 0.0 }));
}

#[test]
fn a_bundle_without_variants_is_read_and_written_as_before() {
    let mut older = manifest(&json!({}));
    older.as_object_mut().unwrap().remove("variants");
    let read = parse(&older).unwrap();
    assert_eq!(read.members_in(Precision::Fp32).unwrap().len(), 2);
    assert_eq!(read.members_in(Precision::Int8), None);
    assert_eq!(read.tolerance_in(Precision::Int8, Tolerance { absolute: 1.0, relative: 1.0 }), None);
    assert_eq!(serde_json::to_value(&read).unwrap(), older);
}

#[test]
fn a_manifest_with_variants_is_written_as_it_was_read() {
    assert_eq!(serde_json::to_value(parse(&manifest(&both())).unwrap()).unwrap(), manifest(&both()));
}

#[test]
fn every_broken_rule_is_refused_with_the_field_and_the_remedy() {
    let int8 = |members: Value, tolerance: Value| json!({"int8": {"members": members, "tolerance": tolerance}});
    let right = json!(["a.int8.onnx", "b.int8.onnx"]);
    let cases = [
        (json!({"fp32": both()["int8"]}), "variants: \"fp32\" is what members are"),
        (json!({"int4": both()["int8"]}), "unknown variant `int4`"),
        (
            int8(json!(["a.int8.onnx"]), tolerance()),
            "variants.int8.members: 1 cannot be used; write one ONNX file for each",
        ),
        (
            int8(json!(["a.int8.onnx", "c.onnx"]), tolerance()),
            "variants.int8.members[1]: \"c.onnx\" is not listed in files",
        ),
        (
            int8(json!(["a.int8.onnx", "a.int8.onnx"]), tolerance()),
            "variants.int8.members[1]: \"a.int8.onnx\" occurs twice",
        ),
        (int8(json!(["a.int8.onnx", "b.onnx"]), tolerance()), "variants.int8.members[1]: \"b.onnx\" occurs twice"),
        (
            json!({"int8": both()["int8"], "fp16": both()["int8"]}),
            "variants.fp16.members[0]: \"a.int8.onnx\" occurs twice",
        ),
        (
            int8(right.clone(), json!({"absolute": -1.0, "relative": 0.0})),
            "variants.int8.tolerance.absolute: -1 cannot be used",
        ),
        (int8(right.clone(), json!({"absolute": 1.0})), "missing field `relative`"),
        (json!({"int8": {"members": right}}), "missing field `tolerance`"),
        (json!({"int8": {"members": [], "tolerance": tolerance(), "speed": 2}}), "unknown field `speed`"),
    ];
    for (variants, expected) in cases {
        let error = parse(&manifest(&variants)).expect_err(expected).to_string();
        assert!(error.contains(expected), "expected \"{expected}\" in \"{error}\"");
    }
}

#[test]
fn a_precision_is_written_as_it_is_read() {
    for precision in [Precision::Fp32, Precision::Int8, Precision::Fp16] {
        assert_eq!(precision.to_string().parse(), Ok(precision));
        assert_eq!(serde_json::to_value(precision).unwrap(), json!(precision.as_str()));
    }
    assert_eq!(Precision::default(), Precision::Fp32);
    let error = "INT8".parse::<Precision>().unwrap_err().to_string();
    assert_eq!(error, "\"INT8\" is no precision; write fp32, int8 or fp16");
}
