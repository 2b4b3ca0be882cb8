//! The Open Inference Protocol over gRPC, and beside it health and reflection. What it means is in [`crate::infer`].

mod convert;
mod health;
mod timeout;

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse as _;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_server::HealthServer;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use self::proto::grpc_inference_service_server::{GrpcInferenceService, GrpcInferenceServiceServer};
use self::proto::{
    ModelInferRequest, ModelInferResponse, ModelMetadataRequest, ModelMetadataResponse, ModelReadyRequest,
    ModelReadyResponse, ServerLiveRequest, ServerLiveResponse, ServerMetadataRequest, ServerMetadataResponse,
    ServerReadyRequest, ServerReadyResponse,
};
use crate::access::Denied;
use crate::batch::worker::panic_text;
use crate::http::{App, Caller, InFlight, MAX_BODY_BYTES, wants_fresh};
use crate::infer::contract::EXTENSIONS;
use crate::infer::{self, Fault};
use crate::service::{Call, Refusal, RowError, Service};
use crate::trace;

/// Messages of the protocol.
#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated from proto/")]
pub mod proto {
    tonic::include_proto!("inference");
}

/// What reflection tells.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Everything that is served on the port of gRPC.
pub fn router(app: Arc<App>) -> Result<Router, tonic_reflection::server::Error> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let (panics, access) = (app.metrics.panics.clone(), app.clone());
    let answer_panic = move |panic: Box<dyn Any + Send>| {
        panics.inc();
        tracing::error!(panic = panic_text(&*panic), "a call panicked; this is a defect of the server");
        Status::internal("the server has a defect; its log says more").into_http::<axum::body::Body>().into_response()
    };
    let protocol = GrpcInferenceServiceServer::new(Protocol { app: app.clone() });
    let routes = Routes::new(protocol.max_decoding_message_size(MAX_BODY_BYTES))
        .add_service(HealthServer::new(health::Health { app }))
        .add_service(reflection);
    let routes = routes.prepare().into_axum_router().layer(CatchPanicLayer::custom(answer_panic));
    Ok(routes.layer(from_fn_with_state(access, authorise)))
}

/// Turns away who may not ask. Health is everybody's business.
async fn authorise(
    State(app): State<Arc<App>>,
    mut request: axum::extract::Request,
    next: Next,
) -> axum::response::Response {
    if request.uri().path().starts_with("/grpc.health.v1.Health/") {
        return next.run(request).await;
    }
    match app.access.check(request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(Caller(caller));
            next.run(request).await
        }
        Err(denied) => Status::from(denied).into_http::<axum::body::Body>().into_response(),
    }
}

impl From<Denied> for Status {
    fn from(denied: Denied) -> Self {
        let code = match denied {
            Denied::Missing | Denied::Unknown => Code::Unauthenticated,
            Denied::Forbidden(_) => Code::PermissionDenied,
            Denied::Unavailable => Code::Unavailable,
        };
        Self::new(code, denied.to_string())
    }
}

/// The protocol for one server.
pub struct Protocol {
    app: Arc<App>,
}

impl Protocol {
    fn serving(&self) -> Result<&Arc<Service>, Status> {
        self.app.serving().map_err(Status::unavailable)
    }

    fn is_ready(&self) -> bool {
        self.app.health.ready(Instant::now()).is_ok()
    }

    async fn infer(&self, request: ModelInferRequest, call: Call) -> Result<ModelInferResponse, Status> {
        let service = self.serving()?;
        service.admit().map_err(Fault::from)?;
        let id = request.id.clone();
        let raw = !request.raw_input_contents.is_empty();
        let answer = infer::infer(service, convert::request(request, call)?).await?;
        Ok(convert::answer(&service.identity, id, answer, raw))
    }
}

