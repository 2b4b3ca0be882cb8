//! The Open Inference Protocol over gRPC, by a client over a real connection.

use std::time::Duration;

use bytes::Bytes;
use chemmodel_inference::grpc::proto::grpc_inference_service_client::GrpcInferenceServiceClient;
use chemmodel_inference::grpc::proto::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use chemmodel_inference::grpc::proto::{
    InferTensorContents, ModelInferRequest, ModelInferResponse, ModelMetadataRequest, ModelReadyRequest,
    ServerLiveRequest, ServerMetadataRequest, ServerReadyRequest,
};
use chemmodel_inference::grpc::router;
use chemmodel_inference::health::Phase;
use chemmodel_inference::http::accept::{ConnectionLimits, End, Port, serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::fixture::{Fixture, Options};

/// A limit that must not be what ends a test.
const NEVER: Duration = Duration::from_hours(1);

struct Server {
    fixture: Fixture,
    end: End,
    serving: JoinHandle<()>,
    channel: Channel,
}

impl Server {
    async fn start(options: Options) -> Self {
        let fixture = Fixture::new(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let end = End::default();
        let router = router(fixture.app.clone()).unwrap();
        let limits = ConnectionLimits::default();
        let serving = tokio::spawn(serve(Port { listener, router, tls: None }, limits, end.clone(), NEVER));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { fixture, end, serving, channel }
    }

    fn client(&self) -> GrpcInferenceServiceClient<Channel> {
        GrpcInferenceServiceClient::new(self.channel.clone())
    }

    async fn infer(&self, request: ModelInferRequest) -> Result<ModelInferResponse, Status> {
        self.client().model_infer(request).await.map(tonic::Response::into_inner)
    }

    async fn refused(&self, request: ModelInferRequest) -> Status {
        self.infer(request).await.unwrap_err()
    }
}

fn tensor(rows: usize) -> InferInputTensor {
    InferInputTensor {
        name: "smiles".to_owned(),
        datatype: "BYTES".to_owned(),
        shape: vec![i64::try_from(rows).unwrap()],
        ..Default::default()
    }
}

fn request(inputs: Vec<InferInputTensor>) -> ModelInferRequest {
    ModelInferRequest { model_name: "boiling-point".to_owned(), inputs, ..Default::default() }
}

/// With the molecules as typed contents.
fn typed(smiles: &[&str]) -> ModelInferRequest {
    let bytes_contents = smiles.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
    let contents = InferTensorContents { bytes_contents, ..Default::default() };
    request(vec![InferInputTensor { contents: Some(contents), ..tensor(smiles.len()) }])
}

/// With the molecules as raw contents.
fn raw(smiles: &[&str]) -> ModelInferRequest {
    let length = |text: &str| u32::try_from(text.len()).unwrap().to_le_bytes();
    let bytes: Vec<u8> = smiles.iter().flat_map(|text| [&length(text), text.as_bytes()].concat()).collect();
    ModelInferRequest { raw_input_contents: vec![bytes.into()], ..request(vec![tensor(smiles.len())]) }
}

#[tokio::test]
async fn typed_molecules_get_typed_predictions() {
    let server = Server::start(Options::default()).await;
    let answer = server.infer(ModelInferRequest { id: "7".to_owned(), ..typed(&["CCO", "C"]) }).await.unwrap();
    assert_eq!(
        (answer.model_name.as_str(), answer.model_version.as_str(), answer.id.as_str()),
        ("boiling-point", "v1", "7")
    );
    let [output] = answer.outputs.as_slice() else { panic!("{answer:?}") };
    assert_eq!(
        (output.name.as_str(), output.datatype.as_str(), output.shape.as_slice()),
        ("sum", "FP32", [2].as_slice())
    );
    assert_eq!(output.contents.as_ref().unwrap().fp32_contents, [19.0, 9.0]);
    assert!(answer.raw_output_contents.is_empty());
}

#[tokio::test]
async fn raw_molecules_get_raw_predictions() {
    let server = Server::start(Options::default()).await;
    let answer = server.infer(raw(&["CCO", "C"])).await.unwrap();
    assert!(answer.outputs[0].contents.is_none(), "{answer:?}");
    assert_eq!(answer.raw_output_contents, [[19.0_f32.to_le_bytes(), 9.0_f32.to_le_bytes()].concat()]);
}

#[tokio::test]
async fn raw_and_typed_contents_do_not_mix() {
    let server = Server::start(Options::default()).await;
    let mixed = ModelInferRequest { raw_input_contents: raw(&["C"]).raw_input_contents, ..typed(&["C"]) };
    let refused = server.refused(mixed).await;
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("raw_input_contents"), "{refused}");
    let two = ModelInferRequest { raw_input_contents: vec![Bytes::new(), Bytes::new()], ..raw(&["C"]) };
    assert_eq!(server.refused(two).await.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn what_is_wrong_has_the_code_that_says_so() {
    let server = Server::start(Options::default()).await;
    let other = ModelInferRequest { model_name: "x".to_owned(), ..typed(&["C"]) };
    assert_eq!(server.refused(other).await.code(), Code::NotFound);
    let version = ModelInferRequest { model_version: "v9".to_owned(), ..typed(&["C"]) };
    assert_eq!(server.refused(version).await.code(), Code::NotFound);
    let shape = request(vec![InferInputTensor { contents: typed(&["C"]).inputs[0].contents.clone(), ..tensor(2) }]);
    assert_eq!(server.refused(shape).await.code(), Code::InvalidArgument);
    let molecule = server.refused(typed(&["C", "C C"])).await;
    assert_eq!(molecule.code(), Code::InvalidArgument);
    assert!(molecule.message().starts_with("smiles[1]: "), "{molecule}");
    assert_eq!(server.refused(typed(&["Z"])).await.code(), Code::Internal);
    assert_eq!(server.refused(typed(&[])).await.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn errors_of_rows_are_told_to_those_who_ask() {
    let server = Server::start(Options::default()).await;
    let wanted =
        ["sum", "error"].map(|name| InferRequestedOutputTensor { name: name.to_owned(), ..Default::default() });
    let answer = server.infer(ModelInferRequest { outputs: wanted.to_vec(), ..typed(&["C C", "C"]) }).await.unwrap();
    let values = &answer.outputs[0].contents.as_ref().unwrap().fp32_contents;
    assert!(values[0].is_nan() && (values[1] - 9.0).abs() < 1e-6, "{values:?}");
    let errors = &answer.outputs[1].contents.as_ref().unwrap().bytes_contents;
    assert!(!errors[0].is_empty() && errors[1].is_empty(), "{errors:?}");
}

#[tokio::test]
async fn a_full_queue_is_exhausted() {
    let server = Server::start(Options { queue: 1, ..Options::default() }).await;
    server.fixture.engine.hold();
    let running = server.fixture.start(serde_json::json!({"smiles": "C"}));
    server.fixture.wait_until_running().await;
    let waiting = server.fixture.start(serde_json::json!({"smiles": "C"}));
    server.fixture.wait_for_queue(1).await;
    assert_eq!(server.refused(typed(&["C"])).await.code(), Code::ResourceExhausted);
    server.fixture.engine.release();
    assert!(running.await.unwrap().status.is_success() && waiting.await.unwrap().status.is_success());
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_goes_on() {
    let server = Server::start(Options::default()).await;
    assert_eq!(server.refused(typed(&["P"])).await.code(), Code::Internal);
    assert!(server.infer(typed(&["C"])).await.is_ok());
}

#[tokio::test]
async fn metadata_and_health_tell_the_same_as_over_http() {
    let server = Server::start(Options::default()).await;
    let mut client = server.client();
    let (name, version) = ("boiling-point".to_owned(), String::new());
    let model = client.model_metadata(ModelMetadataRequest { name: name.clone(), version: version.clone() }).await;
    let model = model.unwrap().into_inner();
    assert_eq!((model.platform.as_str(), model.versions), ("onnx_onnxv1", vec!["v1".to_owned()]));
    assert_eq!((model.inputs[0].name.as_str(), model.inputs[0].shape.as_slice()), ("smiles", [-1].as_slice()));
    assert_eq!(model.outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>(), ["sum", "error"]);
    let known = client.server_metadata(ServerMetadataRequest {}).await.unwrap().into_inner();
    assert_eq!(known.extensions, ["binary_tensor_data"]);
    assert!(client.server_live(ServerLiveRequest {}).await.unwrap().into_inner().live);
    assert!(client.server_ready(ServerReadyRequest {}).await.unwrap().into_inner().ready);
    let ready = ModelReadyRequest { name, version };
    assert!(client.model_ready(ready.clone()).await.unwrap().into_inner().ready);
    server.fixture.app.health.enter(Phase::Draining);
    assert!(!client.server_ready(ServerReadyRequest {}).await.unwrap().into_inner().ready);
    assert!(!client.model_ready(ready).await.unwrap().into_inner().ready);
}

#[tokio::test]
async fn the_standard_health_service_is_asked_and_watched() {
    let server = Server::start(Options::default()).await;
    let mut health = HealthClient::new(server.channel.clone());
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
    for service in ["", "inference.GRPCInferenceService"] {
        let status = health.check(ask(service)).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving);
    }
    assert_eq!(health.check(ask("x")).await.unwrap_err().code(), Code::NotFound);
    let mut changes = health.watch(ask("")).await.unwrap().into_inner();
    assert_eq!(changes.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.fixture.app.health.enter(Phase::Draining);
    assert_eq!(changes.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn a_server_that_leaves_says_so_to_its_connections_and_answers_all_the_same() {
    let server = Server::start(Options::default()).await;
    server.fixture.engine.hold();
    let mut client = server.client();
    let begun = tokio::spawn(async move { client.model_infer(typed(&["C"])).await });
    server.fixture.wait_until_running().await;
    server.end.leave.cancel();
    server.fixture.engine.release();
    assert!(begun.await.unwrap().is_ok(), "what was begun is not answered");
    // The client's connection is closed behind it, and it makes another one: nobody is turned away yet.
    assert!(server.infer(typed(&["C"])).await.is_ok());
    server.end.stop.cancel();
    let Server { serving, channel, fixture: _fixture, .. } = server;
    drop(channel);
    serving.await.unwrap();
}
