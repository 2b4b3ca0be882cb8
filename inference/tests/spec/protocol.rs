//! The Open Inference Protocol over HTTP: what the protocol's page says, and what other servers got wrong.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::{Value, json};
use std::io::Write as _;

use crate::support::fixture::{Answer, Bytes, Fixture, Options};

const INFER: &str = "/v2/models/boiling-point/infer";

/// A request for the molecules, of the shape `[N]`.
fn ask(smiles: &[&str]) -> Value {
    json!({"inputs": [{"name": "smiles", "datatype": "BYTES", "shape": [smiles.len()], "data": smiles}]})
}

/// The one output's elements.
fn data(answer: &Answer) -> &Value {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    &answer.body["outputs"][0]["data"]
}

async fn get(server: &Fixture, path: &str) -> Answer {
    server.send(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn refused(server: &Fixture, body: Value) -> String {
    let answer = server.infer(INFER, body.clone()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {answer:?}");
    answer.error().to_owned()
}

/// The elements of a BYTES tensor as they are sent.
fn raw(elements: &[&[u8]]) -> Vec<u8> {
    let length = |element: &[u8]| u32::try_from(element.len()).unwrap().to_le_bytes();
    elements.iter().flat_map(|element| [length(element).as_slice(), element].concat()).collect()
}

/// A request with tensors behind its JSON.
async fn send_binary(server: &Fixture, json: &Value, tensors: &[u8]) -> Bytes {
    let json = json.to_string();
    let request = Request::post(INFER).header("inference-header-content-length", json.len());
    server.bytes(request.body([json.as_bytes(), tensors].concat().into()).unwrap()).await
}

#[tokio::test]
async fn molecules_get_their_predictions_in_order_with_who_answered() {
    let mut request = ask(&["CCO", "C"]);
    request["id"] = json!("request-7");
    let answer = Fixture::default().infer(INFER, request).await;
    assert_eq!(answer.status, StatusCode::OK);
    let outputs = json!([{"name": "sum", "datatype": "FP32", "shape": [2], "data": [19.0, 9.0]}]);
    let whole = json!({"model_name": "boiling-point", "model_version": "v1", "id": "request-7", "outputs": outputs});
    assert_eq!(answer.body, whole);
}

#[tokio::test]
async fn an_answer_has_an_id_only_when_the_request_had_one() {
    let answer = Fixture::default().infer(INFER, ask(&["C"])).await;
    assert!(answer.body.get("id").is_none(), "{answer:?}");
}

#[tokio::test]
async fn a_column_is_answered_as_a_column() {
    let server = Fixture::default();
    for data in [json!([["C"], ["CO"]]), json!(["C", "CO"])] {
        let request = json!({"inputs": [{"name": "smiles", "datatype": "BYTES", "shape": [2, 1], "data": data}]});
        let answer = server.infer(INFER, request).await;
        assert_eq!(self::data(&answer), &json!([9.0, 15.0]));
        assert_eq!(answer.body["outputs"][0]["shape"], json!([2, 1]));
    }
}

#[tokio::test]
async fn a_client_gets_the_outputs_that_it_names_in_its_order() {
    let server = Fixture::new(Options { outputs: vec![("tg", None), ("tm", None)], ..Options::default() });
    let names = |answer: &Answer| {
        let outputs = answer.body["outputs"].as_array().unwrap().clone();
        outputs.iter().map(|output| output["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&server.infer(INFER, ask(&["C"])).await), ["tg", "tm"]);
    let mut request = ask(&["C"]);
    request["outputs"] = json!([{"name": "tm"}]);
    let answer = server.infer(INFER, request).await;
    assert_eq!(names(&answer), ["tm"]);
    assert_eq!(data(&answer), &json!([10.0]));
}

#[tokio::test]
async fn an_output_that_there_is_not_is_refused_with_those_that_there_are() {
    let mut request = ask(&["C"]);
    request["outputs"] = json!([{"name": "tg"}]);
    let sentence = refused(&Fixture::default(), request).await;
    assert!(sentence.contains("\"tg\"") && sentence.contains("\"sum\""), "{sentence}");
}

#[tokio::test]
async fn a_bad_molecule_fails_the_request_and_is_named() {
    let sentence = refused(&Fixture::default(), ask(&["C", "C C"])).await;
    assert!(sentence.starts_with("smiles[1]: "), "{sentence}");
}

#[tokio::test]
async fn who_asks_for_errors_gets_every_other_row() {
    let mut request = ask(&["C", "C C", "CO"]);
    request["outputs"] = json!([{"name": "sum"}, {"name": "error"}]);
    let answer = Fixture::default().infer(INFER, request).await;
    assert_eq!(data(&answer), &json!([9.0, null, 15.0]));
    let errors = &answer.body["outputs"][1];
    assert_eq!(
        (&errors["datatype"], &errors["data"][0], &errors["data"][2]),
        (&json!("BYTES"), &json!(""), &json!(""))
    );
    assert!(errors["data"][1].as_str().unwrap().contains("position 1"), "{errors}");
}

#[tokio::test]
async fn a_number_that_is_not_finite_is_the_servers_failure() {
    let answer = Fixture::default().infer(INFER, ask(&["C", "Z"])).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.error().starts_with("smiles[1]: "), "{answer:?}");
}

#[tokio::test]
async fn another_model_or_version_is_not_found_and_this_one_by_its_version_is() {
    let server = Fixture::default();
    for path in ["/v2/models/melting-point/infer", "/v2/models/boiling-point/versions/v2/infer"] {
        let answer = server.infer(path, ask(&["C"])).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.error().contains("boiling-point"), "{answer:?}");
    }
    assert_eq!(data(&server.infer("/v2/models/boiling-point/versions/v1/infer", ask(&["C"])).await), &json!([9.0]));
}

#[tokio::test]
async fn elements_and_shape_must_agree() {
    let server = Fixture::default();
    let with =
        |shape: Value| json!({"inputs": [{"name": "smiles", "datatype": "BYTES", "shape": shape, "data": ["C", "C"]}]});
    let huge = i64::MAX;
    for shape in
        [json!([1]), json!([3]), json!([2, 2]), json!([1, 2]), json!([]), json!([-2]), json!([huge]), json!([huge, 1])]
    {
        let sentence = refused(&server, with(shape.clone())).await;
        assert!(sentence.contains("shape"), "{shape}: {sentence}");
    }
    let not_whole = server.infer(INFER, with(json!([2.5]))).await;
    assert_eq!(not_whole.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn inputs_must_be_the_models() {
    let server = Fixture::default();
    let input = |name: &str, datatype: &str| json!({"name": name, "datatype": datatype, "shape": [1], "data": ["C"]});
    let sentence = refused(&server, json!({"inputs": [input("text", "BYTES")]})).await;
    assert!(sentence.contains("\"text\"") && sentence.contains("\"smiles\""), "{sentence}");
    assert!(refused(&server, json!({"inputs": [input("smiles", "FP32")]})).await.contains("BYTES"));
    assert!(refused(&server, json!({"inputs": []})).await.contains("0 inputs"));
    let twice = json!({"inputs": [input("smiles", "BYTES"), input("smiles", "BYTES")]});
    assert!(refused(&server, twice).await.contains("2 inputs"));
}

#[tokio::test]
async fn data_is_a_list_of_strings() {
    let server = Fixture::default();
    for data in [json!("C"), json!([1]), json!([null]), json!({"b64": "Qw=="}), json!([["C", 1]]), json!([[["C"]]])] {
        let request = json!({"inputs": [{"name": "smiles", "datatype": "BYTES", "shape": [1], "data": data}]});
        let sentence = refused(&server, request).await;
        assert!(sentence.contains("data"), "{data}: {sentence}");
    }
    let none = json!({"inputs": [{"name": "smiles", "datatype": "BYTES", "shape": [1]}]});
    assert!(refused(&server, none).await.contains("no data"));
}

#[tokio::test]
async fn no_molecules_are_refused() {
    let answer = Fixture::default().infer(INFER, ask(&[])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_a_sentence() {
    let server = Fixture::default();
    for body in ["", "{", "[]", "7", r#"{"inputs":7}"#, r#"{"instances":["C"]}"#] {
        let answer = server.send(Request::post(INFER).body(body.into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.error().starts_with("the body "), "{answer:?}");
    }
    let form = Request::post(INFER).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(server.send(form.body("a=b".into()).unwrap()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn tensors_go_and_come_as_bytes() {
    let tensors = raw(&[b"CCO", b"C"]);
    let request = json!({
        "parameters": {"binary_data_output": true},
        "inputs": [{
            "name": "smiles", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": tensors.len()}
        }]
    });
    let answer = send_binary(&Fixture::default(), &request, &tensors).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let (json, values) = answer.split();
    assert_eq!(json["outputs"][0]["parameters"], json!({"binary_data_size": 8}));
    assert!(json["outputs"][0].get("data").is_none(), "{json}");
    assert_eq!(values, [19.0_f32.to_le_bytes(), 9.0_f32.to_le_bytes()].concat());
}

#[tokio::test]
async fn an_output_says_itself_whether_it_is_binary() {
    let server = Fixture::default();
    let mut request = ask(&["C"]);
    request["outputs"] = json!([
        {"name": "sum", "parameters": {"binary_data": true}}, {"name": "error", "parameters": {"binary_data": false}}
    ]);
    let (json, values) = server.bytes(post(&request)).await.split();
    assert_eq!(values, 9.0_f32.to_le_bytes());
    assert_eq!(json["outputs"][1]["data"], json!([""]));
    request["parameters"] = json!({"binary_data_output": true});
    request["outputs"] = json!([{"name": "sum", "parameters": {"binary_data": false}}, {"name": "error"}]);
    let (json, values) = server.bytes(post(&request)).await.split();
    assert_eq!(json["outputs"][0]["data"], json!([9.0]));
    assert_eq!(values, raw(&[b""]));
}

#[tokio::test]
async fn a_body_without_json_is_one_molecule() {
    let request = Request::post(INFER).header("Inference-Header-Content-Length", "0");
    let (json, values) = Fixture::default().bytes(request.body("CCO".into()).unwrap()).await.split();
    assert_eq!(json["outputs"][0]["shape"], json!([1]));
    assert_eq!(values, 19.0_f32.to_le_bytes());
}

#[tokio::test]
async fn bytes_that_are_no_tensor_are_refused() {
    let server = Fixture::default();
    let whole = raw(&[b"C", b"CO"]);
    let sized = |size: usize| {
        let parameters = json!({"binary_data_size": size});
        json!({"inputs": [{"name": "smiles", "datatype": "BYTES", "shape": [2], "parameters": parameters}]})
    };
    let too_long = [&9_u32.to_le_bytes(), b"C".as_slice()].concat();
    let cases: [(usize, &[u8], &str); 6] = [
        (whole.len(), &whole[..whole.len() - 1], "left in the body"),
        (whole.len() - 1, &whole[..whole.len() - 1], "element 1"),
        (whole.len(), &[whole.as_slice(), b"!"].concat(), "left behind"),
        (2, &whole[..2], "length of element 0"),
        (too_long.len(), &too_long, "element 0"),
        (usize::MAX, &whole, "left in the body"),
    ];
    for (size, tensors, words) in cases {
        let answer = send_binary(&server, &sized(size), tensors).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{words}");
        assert!(answer.text().contains(words), "{words}: {}", answer.text());
    }
    let both = json!({"inputs": [{
        "name": "smiles", "datatype": "BYTES", "shape": [2], "data": ["C", "C"], "parameters": {"binary_data_size": 1}
    }]});
    assert!(send_binary(&server, &both, b"C").await.text().contains("both"));
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused() {
    let tensors = raw(&[b"C", b"C\xff"]);
    let request = json!({"inputs": [{
        "name": "smiles", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": tensors.len()}
    }]});
    let answer = send_binary(&Fixture::default(), &request, &tensors).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("smiles[1] is not UTF-8 from its byte 1 on"), "{}", answer.text());
}

#[tokio::test]
async fn a_header_length_that_cannot_be_is_refused() {
    let server = Fixture::default();
    for length in ["-1", "x", "100000", "99999999999999999999"] {
        let request = Request::post(INFER).header("inference-header-content-length", length);
        let answer = server.send(request.body(ask(&["C"]).to_string().into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{length}");
        assert!(answer.error().contains("inference-header-content-length"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_unpacked_and_its_limit_is_on_what_it_unpacks_to() {
    let server = Fixture::default();
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zlib = |bytes: &[u8]| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let body = ask(&["CCO"]).to_string();
    for (encoding, packed) in [("gzip", gzip(body.as_bytes())), ("deflate", zlib(body.as_bytes()))] {
        let request = Request::post(INFER).header("content-encoding", encoding);
        assert_eq!(data(&server.send(request.body(packed.into()).unwrap()).await), &json!([19.0]), "{encoding}");
    }
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let request = Request::post(INFER).header("content-encoding", "gzip").body(bomb.into()).unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let broken = Request::post(INFER).header("content-encoding", "gzip").body("no gzip".into()).unwrap();
    assert_eq!(server.send(broken).await.status, StatusCode::BAD_REQUEST);
    let unknown = Request::post(INFER).header("content-encoding", "br").body("?".into()).unwrap();
    assert_eq!(server.send(unknown).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn metadata_tells_the_model_and_the_server() {
    let server = Fixture::default();
    let text = |name: &str| json!({"name": name, "datatype": "BYTES", "shape": [-1]});
    let metadata = json!({
        "name": "boiling-point", "versions": ["v1"], "platform": "onnx_onnxv1", "inputs": [text("smiles")],
        "outputs": [{"name": "sum", "datatype": "FP32", "shape": [-1]}, text("error")]
    });
    for path in ["/v2/models/boiling-point", "/v2/models/boiling-point/versions/v1"] {
        let answer = get(&server, path).await;
        assert_eq!((answer.status, &answer.body), (StatusCode::OK, &metadata));
    }
    assert_eq!(get(&server, "/v2/models/x").await.status, StatusCode::NOT_FOUND);
    let answer = get(&server, "/v2").await;
    assert_eq!(answer.body["extensions"], json!(["binary_tensor_data"]));
}

#[tokio::test]
async fn health_is_told_by_status_and_by_field() {
    let server = Fixture::default();
    assert_eq!(get(&server, "/v2/health/live").await.body, json!({"live": true}));
    assert_eq!(get(&server, "/v2/health/ready").await.body, json!({"live": true, "ready": true}));
    let ready = get(&server, "/v2/models/boiling-point/ready").await;
    assert_eq!(ready.body, json!({"name": "boiling-point", "ready": true}));
    server.app.health.enter(chemmodel_inference::health::Phase::Draining);
    for path in ["/v2/health/ready", "/v2/models/boiling-point/ready"] {
        assert_eq!(get(&server, path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    assert_eq!(get(&server, "/v2/health/live").await.status, StatusCode::OK);
}

fn post(body: &Value) -> Request<Body> {
    Request::post(INFER).body(body.to_string().into()).unwrap()
}
