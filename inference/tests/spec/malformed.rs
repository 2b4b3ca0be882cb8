//! Whatever a client sends, it gets a status of its own class and a sentence, and the server goes on.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::support::fixture::{Fixture, Options};

#[tokio::test]
async fn bodies_that_are_not_the_expected_json_are_refused_with_a_sentence() {
    let server = Fixture::default();
    let deep = format!("{{\"smiles\":{}", "[".repeat(100_000));
    let bodies: [&[u8]; 24] = [
        b"",
        b" \n",
        b"CCO",
        b"{",
        b"{\"smiles\"",
        b"{\"smiles\":\"CC",
        b"{\"smiles\":[\"CC\",",
        b"{\"smiles\":\"CCO\"} trailing",
        b"{\"smiles\":\"C\\ud800\"}",
        b"{\"smiles\":\"\xff\xfe\"}",
        b"\xef\xbb\xbf{\"smiles\":\"C\"}",
        b"null",
        b"42",
        b"\"CCO\"",
        b"[\"CCO\"]",
        b"[[\"CCO\"]]",
        b"{}",
        b"{\"smiles\":null}",
        b"{\"smiles\":1}",
        b"{\"smiles\":{\"a\":\"C\"}}",
        b"{\"smiles\":[\"C\",null]}",
        b"{\"smiles\":[\"C\",[\"C\"]]}",
        b"{\"smiles\":\"C\",\"smiles\":\"N\"}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let answer = server.post(body.to_vec()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown}");
        assert!(answer.error().len() > 20 && answer.error().contains("send"), "{shown}: {}", answer.error());
    }
    assert_eq!(server.predict(json!({"smiles": "C"})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_place_of_a_mistake_in_the_json_is_told() {
    let answer = Fixture::default().post("{\"smiles\":[\"C\", 7]}").await;
    assert!(answer.error().contains("line 1 column 17"), "{}", answer.error());
}

#[tokio::test]
async fn a_field_that_nobody_reads_is_refused_instead_of_ignored() {
    let answer = Fixture::default().predict(json!({"smiles": "C", "temperature": 300})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.error().contains("temperature"));
}

#[tokio::test]
async fn an_empty_list_is_refused() {
    let answer = Fixture::default().predict(json!({"smiles": []})).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.error().contains("empty list"));
}

#[tokio::test]
async fn a_molecule_that_cannot_be_one_is_refused_with_the_place() {
    let server = Fixture::default();
    let cases: [(&str, &str, Option<u64>); 8] = [
        ("", "empty", None),
        ("C C", "U+0020", Some(1)),
        ("CC\n", "U+000A", Some(2)),
        ("C\0C", "U+0000", Some(1)),
        ("CCé", "'é'", Some(2)),
        ("→C", "'→'", Some(0)),
        ("CCCCCCCCCCCCCCCCCCCCC", "21 characters", None),
        ("CCCCCCCCCCC", "13 tokens", None),
    ];
    for (smiles, reason, position) in cases {
        let answer = server.predict(json!({"smiles": smiles})).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{smiles:?}");
        assert!(answer.error().contains(reason), "{smiles:?}: {}", answer.error());
        assert_eq!(answer.body.get("position").and_then(serde_json::Value::as_u64), position, "{smiles:?}");
    }
}

#[tokio::test]
async fn a_text_that_leaves_no_token_of_a_molecule_is_refused() {
    let server = Fixture::default();
    for smiles in ["[PAD]", "[CLS]", "[CLS][SEP]"] {
        let answer = server.predict(json!({"smiles": smiles})).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{smiles}: {:?}", answer.body);
    }
}

#[tokio::test]
async fn a_molecule_of_exactly_the_longest_length_is_predicted() {
    let server = Fixture::default();
    assert_eq!(server.predict(json!({"smiles": "CCCCCCCCCC"})).await.status, StatusCode::OK);
    let server = Fixture::new(Options { max_tokens: 100, ..Options::default() });
    assert_eq!(server.predict(json!({"smiles": "CCCCCCCCCCCCCCCCCCCC"})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn too_many_molecules_are_refused_with_the_limit() {
    let server = Fixture::default();
    let answer = server.predict(json!({"smiles": vec!["C"; 17]})).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.error().contains("17") && answer.error().contains("16"));
    assert_eq!(server.predict(json!({"smiles": vec!["C"; 16]})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_or_not_it_announces_its_length() {
    let server = Fixture::default();
    let huge = format!("{{\"smiles\":\"{}\"}}", "C".repeat(1 << 20));
    let announced = Request::post("/predict").header("content-type", "application/json");
    let announced = announced.header("content-length", huge.len()).body(Body::empty()).unwrap();
    for answer in [server.send(announced).await, server.post(huge).await] {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(answer.error().contains("1048576"));
    }
}

#[tokio::test]
async fn another_content_type_is_refused_and_the_right_header_is_told() {
    let server = Fixture::default();
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "application/jsonp", ""] {
        let request = Request::post("/predict").header("content-type", content_type);
        let answer = server.send(request.body("{\"smiles\":\"C\"}".into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        assert!(answer.error().contains("-H 'content-type: application/json'"), "{}", answer.error());
    }
    let none = Request::post("/predict").body("{\"smiles\":\"C\"}".into()).unwrap();
    assert_eq!(server.send(none).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_parameter_of_the_content_type_does_not_matter() {
    let request = Request::post("/predict").header("content-type", "Application/JSON; charset=utf-8");
    let answer = Fixture::default().send(request.body("{\"smiles\":\"C\"}".into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_is_not_compressed_as_it_says_is_refused() {
    let send = async |encoding: &str| {
        let request =
            Request::post("/predict").header("content-type", "application/json").header("content-encoding", encoding);
        Fixture::default().send(request.body("\x1f\u{8b}".into()).unwrap()).await
    };
    let broken = send("gzip").await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(broken.error().contains("content encoding"), "{broken:?}");
    let unknown = send("br").await;
    assert_eq!(unknown.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(unknown.error().contains("\"br\""), "{unknown:?}");
}

#[tokio::test]
async fn another_method_or_path_is_answered_with_the_right_one() {
    let server = Fixture::default();
    let get = server.send(Request::get("/predict").body(Body::empty()).unwrap()).await;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(get.headers["allow"], "POST");
    assert!(get.error().contains("use POST"));
    for path in ["/", "/Predict", "/predict/", "/predict/x", "/metrics", "/livez"] {
        let answer = server.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.error().contains("POST /predict"));
    }
}
