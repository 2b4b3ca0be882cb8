//! Real sockets: what one connection may cost, and how connections end.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, Version};
use chemmodel_inference::http;
use chemmodel_inference::http::accept::{ConnectionLimits, End, Port, serve};
use reqwest::Response;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::support::engine::LONG;
use crate::support::fixture::{Fixture, Options, eventually};
use crate::support::program::{connect, exchange, post, read_all};

/// A limit that must not be what ends a test.
const NEVER: Duration = Duration::from_hours(1);

struct Server {
    fixture: Arc<Fixture>,
    address: SocketAddr,
    end: End,
    serving: JoinHandle<()>,
}

async fn start(limits: ConnectionLimits) -> Server {
    start_with(limits, Options::default()).await
}

async fn start_with(limits: ConnectionLimits, options: Options) -> Server {
    let fixture = Arc::new(Fixture::new(options));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let end = End::default();
    let router = http::router(fixture.app.clone());
    let serving = tokio::spawn(serve(Port { listener, router, tls: None }, limits, end.clone(), NEVER));
    Server { fixture, address, end, serving }
}

/// Runs the client's side, which blocks.
async fn client<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap()
}

fn read_answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.ends_with('}') {
        let mut buffer = [0; 1024];
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0, "the connection was closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_many_requests() {
    let server = start(ConnectionLimits::default()).await;
    client(move || {
        let mut stream = connect(server.address);
        for _ in 0..3 {
            stream.write_all(post(r#"{"smiles":"C"}"#, "keep-alive").as_bytes()).unwrap();
            assert!(read_answer(&mut stream).starts_with("HTTP/1.1 200"));
        }
    })
    .await;
}

/// A client that speaks HTTP/2 without having asked, over one connection.
fn http2() -> reqwest::Client {
    reqwest::Client::builder().http2_prior_knowledge().build().unwrap()
}

fn predict(client: &reqwest::Client, address: SocketAddr, smiles: &str) -> JoinHandle<reqwest::Result<Response>> {
    let request = client.post(format!("http://{address}/predict")).header("content-type", "application/json");
    tokio::spawn(request.body(json!({"smiles": smiles}).to_string()).send())
}

/// A server that lets one connection in, its client of HTTP/2, and the answer to a first request that the engine holds.
async fn held_over_http2() -> (Server, reqwest::Client, JoinHandle<reqwest::Result<Response>>) {
    let server = start(ConnectionLimits { connections: 1, ..ConnectionLimits::default() }).await;
    let client = http2();
    server.fixture.engine.hold();
    let first = predict(&client, server.address, "C");
    server.fixture.wait_until_running().await;
    (server, client, first)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_http2_serves_many_requests_at_once() {
    let (server, client, first) = held_over_http2().await;
    let others = ["CC", "CCC", "CCCC"].map(|smiles| predict(&client, server.address, smiles));
    // They wait beside each other, although only one connection is let in.
    server.fixture.wait_for_queue(3).await;
    server.fixture.engine.release();
    for answer in [first].into_iter().chain(others) {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!((answer.version(), answer.status()), (Version::HTTP_2, StatusCode::OK));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_begin_or_never_ends_its_head_is_cut_off() {
    let limits = ConnectionLimits { head_timeout: Duration::from_millis(50), ..ConnectionLimits::default() };
    let server = start(limits).await;
    for begun in ["", "PRI * HTTP/2.0", "POST /predict HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        // Reading to the end returns only because the server closes.
        let read = client(move || {
            let mut stream = connect(server.address);
            stream.write_all(begun.as_bytes()).unwrap();
            stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind())
        })
        .await;
        // What was only looked at counts as not read, and so ends the connection by a reset.
        let unread = begun.starts_with("PRI") && read == Err(ErrorKind::ConnectionReset);
        assert!(read.is_ok() || unread, "{begun:?}: {read:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_cut_off_with_a_reason() {
    let options = Options { body_timeout: Duration::from_millis(50), ..Options::default() };
    let server = start_with(ConnectionLimits::default(), options).await;
    let request = post(r#"{"smiles":"C"}"#, "keep-alive");
    let answer = client(move || exchange(server.address, &request[..request.len() - 5])).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_all_before_it_reads_still_gets_the_refusal() {
    let server = start(ConnectionLimits::default()).await;
    let huge = post(&"x".repeat(6 << 20), "close");
    let small = post(&"x".repeat(900_000), "close").replace("application/json", "text/plain");
    for (request, status) in [(huge, "413"), (small, "415")] {
        // `exchange` writes the whole request first, and stops the test when the server closes under it.
        let answer = client(move || exchange(server.address, &request)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_refused() {
    let server = start(ConnectionLimits::default()).await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(20_000));
    let answer = client(move || exchange(server.address, &head)).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_is_refused() {
    let server = start(ConnectionLimits::default()).await;
    let answer = client(move || exchange(server.address, "\u{16}\u{3}\u{1} hello\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let server = start(ConnectionLimits { connections: 1, ..ConnectionLimits::default() }).await;
    let address = server.address;
    let mut first = client(move || {
        let mut stream = connect(address);
        stream.write_all(post(r#"{"smiles":"C"}"#, "keep-alive").as_bytes()).unwrap();
        read_answer(&mut stream);
        stream
    })
    .await;
    let second = spawn_blocking(move || exchange(address, &post(r#"{"smiles":"CC"}"#, "close")));
    // The first connection is still served, and the second not before it ends.
    let first = client(move || {
        first.write_all(post(r#"{"smiles":"C"}"#, "keep-alive").as_bytes()).unwrap();
        read_answer(&mut first);
        first
    })
    .await;
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap().contains("13.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_the_middle_of_a_body_harms_nobody() {
    let server = start(ConnectionLimits::default()).await;
    let address = server.address;
    client(move || {
        let mut stream = connect(address);
        let request = post(r#"{"smiles":"C"}"#, "close");
        stream.write_all(&request.as_bytes()[..request.len() - 5]).unwrap();
    })
    .await;
    let answer = client(move || exchange(address, &post(r#"{"smiles":"C"}"#, "close"))).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_while_it_waits_takes_its_molecule_with_it() {
    let server = start(ConnectionLimits::default()).await;
    let address = server.address;
    server.fixture.engine.hold();
    let running = server.fixture.start(json!({"smiles": "C"}));
    server.fixture.wait_until_running().await;
    let stream = client(move || {
        let mut stream = connect(address);
        stream.write_all(post(r#"{"smiles":"CCC"}"#, "keep-alive").as_bytes()).unwrap();
        stream
    })
    .await;
    server.fixture.wait_for_queue(1).await;
    drop(stream);
    let in_flight = &server.fixture.app.metrics.requests_in_flight;
    eventually("the server sees that the client left", || in_flight.get() == 1).await;
    server.fixture.engine.release();
    assert_eq!(running.await.unwrap().body["prediction"], 9.0);
    server.fixture.predict(json!({"smiles": "CC"})).await;
    assert_eq!(server.fixture.engine.batches(), [(1, 3), (1, 4)], "the molecule that nobody waited for was run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_finishes_what_it_accepted_and_accepts_no_more() {
    let server = start(ConnectionLimits { head_timeout: NEVER, ..ConnectionLimits::default() }).await;
    let address = server.address;
    server.fixture.engine.hold();
    let running = spawn_blocking(move || exchange(address, &post(r#"{"smiles":"C"}"#, "keep-alive")));
    server.fixture.wait_until_running().await;
    let idle = client(move || connect(address)).await;

    server.end.stop.cancel();
    eventually("nobody can connect any more", || TcpStream::connect(address).is_err()).await;
    assert!(!server.serving.is_finished(), "a request was abandoned");
    server.fixture.engine.release();
    assert!(running.await.unwrap().starts_with("HTTP/1.1 200"));
    tokio::time::timeout(LONG, server.serving).await.expect("an idle connection kept the server").unwrap();
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_server_ends_each_connection_with_its_next_answer() {
    let server = start(ConnectionLimits::default()).await;
    let address = server.address;
    let mut stream = client(move || {
        let mut stream = connect(address);
        stream.write_all(post(r#"{"smiles":"C"}"#, "keep-alive").as_bytes()).unwrap();
        read_answer(&mut stream);
        stream
    })
    .await;
    server.end.leave.cancel();
    let last = client(move || {
        stream.write_all(post(r#"{"smiles":"C"}"#, "keep-alive").as_bytes()).unwrap();
        read_all(&mut stream)
    })
    .await;
    assert!(last.starts_with("HTTP/1.1 200") && last.contains("connection: close"), "{last}");
    let new = client(move || exchange(address, &post(r#"{"smiles":"C"}"#, "keep-alive"))).await;
    assert!(new.starts_with("HTTP/1.1 200"), "a draining server still answers: {new}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_server_sends_clients_of_http2_away_and_answers_them_all_the_same() {
    let (server, client, begun) = held_over_http2().await;
    server.end.leave.cancel();
    // Another connection is let in only when this one has ended, and so it has when there is a second answer.
    let next = predict(&client, server.address, "CC");
    server.fixture.engine.release();
    for answer in [begun, next] {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(!answer.headers().contains_key("connection"), "HTTP/2 has no such header");
    }
}
