//! What a caller gets for molecules that can be predicted, and for lists in which some cannot.

use axum::http::StatusCode;
use chemmodel_bundle::{BundleDigest, Transform};
use serde_json::{Value, json};

use crate::support::fixture::{Fixture, Options};

/// What every answer says besides the predictions.
fn with_identity(mut answer: Value) -> Value {
    let digest = BundleDigest::of(b"manifest").to_string();
    let identity =
        json!({"unit": "K", "model": "boiling-point", "version": "v1", "revision": "7f9c", "digest": digest});
    answer.as_object_mut().unwrap().extend(identity.as_object().unwrap().clone());
    answer
}

#[tokio::test]
async fn one_molecule_gets_one_prediction_with_unit_and_who_answers() {
    let answer = Fixture::default().predict(json!({"smiles": "CCO"})).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.body, with_identity(json!({"prediction": 19.0})));
}

#[tokio::test]
async fn a_list_gets_its_predictions_in_its_own_order() {
    let answer = Fixture::default().predict(json!({"smiles": ["CCCCC", "C", "CO"]})).await;
    assert_eq!(answer.status, StatusCode::OK);
    let predictions = json!([{"prediction": 25.0}, {"prediction": 9.0}, {"prediction": 15.0}]);
    assert_eq!(answer.body, with_identity(json!({"predictions": predictions})));
}

#[tokio::test]
async fn a_server_without_a_revision_names_none() {
    let server = Fixture::new(Options { revision: "", ..Options::default() });
    let answer = server.predict(json!({"smiles": "C"})).await.body;
    assert!(answer.get("revision").is_none() && answer.get("digest").is_some(), "{answer}");
}

#[tokio::test]
async fn a_list_of_one_is_answered_as_a_list() {
    let answer = Fixture::default().predict(json!({"smiles": ["C"]})).await;
    assert_eq!(answer.body["predictions"], json!([{"prediction": 9.0}]));
}

#[tokio::test]
async fn a_bad_molecule_in_a_list_fails_alone() {
    let answer = Fixture::default().predict(json!({"smiles": ["C", "", "C C", "CO"]})).await;
    assert_eq!(answer.status, StatusCode::OK);
    let rows = &answer.body["predictions"];
    assert_eq!(rows[0], json!({"prediction": 9.0}));
    assert!(rows[1]["error"].as_str().unwrap().contains("empty"));
    assert_eq!(rows[2]["position"], 1);
    assert_eq!(rows[3], json!({"prediction": 15.0}));
}

#[tokio::test]
async fn a_list_of_bad_molecules_is_answered_row_by_row_too() {
    let answer = Fixture::default().predict(json!({"smiles": ["", "é"]})).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["predictions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn several_outputs_are_told_by_their_names() {
    let outputs = vec![("low", Some("K")), ("high", None)];
    let server = Fixture::new(Options { outputs, ..Options::default() });
    let one = server.predict(json!({"smiles": "C"})).await.body;
    assert_eq!(one["prediction"], json!({"low": 9.0, "high": 10.0}));
    assert_eq!(one["unit"], json!({"low": "K"}));
    let many = server.predict(json!({"smiles": ["C"]})).await.body;
    assert_eq!(many["predictions"], json!([{"prediction": {"low": 9.0, "high": 10.0}}]));
}

#[tokio::test]
async fn an_ensemble_tells_what_its_members_say_and_how_far_they_agree() {
    let server = Fixture::new(Options { members: 3, ..Options::default() });
    let one = server.predict(json!({"smiles": "C"})).await.body;
    let predicted = json!({"prediction": 10.0, "std": 1.0, "members": [9.0, 10.0, 11.0]});
    assert_eq!(one, with_identity(predicted.clone()));
    let many = server.predict(json!({"smiles": ["C", "C C"]})).await.body;
    assert_eq!(many["predictions"][0], predicted);
    assert_eq!(many["predictions"][1]["position"], 1);
}

#[tokio::test]
async fn an_ensemble_of_several_outputs_tells_them_by_their_names() {
    let outputs = vec![("low", Some("K")), ("high", None)];
    let server = Fixture::new(Options { outputs, members: 2, ..Options::default() });
    let one = server.predict(json!({"smiles": "C"})).await.body;
    assert_eq!(one["prediction"], json!({"low": 9.5, "high": 10.5}));
    assert_eq!(one["members"], json!({"low": [9.0, 10.0], "high": [10.0, 11.0]}));
    let std = one["std"]["high"].as_f64().unwrap();
    assert!((std - 0.5_f64.sqrt()).abs() < 1e-6, "{std}");
}

#[tokio::test]
async fn a_logarithmic_output_tells_the_logarithm_and_averages_it() {
    let server = Fixture::new(Options { members: 3, transform: Transform::Log10, ..Options::default() });
    let answer = server.predict(json!({"smiles": "C"})).await.body;
    assert_eq!(answer["log10"], 10.0);
    assert_eq!(answer["prediction"], 1e10);
    assert_eq!(answer["members"], json!([1e9, 1e10, 1e11]));
    let single = Fixture::new(Options { transform: Transform::Log10, ..Options::default() });
    let answer = single.predict(json!({"smiles": ["C"]})).await.body;
    assert_eq!(answer["predictions"], json!([{"prediction": 1e9, "log10": 9.0}]));
}

#[tokio::test]
async fn a_model_without_a_unit_names_none() {
    let server = Fixture::new(Options { outputs: vec![("prediction", None)], ..Options::default() });
    assert!(server.predict(json!({"smiles": "C"})).await.body.get("unit").is_none());
}

#[tokio::test]
async fn a_number_that_is_not_finite_is_an_error_and_not_json_null() {
    let server = Fixture::default();
    let one = server.predict(json!({"smiles": "Z"})).await;
    assert_eq!(one.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(one.error().contains("no finite number"));
    let many = server.predict(json!({"smiles": ["Z", "C"]})).await;
    assert_eq!(many.status, StatusCode::OK);
    assert!(many.body["predictions"][0]["error"].as_str().unwrap().contains("no finite number"));
}

#[tokio::test]
async fn what_was_answered_is_counted_without_naming_a_molecule() {
    let server = Fixture::default();
    server.predict(json!({"smiles": ["CO=N", "", "OCQ"]})).await;
    assert!((server.metric("molecules_total", "outcome=\"ok\"").await - 2.0).abs() < 1e-9);
    assert!((server.metric("molecules_total", "outcome=\"invalid\"").await - 1.0).abs() < 1e-9);
    assert!((server.metric("requests_total", "outcome=\"ok\"").await - 1.0).abs() < 1e-9);
    assert!((server.metric("unknown_tokens_total", "").await - 1.0).abs() < 1e-9);
    let (_, text) = server.ops("/metrics").await;
    assert!(!text.contains("CO=N") && !text.contains("OCQ"));
}
