//! A graph model: what its caller gets, and how molecules go to the engine.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use chemmodel_bundle::Transform;
use serde_json::{Value, json};

use crate::support::fixture::{Budget, Fixture, Options, Reads};
use crate::support::redis::Redis;

/// RDKit's ids of the environments of [`KNOWN`], as `GetMorganGenerator(radius=2).GetSparseCountFingerprint` gives them.
const ENVIRONMENTS: [u32; 20] = [
    535_847_852,
    864_662_311,
    1_506_563_592,
    1_506_997_381,
    1_542_633_699,
    1_583_799_011,
    1_674_219_510,
    2_245_273_601,
    2_245_384_272,
    2_246_703_798,
    2_246_728_737,
    2_246_997_334,
    2_380_228_464,
    2_690_477_299,
    2_879_529_074,
    2_928_069_067,
    3_321_103_681,
    3_337_365_384,
    3_542_456_614,
    3_696_402_029,
];
const KNOWN: &str = "C=CCC(O)CCC(O)CC";

fn graphs(domain: Option<&[u32]>) -> Options {
    let reads = Reads::Graphs(domain.map(<[u32]>::to_vec));
    Options { reads, max_tokens: 200, max_characters: 200, ..Options::default() }
}

#[tokio::test]
async fn a_molecule_is_the_sum_of_its_atoms_and_directed_bonds_however_it_is_written() {
    let server = Fixture::new(graphs(None));
    // Atoms 2 · 2 + 3 + 6 · 4, bonds 2 · (2 + 5 · 3 + 4 + 5).
    for smiles in ["CCO", "OCC", "C(O)C", "[CH3][CH2][OH]"] {
        let answer = server.predict(json!({"smiles": smiles})).await;
        assert_eq!(answer.status, StatusCode::OK, "{smiles}: {:?}", answer.body);
        assert_eq!(answer.body["prediction"], 83.0, "{smiles}");
        assert!(answer.body.get("domain").is_none(), "a domain that nobody knows was told");
    }
}

#[tokio::test]
async fn molecules_of_any_size_are_packed_without_padding() {
    let server = Fixture::new(graphs(None));
    let answer = server.predict(json!({"smiles": ["C", "CCO", "C"]})).await;
    let expected = [42.0, 83.0, 42.0].map(|prediction| json!({"prediction": prediction}));
    assert_eq!(answer.body["predictions"], json!(expected));
    // Methane once. On average of two levels 3 of its atoms and bonds differ, of ethanol's 7; together there are 5 + 14.
    assert_eq!(server.engine.batches(), [(2, 10)]);
}

#[tokio::test]
async fn the_sum_of_a_batch_keeps_to_the_budget() {
    let batch = Budget { tokens: 10, items: 16, overhead: 1000 };
    let server = Fixture::new(Options { batch, ..graphs(None) });
    server.engine.hold();
    let first = server.start(json!({"smiles": "O"}));
    server.wait_until_running().await;
    let others = server.start(json!({"smiles": ["C", "CCO", "CC"]}));
    server.wait_for_queue(3).await;
    server.engine.release();
    assert_eq!(others.await.unwrap().status, StatusCode::OK);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(server.engine.batches(), [(1, 3), (2, 10), (1, 4)]);
}

#[tokio::test]
async fn a_molecule_that_fails_in_the_engine_fails_alone_even_in_a_batch() {
    let server = Fixture::new(graphs(None));
    let rows = server.predict(json!({"smiles": ["C", "CF", "CCO"]})).await.body["predictions"].clone();
    assert_eq!(rows[0], json!({"prediction": 42.0}));
    assert!(rows[1]["error"].as_str().unwrap().contains("engine failed"), "{rows}");
    assert_eq!(rows[2], json!({"prediction": 83.0}));
}

#[tokio::test]
async fn a_text_that_is_no_molecule_is_refused_with_the_place() {
    let server = Fixture::new(graphs(None));
    let cases = [
        ("", "empty", false),
        ("C C", "U+0020", true),
        ("CC(", "", true),
        ("C1CC", "", true),
        ("CX", "", true),
        ("C(C)(C)(C)(C)C", "", true),
    ];
    for (smiles, reason, has_position) in cases {
        let answer = server.predict(json!({"smiles": smiles})).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{smiles:?}: {:?}", answer.body);
        assert!(answer.error().len() > 20 && answer.error().contains(reason), "{smiles:?}: {}", answer.error());
        assert_eq!(answer.body.get("position").is_some(), has_position, "{smiles:?}: {:?}", answer.body);
    }
    let rows = server.predict(json!({"smiles": ["C", "C1CC"]})).await.body["predictions"].clone();
    assert_eq!(rows[0], json!({"prediction": 42.0}));
    assert!(rows[1]["position"].is_number(), "{rows}");
}

