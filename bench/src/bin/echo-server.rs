//! The request path alone: the server with an engine that answers at once.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use chemmodel_bundle::{Aggregate, BundleDigest, Output, TOKENIZER_FILE, Transform};
use chemmodel_inference::batch::form::BatchLimits;
use chemmodel_inference::batch::queue::Queue;
use chemmodel_inference::batch::worker::Worker;
use chemmodel_inference::cache::Answers;
use chemmodel_inference::engine::{Batch, Engine, EngineError, Input, RawAnswers};
use chemmodel_inference::health::Phase;
use chemmodel_inference::http::accept::{ConnectionLimits, End, Port, serve};
use chemmodel_inference::http::{self, App};
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::preprocess::Preprocessor;
use chemmodel_inference::preprocess::sequence::SequencePreprocessor;
use chemmodel_inference::service::{Audit, Identity, Service};
use clap::Parser;
use mimalloc::MiMalloc;
use tokio::net::TcpListener;

/// The server's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Serves `/predict` with the tokenizer of a bundle and without a network.
#[derive(Parser)]
struct Args {
    /// Directory of the bundle
    #[arg(long)]
    bundle: PathBuf,
    /// Where it listens
    #[arg(long)]
    address: SocketAddr,
}

struct Echo;

impl Engine for Echo {
    fn run(&mut self, batch: &Batch) -> Result<RawAnswers, EngineError> {
        Ok(RawAnswers { members: vec![vec![1.0; batch.molecules()]], outputs: 1 })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let metrics = Arc::new(Metrics::new("echo", "v1", "")?);
    let app = App::new(metrics.clone());
    let preprocessor = SequencePreprocessor::from_file(&args.bundle.join(TOKENIZER_FILE), 512, 1000)
        .map_err(|why| anyhow::anyhow!("the tokenizer: {why}"))?;
    let preprocessor = Preprocessor::Sequence(preprocessor);
    let layout = preprocessor.layout();
    let queue = Arc::new(Queue::new(1024, metrics.queue_items.clone()));
    let worker = Worker {
        engine: Box::new(Echo),
        queue: queue.clone(),
        limits: BatchLimits { layout, tokens: 16384, items: 256, overhead: 64 },
        probe: Batch::of(&[&Input::Tokens(vec![1])], layout),
        pulse: app.health.add_pulse(),
        metrics: metrics.clone(),
        runtime: tokio::runtime::Handle::current(),
    };
    worker.spawn()?;
    let output = Output {
        name: "echo".to_owned(),
        property: None,
        unit: None,
        transform: Transform::None,
        scale: 1.0,
        center: 0.0,
    };
    let service = Service {
        identity: Identity {
            model: "echo".to_owned(),
            version: "v1".to_owned(),
            revision: String::new(),
            digest: BundleDigest::of(b"echo"),
        },
        outputs: vec![output],
        members: 1,
        aggregate: Aggregate::Mean,
        preprocessor: Arc::new(preprocessor),
        audit: Audit::Off,
        answers: Answers::new(0, None, metrics.clone()),
        queue,
        max_items: 1024,
        metrics,
    };
    let _ = app.service.set(Arc::new(service));
    app.health.enter(Phase::Ready);
    let listener = TcpListener::bind(args.address).await?;
    let router = http::router(Arc::new(app));
    let port = Port { listener, router, tls: None };
    serve(port, ConnectionLimits::default(), End::default(), Duration::ZERO).await;
    Ok(())
}
