//! Bodies of the Open Inference Protocol: JSON, JSON with binary tensors behind it, and a bare molecule.
#![no_main]

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Request;
use chemmodel_fuzz::Server;
use libfuzzer_sys::fuzz_target;

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

fuzz_target!(|input: (Option<u16>, &[u8])| {
    let (header_length, body) = input;
    let mut request = Request::post("/v2/models/fuzz/infer");
    if let Some(length) = header_length {
        request = request.header("inference-header-content-length", length);
    }
    SERVER.ask(request.body(Body::from(body.to_vec())).unwrap());
});