#[tokio::test]
async fn a_molecule_without_bonds_or_with_too_many_is_refused_with_the_limit() {
    let server = Fixture::new(Options { max_tokens: 25, ..graphs(None) });
    assert_eq!(server.predict(json!({"smiles": "CCO"})).await.status, StatusCode::OK, "exactly as many as allowed");
    for (smiles, words) in [("[Na+]", ["no bond", "mean over bonds"]), ("CCCO", ["12 atoms", "most 25"])] {
        let answer = server.predict(json!({"smiles": smiles})).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{smiles}: {:?}", answer.body);
        assert!(words.iter().all(|word| answer.error().contains(word)), "{smiles}: {}", answer.error());
    }
}

#[tokio::test]
async fn an_answer_says_how_far_the_molecule_is_from_what_training_had() {
    let server = Fixture::new(graphs(Some(&ENVIRONMENTS)));
    let inside = server.predict(json!({"smiles": KNOWN})).await.body;
    assert_eq!(inside["domain"], json!({"unseenEnvironments": 0, "inside": true}));
    let server = Fixture::new(graphs(Some(&ENVIRONMENTS[2..])));
    let outside = server.predict(json!({"smiles": [KNOWN, "C1CC"]})).await.body["predictions"].clone();
    assert_eq!(outside[0]["domain"], json!({"unseenEnvironments": 2, "inside": false}));
    assert!(outside[1].get("domain").is_none());
    assert_eq!(server.metric("molecules_outside_domain_total", "").await.to_string(), "1");
}

#[tokio::test]
async fn what_the_vocabulary_lacks_is_answered_and_counted() {
    let server = Fixture::new(graphs(None));
    // Nitrogen and both directions of its three bonds.
    assert_eq!(server.predict(json!({"smiles": "N"})).await.status, StatusCode::OK);
    assert_eq!(server.metric("unknown_tokens_total", "").await.to_string(), "7");
    assert_eq!(server.metric("tokens_total", "").await.to_string(), "10");
}

fn everything() -> Options {
    let outputs = vec![("permeability", Some("barrer")), ("other", None)];
    Options { outputs, members: 3, transform: Transform::Log10, ..graphs(Some(&ENVIRONMENTS[1..])) }
}

#[tokio::test]
async fn an_answer_from_the_cache_is_the_whole_answer() {
    let server = Fixture::new(Options { cache_entries: 10, ..everything() });
    let first = server.predict(json!({"smiles": "O"})).await.body;
    for field in ["prediction", "std", "members", "log10", "domain"] {
        assert!(first.get(field).is_some(), "{field} is missing in {first}");
    }
    assert_eq!(server.predict(json!({"smiles": "O"})).await.body, first);
    assert_eq!(server.engine.batches().len(), 1);
}

#[tokio::test]
async fn replicas_share_whole_answers_through_redis() {
    let redis = Redis::start();
    let with_redis = || Options { redis: Some(redis.address()), ..everything() };
    let (first, second) = (Fixture::new(with_redis()), Fixture::new(with_redis()));
    let asked = first.predict(json!({"smiles": ["O", "[OH2]"]})).await.body;
    assert!(asked["predictions"][1]["std"].is_object(), "{asked}");
    // The answer is written after it was given.
    while second.metric("cache_lookups_total", "shared").await < 2.0 {
        assert_eq!(second.predict(json!({"smiles": ["O", "[OH2]"]})).await.body, asked);
    }
}

#[tokio::test]
async fn lines_are_answered_with_all_that_the_model_has() {
    let server = Fixture::new(everything());
    let request = Request::post("/predict").header("content-type", "application/x-ndjson");
    let answer = server.bytes(request.body(Body::from("\"O\"\n\"C1CC\"\n")).unwrap()).await.text();
    let lines: Vec<Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let alone = server.predict(json!({"smiles": "O"})).await.body;
    for field in ["prediction", "std", "members", "log10", "domain"] {
        assert_eq!(lines[0][field], alone[field], "{field}");
    }
    assert!(lines[1]["position"].is_number());
}

#[tokio::test]
async fn the_inference_protocol_answers_the_outputs_of_the_model() {
    let server = Fixture::new(Options { members: 3, ..graphs(Some(&ENVIRONMENTS)) });
    let input = json!({"name": "smiles", "datatype": "BYTES", "shape": [1], "data": ["CCO"]});
    let answer = server.infer("/v2/models/boiling-point/infer", json!({"inputs": [input]})).await;
    assert_eq!(answer.body["outputs"], json!([{"name": "sum", "datatype": "FP32", "shape": [1], "data": [84.0]}]));
}

#[tokio::test]
async fn the_description_names_every_field_of_an_answer_and_no_other() {
    let names = |object: &Value| -> Vec<String> {
        let mut names: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    for options in [everything(), graphs(None), Options::default()] {
        let server = Fixture::new(options);
        let row = server.predict(json!({"smiles": ["O"]})).await.body["predictions"][0].clone();
        let document = server.send(Request::get("/openapi.json").body(Body::empty()).unwrap()).await.body;
        let schema = &document["components"]["schemas"]["Row"]["oneOf"][0];
        assert_eq!(names(&schema["properties"]), names(&row));
        assert_eq!(schema["required"].as_array().unwrap().len(), names(&row).len(), "{schema}");
    }
}
