//! Bodies of `POST /predict`, as JSON and as lines, plain and compressed.
#![no_main]

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Request;
use chemmodel_fuzz::Server;
use libfuzzer_sys::fuzz_target;

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

fuzz_target!(|input: (u8, &[u8])| {
    let (how, body) = input;
    let media_type = if how & 1 == 0 { "application/json" } else { "application/x-ndjson" };
    let mut request = Request::post("/predict").header("content-type", media_type);
    match how >> 1 & 3 {
        1 => request = request.header("content-encoding", "gzip"),
        2 => request = request.header("content-encoding", "deflate"),
        _ => {}
    }
    SERVER.ask(request.body(Body::from(body.to_vec())).unwrap());
});
