//! Graph networks on the real runtime: what they are given, what they answer, and which are refused.

use std::sync::Arc;

use chemmodel_bundle::{Features, Precision};
use chemmodel_inference::args::Accelerator;
use chemmodel_inference::bundle::Bundle;
use chemmodel_inference::engine::ort::OrtEngine;
use chemmodel_inference::engine::session::{CudaOptions, EngineConfig};
use chemmodel_inference::engine::{Batch, Engine, Input, Layout, Network};
use chemmodel_inference::http::{self, App};
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::preprocess::graph::GraphPreprocessor;
use chemmodel_inference::startup;
use serde_json::{Value, json};

use crate::support::bundle::{args, runtime};
use crate::support::fixture::{features, predict};
use crate::support::graph_bundle::{GraphBundle, network};

fn engine(bundle: &GraphBundle) -> Result<OrtEngine, String> {
    let config = EngineConfig {
        accelerator: Accelerator::Cpu,
        precision: Precision::Fp32,
        threads: 1,
        cuda: CudaOptions::default(),
        library: &runtime(),
    };
    OrtEngine::load(&Bundle::open(bundle.write(), None).unwrap(), Network::Refined { messages: 1 }, config)
        .map_err(|why| why.to_string())
}

fn graph(smiles: &str) -> Input {
    let features = Features::parse(features().to_string().as_bytes()).unwrap();
    GraphPreprocessor::new(&features, None, 100, 100).unwrap().encode(smiles).unwrap().input
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4), "{found:?}");
}

#[test]
fn a_molecule_has_its_answer_alone_and_among_others() {
    let mut engine = engine(&GraphBundle::new(vec![network(0.0), network(1.0)])).unwrap();
    let (water, hydrogen) = (graph("O"), graph("[H][H]"));
    // 3 + 4 + 4 + 4 · 0.5, and one more for each atom.
    let expected = [13.0, 16.0];
    for (company, row) in [(vec![&water], 0), (vec![&hydrogen, &water], 1), (vec![&water, &hydrogen, &water], 2)] {
        let answers = engine.run(&Batch::of(&company, Layout::Packed)).unwrap();
        assert_close(&answers.row(row), &expected);
    }
    let many = vec![&hydrogen; 300];
    let answers = engine.run(&Batch::of(&many, Layout::Packed)).unwrap();
    assert_close(&answers.row(299), &[8.2, 10.2]);
}

#[test]
fn a_token_that_the_network_lacks_is_an_error_and_the_engine_goes_on() {
    let mut engine = engine(&GraphBundle::new(vec![network(0.0)])).unwrap();
    let mut unknown = graph("O");
    let Input::Refined(refined) = &mut unknown else { panic!("no classes") };
    refined.levels[0].atom[0] = 99;
    assert!(engine.run(&Batch::of(&[&unknown], Layout::Packed)).is_err());
    let answers = engine.run(&Batch::of(&[&graph("O")], Layout::Packed)).unwrap();
    assert_close(&answers.row(0), &[13.0]);
}

#[test]
fn a_network_that_is_fed_otherwise_is_refused_with_the_input() {
    let cases = [
        (network(0.0).takes("atom_0", &["40"]), "the input \"atom_0\" has the shape [40] instead of [-1]"),
        (network(0.0).takes("source_1", &["F", "2"]), "the input \"source_1\" has the shape [-1, 2] instead of [-1]"),
        (network(0.0).takes("sum_atom_1", &["S"]), "an input \"sum_atom_1\", which the server does not know"),
        (network(0.0).takes("charge", &["A"]), "an input \"charge\", which the server does not know"),
    ];
    for (network, expected) in cases {
        let refused = engine(&GraphBundle::new(vec![network])).err().expect(expected);
        assert!(refused.contains(expected) && refused.contains("member-0.onnx"), "{expected}: {refused}");
    }
}

/// Loads a bundle as the program does.
fn load(bundle: &GraphBundle) -> Result<App, String> {
    let app = App::new(Arc::new(Metrics::new("sums", "v1", "").unwrap()));
    startup::load(&args(bundle.write(), &[]), &app).map_err(|why| why.to_string())?;
    Ok(app)
}

fn refusal(bundle: &GraphBundle) -> String {
    load(bundle).err().expect("the bundle was served")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_served_with_what_its_members_say() {
    let environments = json!({"schema": "chemmodel.io/domain/v1", "scheme": "morgan-r2", "environments": [1, 2]});
    let bundle = GraphBundle::new(vec![network(0.0), network(1.0), network(2.0)]).with("domain.json", &environments);
    let router = http::router(Arc::new(tokio::task::block_in_place(|| load(&bundle)).unwrap()));
    let answer = predict(&router, json!({"smiles": ["O", "CCO", "C1CC"]})).await.body;
    let rows = answer["predictions"].as_array().unwrap();
    let numbers = |value: &Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    // Ethanol: atoms 2 + 2 + 3 + 6 · 4, bonds 5.2; and 9 atoms.
    for (row, expected, std) in [(&rows[0], [13.0, 16.0, 19.0], 3.0), (&rows[1], [36.2, 45.2, 54.2], 9.0)] {
        let members = numbers(&row["members"]);
        assert!(members.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4), "{row}");
        assert!((row["prediction"].as_f64().unwrap() - expected[1]).abs() < 1e-4, "{row}");
        assert!((row["std"].as_f64().unwrap() - std).abs() < 1e-4, "{row}");
        assert_eq!(row["domain"]["inside"], false);
    }
    assert!(rows[2]["position"].is_number(), "{answer}");
}

#[test]
fn features_that_break_the_contract_are_refused() {
    let mut broken = features();
    broken["atoms"]["('C', 4, 0, 0, False)"] = json!(1);
    let sentence = refusal(&GraphBundle::new(vec![network(0.0)]).with("features.json", &broken));
    assert!(sentence.contains("features.json") && sentence.contains("the id 1"), "{sentence}");
    let mut broken = features();
    broken["atoms"]["carbon"] = json!(12);
    let sentence = refusal(&GraphBundle::new(vec![network(0.0)]).with("features.json", &broken));
    assert!(sentence.contains("features.json") && sentence.contains("carbon"), "{sentence}");
}

#[test]
fn a_domain_that_breaks_the_contract_is_refused() {
    let unsorted = json!({"schema": "chemmodel.io/domain/v1", "scheme": "morgan-r2", "environments": [2, 1]});
    let sentence = refusal(&GraphBundle::new(vec![network(0.0)]).with("domain.json", &unsorted));
    assert!(sentence.contains("domain.json") && sentence.contains("environments[1]"), "{sentence}");
}

#[test]
fn a_vocabulary_without_methane_is_refused() {
    let mut without = features();
    without["atoms"].as_object_mut().unwrap().remove("('C', 4, 0, 0, False)");
    let sentence = refusal(&GraphBundle::new(vec![network(0.0)]).with("features.json", &without));
    assert!(sentence.contains("features.json") && sentence.contains("methane"), "{sentence}");
}

#[test]
fn a_vocabulary_that_is_larger_than_the_network_is_refused() {
    let mut larger = features();
    larger["atoms"]["('N', 3, 0, 0, False)"] = json!(17);
    let sentence = refusal(&GraphBundle::new(vec![network(0.0)]).with("features.json", &larger));
    assert!(sentence.contains("warm-up") && sentence.contains("features.json"), "{sentence}");
}
