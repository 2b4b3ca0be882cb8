//! Log lines on standard error, traces to a collector when there is one, and the last sentence for Kubernetes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Dispatch;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use crate::args::{Args, LogFormat};
use crate::error::StartError;
use crate::trace;

/// The kubelet cuts a termination message here.
const MAX_TERMINATION_MESSAGE_BYTES: usize = 4096;

/// Sends what has been collected when it is dropped.
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Sends log lines to standard error; `RUST_LOG` chooses which, by default `info` and the runtime's warnings. Traces go to the collector of
/// `--otlp-endpoint`. Must be called within a runtime.
pub fn init(args: &Args) -> Result<Telemetry, StartError> {
    let provider = args.otlp_endpoint.as_deref().map(|address| traces(args, address)).transpose()?;
    // It fails only when a subscriber is there already, and then the lines go to that one.
    let _ = subscriber(args.log_format, provider.as_ref()).try_init();
    Ok(Telemetry(provider))
}

fn subscriber(format: LogFormat, provider: Option<&SdkTracerProvider>) -> Dispatch {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,ort=warn"));
    let filter = filter.and(filter_fn(|metadata| metadata.target() != trace::TARGET));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(false).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
    // No `Option` of a layer: one that is `None` filters nothing, so each request would have its spans for nobody.
    let Some(provider) = provider else { return subscriber.into() };
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(env!("CARGO_PKG_NAME")));
    subscriber.with(layer.with_filter(filter_fn(|metadata| metadata.target() == trace::TARGET))).into()
}

fn traces(args: &Args, address: &str) -> Result<SdkTracerProvider, StartError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(address).build();
    let exporter = exporter.map_err(|error| StartError::Traces(error.to_string()))?;
    let (name, version) = (args.name.clone(), args.version.clone());
    let attributes = [("chemmodel.model", name.clone()), ("service.version", version)];
    let attributes = attributes.map(|(key, value)| opentelemetry::KeyValue::new(key, value));
    let resource = Resource::builder().with_service_name(name).with_attributes(attributes).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Leaves `sentence` where the kubelet looks for the reason of a container's end. Outside a Pod there is no such file,
/// and failing to write it must not hide the reason itself, which the log has.
pub fn write_termination_message(path: &Path, sentence: &str) {
    let end = sentence.floor_char_boundary(MAX_TERMINATION_MESSAGE_BYTES);
    // Never created: a file of that name outside a Pod would only be litter.
    if let Ok(mut file) = OpenOptions::new().write(true).truncate(true).open(path)
        && let Err(error) = file.write_all(&sentence.as_bytes()[..end])
    {
        tracing::warn!(%error, path = %path.display(), "the termination message could not be written");
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    fn has_a_span(provider: Option<&SdkTracerProvider>) -> bool {
        tracing::dispatcher::with_default(&subscriber(LogFormat::Text, provider), || {
            !trace::request(&HeaderMap::new(), "/predict").is_disabled()
        })
    }

    #[test]
    fn a_request_has_a_span_only_for_a_collector() {
        assert!(!has_a_span(None));
        assert!(has_a_span(Some(&SdkTracerProvider::builder().build())));
    }
}
