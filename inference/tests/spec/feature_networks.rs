//! Networks that read features instead of tokens, on the real runtime: what they are given, and which are refused.

use std::sync::Arc;

use chemmodel_inference::http::{self, App};
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::startup;
use serde_json::{Value, json};

use crate::support::bundle::args;
use crate::support::fixture::predict;
use crate::support::graph_bundle::{GraphBundle, float_features, float_network, network};
use crate::support::onnx::{Graph, weighted_sums};

fn bundle(network: Graph) -> GraphBundle {
    GraphBundle::new(vec![network]).with("features.json", &float_features())
}

/// Loads a bundle as the program does.
fn load(bundle: &GraphBundle) -> Result<Arc<App>, String> {
    let app = App::new(Arc::new(Metrics::new("sums", "v1", "").unwrap()));
    startup::load(&args(bundle.write(), &[]), &app).map_err(|why| why.to_string())?;
    Ok(Arc::new(app))
}

async fn answers(bundle: &GraphBundle, smiles: Value) -> Value {
    let router = http::router(tokio::task::block_in_place(|| load(bundle)).unwrap());
    predict(&router, json!({"smiles": smiles})).await.body["predictions"].clone()
}

fn assert_answers(rows: &Value, expected: &[f64]) {
    let numbers: Vec<f64> =
        rows.as_array().unwrap().iter().map(|row| row["prediction"].as_f64().expect("an answer")).collect();
    let close = numbers.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4);
    assert!(close && numbers.len() == expected.len(), "{rows} instead of {expected:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_molecule_has_its_answer_alone_and_among_others() {
    let bundle = bundle(float_network());
    // Hydrogens, and a tenth for each directed bond in a ring.
    let smiles = ["CCO", "C1CC1", "c1ccccc1", "OCC", "C"];
    let expected = [6.0, 6.6, 7.2, 6.0, 4.0];
    assert_answers(&answers(&bundle, json!(smiles)).await, &expected);
    for (smiles, expected) in smiles.iter().zip(expected) {
        assert_answers(&answers(&bundle, json!([smiles])).await, &[expected]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_molecule_without_bonds_is_answered_alone_and_among_others() {
    let bundle = bundle(float_network());
    assert_answers(&answers(&bundle, json!(["C"])).await, &[4.0]);
    assert_answers(&answers(&bundle, json!(["N", "C", "[Na+]"])).await, &[3.0, 4.0, 0.0]);
    assert_answers(&answers(&bundle, json!(["O", "C1CC1", "C.C"])).await, &[2.0, 6.6, 8.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_of_stereochemistry_count_for_nothing() {
    let smiles = json!(["C[C@H](N)O", "CC(N)O", "F/C=C\\F", "FC=CF", "[H]/N=C/C", "N=CC"]);
    assert_answers(&answers(&bundle(float_network()), smiles).await, &[7.0, 7.0, 2.0, 2.0, 5.0, 5.0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_molecule_is_counted_in_atoms_and_directed_bonds_without_hydrogens() {
    let mut bundle = bundle(float_network());
    bundle.manifest["maxLength"] = json!(7);
    let rows = answers(&bundle, json!(["CCC", "CCCC", "C.C.C.C.C.C.C"])).await;
    // Seven times methane has 35 atoms with hydrogens.
    assert_answers(&json!([rows[0], rows[2]]), &[8.0, 28.0]);
    let error = rows[1]["error"].as_str().unwrap();
    assert!(
        error.contains("4 atoms (hydrogens not counted) and 6 directed bonds") && error.contains("most 7"),
        "{error}"
    );
}

#[test]
fn a_network_that_is_fed_otherwise_is_refused_with_the_input() {
    let cases = [
        (network(0.0), "the network has no input \"atom\""),
        (weighted_sums(&[1.0; 71], &[1.0; 14]), "the input \"atom\" has the shape [-1, 71] instead of [-1, 72]"),
        (
            float_network().takes("connectivity", &["E", "3"]),
            "the input \"connectivity\" has the shape [-1, 3] instead of [-1, 2]",
        ),
        (weighted_sums(&[1.0; 72], &[1.0; 13]), "the input \"bond\" has the shape [-1, 13] instead of [-1, 14]"),
    ];
    for (network, expected) in cases {
        let refused = load(&bundle(network)).err().expect(expected);
        assert!(refused.contains(expected) && refused.contains("member-0.onnx"), "{expected}: {refused}");
    }
}

#[test]
fn features_without_stereo_are_refused() {
    let mut without = float_features();
    without.as_object_mut().unwrap().remove("stereo");
    let refused = load(&bundle(float_network()).with("features.json", &without)).err().expect("a refusal");
    assert!(refused.contains("stereo is missing"), "{refused}");
}
