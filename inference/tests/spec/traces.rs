//! Traces as a collector gets them: OTLP over gRPC from the program itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chemmodel_inference::http::accept::{ConnectionLimits, End, Port, serve};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::support::bundle::committed;
use crate::support::program::{Program, exchange, post};

/// Of the caller's trace, as W3C writes it: `00-TRACE-SPAN-01`.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Keeps what it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().unwrap().extend(spans.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Listens until the test ends; returns the address.
    async fn serve(&self) -> String {
        let router = Routes::new(TraceServiceServer::new(self.clone())).into_axum_router();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let port = Port { listener, router, tls: None };
        tokio::spawn(serve(port, ConnectionLimits::default(), End::default(), Duration::ZERO));
        format!("http://{address}")
    }

    fn span(&self, name: &str) -> Span {
        let spans = self.0.lock().unwrap();
        let found = spans.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("there is no span {name:?} in {spans:?}")).clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_continues_the_trace_of_its_caller_and_its_batch_is_linked_to_it() {
    let collector = Collector::default();
    let address = collector.serve().await;
    tokio::task::spawn_blocking(move || {
        let program = Program::start(&committed(), &["--drain-seconds", "0", "--otlp-endpoint", &address]);
        program.wait_for_log("ready");
        let request = post(r#"{"smiles":["CCO","CCN"]}"#, "close");
        let traced = request.replacen("\r\n", &format!("\r\ntraceparent: 00-{TRACE}-{PARENT}-01\r\n"), 1);
        assert!(exchange(program.predictions, &traced).starts_with("HTTP/1.1 200"));
        // What has been collected is sent before the end.
        program.signal("TERM");
        assert_eq!(program.wait().code(), Some(0));
    })
    .await
    .unwrap();

    let (request, preprocess, batch) =
        (collector.span("/predict"), collector.span("preprocess"), collector.span("batch"));
    assert_eq!((hex::encode(&request.trace_id), hex::encode(&request.parent_span_id)), (TRACE.into(), PARENT.into()));
    assert_eq!(preprocess.parent_span_id, request.span_id);
    assert_eq!(batch.links[0].span_id, request.span_id);
    let text = format!("{:?}", collector.0.lock().unwrap());
    assert!(!text.contains("CCO"), "a molecule is in a trace: {text}");
}
