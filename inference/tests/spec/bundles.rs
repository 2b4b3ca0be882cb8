//! Which bundles the server refuses to serve, and in which words. Each test breaks a copy of the committed bundle in
//! one place.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use chemmodel_bundle::BundleDigest;
use chemmodel_inference::args::Args;
use chemmodel_inference::http::App;
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::startup;
use serde_json::json;

use crate::support::bundle::{Copy, args, committed, replace};

/// The sentence with which loading fails.
fn refusal(args: &Args) -> String {
    let app = App::new(Arc::new(Metrics::new("m", "v", "").unwrap()));
    let refused = startup::load(args, &app).err().map(|why| why.to_string());
    assert!(app.service.get().is_none());
    refused.expect("the bundle was served")
}

fn assert_refused(bundle: &Path, words: &[&str]) {
    let sentence = refusal(&args(bundle, &[]));
    for word in words {
        assert!(sentence.contains(word), "{word:?} is missing in: {sentence}");
    }
}

#[test]
fn a_bundle_with_another_digest_than_the_one_asked_for() {
    let asked = format!("sha256:{}", "0".repeat(64));
    let sentence = refusal(&args(&committed(), &["--digest", &asked]));
    let found = BundleDigest::of(&fs::read(committed().join("chemmodel.json")).unwrap()).to_string();
    assert!(sentence.contains(&asked) && sentence.contains(&found), "{sentence}");
}

#[test]
fn a_directory_without_a_manifest() {
    let empty = tempfile::tempdir().unwrap();
    assert_refused(empty.path(), &["chemmodel.json", "No such file", "--bundle"]);
}

#[test]
fn a_manifest_that_breaks_the_contract() {
    let bundle = Copy::new();
    bundle.edit_manifest(|manifest| manifest["outputs"] = json!([]));
    assert_refused(bundle.path(), &["chemmodel.json", "outputs"]);
}

#[test]
fn a_listed_file_that_is_missing() {
    let bundle = Copy::new();
    fs::remove_file(bundle.path().join("tokenizer.json")).unwrap();
    assert_refused(bundle.path(), &["tokenizer.json", "No such file"]);
}

#[test]
fn a_file_that_was_cut_short() {
    let bundle = Copy::new();
    bundle.edit("model.onnx", |bytes| bytes.truncate(1000));
    assert_refused(bundle.path(), &["model.onnx", "1000 bytes", "sync"]);
}

#[test]
fn a_file_in_which_one_bit_changed() {
    let bundle = Copy::new();
    bundle.edit("model.onnx", |bytes| bytes[5000] ^= 1);
    assert_refused(bundle.path(), &["model.onnx", "SHA-256"]);
}

#[test]
fn a_tokenizer_that_is_none() {
    let bundle = Copy::new();
    bundle.edit("tokenizer.json", |bytes| *bytes = b"{}".to_vec()).pin();
    assert_refused(bundle.path(), &["tokenizer.json", "export the bundle again"]);
}

#[test]
fn a_tokenizer_that_does_not_know_carbon() {
    let bundle = Copy::new();
    bundle
        .edit("tokenizer.json", |bytes| {
            let mut tokenizer: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            assert!(tokenizer["model"]["vocab"].as_object_mut().unwrap().remove("C").is_some());
            *bytes = serde_json::to_vec(&tokenizer).unwrap();
        })
        .pin();
    assert_refused(bundle.path(), &["tokenizer.json", "methane"]);
}

#[test]
fn a_network_that_is_none() {
    let bundle = Copy::new();
    bundle.edit("model.onnx", |bytes| *bytes = b"not a network".to_vec()).pin();
    assert_refused(bundle.path(), &["model.onnx", "not an ONNX file"]);
}

#[test]
fn a_network_of_operators_that_nobody_has() {
    let bundle = Copy::new();
    bundle.edit("model.onnx", |bytes| replace(bytes, b"MatMul", b"Matmul")).pin();
    assert_refused(bundle.path(), &["model.onnx", "ONNX Runtime refuses", "Matmul"]);
}

#[test]
fn a_network_with_another_input() {
    let bundle = Copy::new();
    bundle.edit("model.onnx", |bytes| replace(bytes, b"attention_mask", b"atomic_numbers")).pin();
    assert_refused(bundle.path(), &["model.onnx", "no input \"attention_mask\"", "docs/bundle.md"]);
}

#[test]
fn a_network_with_another_number_of_columns() {
    let bundle = Copy::new();
    bundle.edit_manifest(|manifest| {
        let mut second = manifest["outputs"][0].clone();
        second["name"] = json!("second");
        manifest["outputs"].as_array_mut().unwrap().push(second);
    });
    assert_refused(bundle.path(), &["model.onnx", "2 outputs"]);
}

#[test]
fn a_network_that_takes_less_than_the_manifest_promises() {
    let bundle = Copy::new();
    bundle.edit_manifest(|manifest| manifest["maxLength"] = json!(4096));
    assert_refused(bundle.path(), &["warm-up", "maxLength", "4096"]);
}

#[test]
fn a_runtime_that_is_missing_or_none() {
    let text = committed().join("chemmodel.json");
    for library in ["/nowhere/libonnxruntime.so", text.to_str().unwrap()] {
        // A process of its own: the runtime that another test loaded would be used again.
        let output = crate::support::program::command(&committed(), &["--onnxruntime", library]).output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(log.contains("ONNX Runtime cannot be loaded") && log.contains("ORT_DYLIB_PATH"), "{log}");
    }
}

#[test]
fn cuda_never_falls_back_to_the_cpu() {
    // The runtime of the tests is built for the CPU.
    let sentence = refusal(&args(&committed(), &["--accelerator", "cuda"]));
    assert!(sentence.contains("--accelerator cuda"), "{sentence}");
}
