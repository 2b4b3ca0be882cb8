//! Traces: a span for each request and for each batch, linked to each other. They are of a target of their own, so that they cost nothing
//! when nobody collects them, and log lines stay free of them. Context between processes is that of W3C: `traceparent`.

use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The target of all spans.
pub const TARGET: &str = "chemmodel_trace";

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

/// A request, as a part of whatever its caller is doing.
pub fn request(headers: &HeaderMap, route: &str) -> Span {
    let span = info_span!(target: TARGET, "request", otel.kind = "server", otel.name = route, http.response.status_code = tracing::field::Empty);
    if !span.is_disabled() {
        // Without a trace of the caller, or when it makes no sense, the request begins one.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(headers)));
    }
    span
}

/// The work of reading a part of a request.
pub fn preprocess(molecules: usize) -> Span {
    info_span!(target: TARGET, "preprocess", molecules)
}

/// A batch, linked to the requests that it is for.
pub fn batch<'a>(molecules: usize, tokens: usize, members: impl Iterator<Item = &'a Span>) -> Span {
    let span = info_span!(target: TARGET, parent: None, "batch", molecules, tokens);
    if !span.is_disabled() {
        for member in members {
            span.follows_from(member);
        }
    }
    span
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceId, TracerProvider as _};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn a_request_continues_the_trace_of_its_caller_and_a_batch_is_linked_to_it() {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let mut headers = HeaderMap::new();
        let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        headers.insert("traceparent", caller.parse().unwrap());

        let request = request(&headers, "POST /predict");
        drop(batch(1, 5, [&request].into_iter()));
        drop(request);
        let spans = exporter.get_finished_spans().unwrap();
        let (batch, request) = (&spans[0], &spans[1]);
        assert_eq!(request.name, "POST /predict");
        assert_eq!(request.span_context.trace_id(), TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap());
        assert_eq!(request.parent_span_id, SpanId::from_hex("b7ad6b7169203331").unwrap());
        assert_eq!(batch.links.links[0].span_context.span_id(), request.span_context.span_id());
        assert_ne!(batch.span_context.trace_id(), request.span_context.trace_id(), "a batch is of many requests");
    }
}
