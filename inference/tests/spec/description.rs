//! What the server says about itself.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::support::fixture::{Bytes, Fixture, Options};

async fn get(server: &Fixture, path: &str) -> Bytes {
    let answer = server.bytes(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer
}

async fn document(server: &Fixture) -> Value {
    serde_json::from_slice(&get(server, "/openapi.json").await.body).unwrap()
}

#[tokio::test]
async fn the_document_names_the_model_its_limits_and_its_units() {
    let server = Fixture::default();
    let document = document(&server).await;
    assert_eq!(document["info"]["title"], "boiling-point");
    assert_eq!(document["info"]["version"], "v1");
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["PredictRequest"]["properties"]["smiles"]["oneOf"][1]["maxItems"], 16);
    assert_eq!(schemas["Value"], json!({"type": "number", "description": "In K"}));
    assert_eq!(schemas["InferRequestedOutput"]["properties"]["name"]["enum"], json!(["sum", "error"]));
}

#[tokio::test]
async fn a_model_with_several_outputs_answers_an_object() {
    let outputs = vec![("sum", Some("K")), ("twice", None)];
    let server = Fixture::new(Options { outputs, ..Options::default() });
    let schemas = &document(&server).await["components"]["schemas"];
    assert_eq!(schemas["Value"]["required"], json!(["sum", "twice"]));
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    fn check(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
                }
                fields.values().for_each(|value| check(value, document));
            }
            Value::Array(items) => items.iter().for_each(|value| check(value, document)),
            _ => {}
        }
    }
    let document = document(&Fixture::default()).await;
    check(&document, &document);
}

#[tokio::test]
async fn the_page_asks_nobody_but_its_own_server() {
    let page = get(&Fixture::default(), "/docs").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let text = String::from_utf8(page.body).unwrap();
    assert!(!text.contains("http://") && !text.contains("https://"), "the page names another host");
}
