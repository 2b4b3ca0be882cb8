//! Who may ask: keys, certificates, tokens of the cluster; and that health is told to everybody.

use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::{Request, StatusCode, Version};
use axum::routing::post;
use axum::{Json, Router};
use chemmodel_inference::access::{Access, Keys, Review, ReviewConfig};
use chemmodel_inference::reload;
use serde_json::{Value, json};

use crate::support::bundle::committed;
use crate::support::certificates::{Authority, client};
use crate::support::fixture::{Answer, Fixture, Options};
use crate::support::program::Program;

/// `printf secret | sha256sum`
const HASH: &str = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

fn guarded(access: Access) -> Fixture {
    Fixture::new(Options { access, ..Options::default() })
}

fn with_key(directory: &Path) -> Fixture {
    fs::write(directory.join("lab"), HASH).unwrap();
    let directory = directory.to_owned();
    guarded(Access::Keys(reload::follow("keys", move || Keys::read(&directory)).unwrap()))
}

async fn ask(server: &Fixture, path: &str, header: Option<(&str, &str)>) -> Answer {
    let request = if path == "/predict" { Request::post(path) } else { Request::get(path) };
    let request = request.header("content-type", "application/json");
    let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    server.send(request.body(Body::from(r#"{"smiles":"C"}"#)).unwrap()).await
}

#[tokio::test]
async fn a_key_opens_and_nothing_else_does() {
    let directory = tempfile::tempdir().unwrap();
    let server = with_key(directory.path());
    for right in [("authorization", "Bearer secret"), ("authorization", "bearer secret"), ("x-api-key", "secret")] {
        assert_eq!(ask(&server, "/predict", Some(right)).await.body["prediction"], 9.0, "{right:?}");
    }
    let wrong = [
        None,
        Some(("authorization", "Bearer wrong")),
        Some(("authorization", "Basic secret")),
        Some(("x-api-key", HASH)),
    ];
    for wrong in wrong {
        let answer = ask(&server, "/predict", wrong).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong:?}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert!(!answer.error().contains("secret") && !answer.error().contains("wrong"), "{}", answer.error());
    }
    assert_eq!(server.engine.batches().len(), 3);
}

#[tokio::test]
async fn what_the_model_is_needs_a_key_too_and_health_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let server = with_key(directory.path());
    for path in ["/v2", "/v2/models/boiling-point", "/openapi.json"] {
        assert_eq!(ask(&server, path, None).await.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(ask(&server, path, Some(("x-api-key", "secret"))).await.status, StatusCode::OK, "{path}");
    }
    for path in ["/v2/health/live", "/v2/health/ready"] {
        assert_eq!(ask(&server, path, None).await.status, StatusCode::OK, "{path}");
    }
}

/// An API server that knows two tokens, over TLS as a real one.
async fn api_server(account: &Path) -> String {
    async fn review(Json(question): Json<Value>) -> Json<Value> {
        let user = match question["spec"]["token"].as_str() {
            Some("of-lab") => {
                json!({"username": "system:serviceaccount:lab:default", "groups": ["system:serviceaccounts:lab"]})
            }
            Some("of-other") => json!({"username": "system:serviceaccount:other:default", "groups": []}),
            _ => return Json(json!({"status": {"authenticated": false, "error": "unknown"}})),
        };
        let audiences = &question["spec"]["audiences"];
        Json(json!({"status": {"authenticated": true, "user": user, "audiences": audiences}}))
    }
    let authority = Authority::new();
    fs::write(account.join("ca.crt"), authority.pem()).unwrap();
    fs::write(account.join("token"), "own").unwrap();
    let router = Router::new().route("/apis/authentication.k8s.io/v1/tokenreviews", post(review));
    authority.serve(router).await
}

fn review(server: String, account: &Path) -> Access {
    let config = ReviewConfig {
        server,
        account: account.to_owned(),
        audiences: vec!["chemmodel".to_owned()],
        allow: vec!["system:serviceaccounts:lab".to_owned()],
    };
    Access::Review(Review::new(config).unwrap())
}

#[tokio::test]
async fn a_token_is_whose_the_api_server_says() {
    let account = tempfile::tempdir().unwrap();
    let server = guarded(review(api_server(account.path()).await, account.path()));
    let token = async |token: &str| ask(&server, "/predict", Some(("authorization", token))).await;
    assert_eq!(token("Bearer of-lab").await.status, StatusCode::OK);
    assert_eq!(token("Bearer nobodys").await.status, StatusCode::UNAUTHORIZED);
    let forbidden = token("Bearer of-other").await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN);
    assert!(forbidden.error().contains("system:serviceaccount:other:default"));
}

#[tokio::test]
async fn without_an_api_server_nobody_is_let_in() {
    let account = tempfile::tempdir().unwrap();
    api_server(account.path()).await;
    let server = guarded(review("https://127.0.0.1:1".to_owned(), account.path()));
    let answer = ask(&server, "/predict", Some(("authorization", "Bearer of-lab"))).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_a_client_shows_its_certificate_or_is_turned_away() {
    let directory = tempfile::tempdir().unwrap();
    let (authority, clients) = (Authority::new(), Authority::new());
    authority.write(directory.path());
    fs::write(directory.path().join("clients.crt"), clients.pem()).unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key, ca) = (path("tls.crt"), path("tls.key"), path("clients.crt"));
    let flags = ["--tls-certificate", &certificate, "--tls-key", &key, "--tls-client-authority", &ca];
    let program = Program::start(&committed(), &flags);
    program.wait_for_log("ready");
    let address = format!("https://localhost:{}/predict", program.predictions.port());
    let ask = async |client: reqwest::Client| {
        let request = client.post(&address).header("content-type", "application/json").body(r#"{"smiles":"CCO"}"#);
        request.send().await.map(|answer| (answer.status(), answer.version()))
    };
    assert_eq!(ask(client(&authority, Some(&clients))).await.unwrap(), (StatusCode::OK, Version::HTTP_2));
    assert!(ask(client(&authority, None)).await.is_err(), "a client without a certificate was answered");
    assert!(ask(client(&authority, Some(&Authority::new()))).await.is_err(), "a stranger's certificate was taken");
    assert!(program.ops("/livez").contains("200 OK"), "probes need no certificate");
}