#[tonic::async_trait]
impl GrpcInferenceService for Protocol {
    async fn server_live(&self, _: Request<ServerLiveRequest>) -> Result<Response<ServerLiveResponse>, Status> {
        Ok(Response::new(ServerLiveResponse { live: self.app.health.live(Instant::now()).is_ok() }))
    }

    async fn server_ready(&self, _: Request<ServerReadyRequest>) -> Result<Response<ServerReadyResponse>, Status> {
        Ok(Response::new(ServerReadyResponse { ready: self.is_ready() }))
    }

    async fn model_ready(&self, request: Request<ModelReadyRequest>) -> Result<Response<ModelReadyResponse>, Status> {
        let ModelReadyRequest { name, version } = request.into_inner();
        // A model that is not here is not ready; Triton answers so too, and clients take an error for a broken server.
        let is_here = self.app.serving().is_ok_and(|service| infer::check_name(service, &name, &version).is_ok());
        Ok(Response::new(ModelReadyResponse { ready: is_here && self.is_ready() }))
    }

    async fn server_metadata(
        &self,
        _: Request<ServerMetadataRequest>,
    ) -> Result<Response<ServerMetadataResponse>, Status> {
        Ok(Response::new(ServerMetadataResponse {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            extensions: EXTENSIONS.map(str::to_owned).to_vec(),
        }))
    }

    async fn model_metadata(
        &self,
        request: Request<ModelMetadataRequest>,
    ) -> Result<Response<ModelMetadataResponse>, Status> {
        let ModelMetadataRequest { name, version } = request.into_inner();
        let service = self.serving()?;
        infer::check_name(service, &name, &version)?;
        Ok(Response::new(convert::metadata(service)))
    }

    async fn model_infer(&self, request: Request<ModelInferRequest>) -> Result<Response<ModelInferResponse>, Status> {
        let _in_flight = InFlight::enter(&self.app.metrics.requests_in_flight);
        let started = Instant::now();
        let deadline = started
            + timeout::of(request.metadata()).map_or(self.app.request_timeout, |own| own.min(self.app.request_timeout));
        let Caller(caller) = Caller::of(request.extensions());
        let headers = request.metadata().clone().into_headers();
        let call = Call { caller, deadline: Some(deadline), fresh: wants_fresh(&headers) };
        let span = trace::request(&headers, "inference.GRPCInferenceService/ModelInfer");
        let infer = self.infer(request.into_inner(), call).instrument(span);
        let answer = tokio::time::timeout_at(deadline.into(), infer).await;
        let answer = answer.unwrap_or_else(|_| {
            Err(Status::deadline_exceeded("no answer in time; the server is overloaded, try again later"))
        });
        self.app.metrics.request_seconds.observe(started.elapsed().as_secs_f64());
        let outcome = answer.as_ref().map_or_else(|status| outcome(status.code()), |_| "ok");
        self.app.metrics.requests.with_label_values(&[outcome]).inc();
        answer.map(Response::new)
    }
}

/// The same words as for HTTP.
fn outcome(code: Code) -> &'static str {
    match code {
        Code::ResourceExhausted => "overloaded",
        Code::Unavailable | Code::DeadlineExceeded => "unavailable",
        Code::InvalidArgument | Code::NotFound => "rejected",
        _ => "failed",
    }
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        let code = match &fault {
            Fault::NoSuchModel { .. } | Fault::NoSuchVersion { .. } => Code::NotFound,
            Fault::Invalid(_)
            | Fault::Row { why: RowError::Molecule(_), .. }
            | Fault::Refused(Refusal::NoItems | Refusal::TooManyItems { .. }) => Code::InvalidArgument,
            Fault::Row { why: RowError::Engine | RowError::NotFinite, .. } => Code::Internal,
            Fault::Refused(Refusal::Overloaded { .. } | Refusal::TooLate { .. }) => Code::ResourceExhausted,
            Fault::Refused(Refusal::Stopped) => Code::Unavailable,
        };
        Self::new(code, fault.to_string())
    }
}
