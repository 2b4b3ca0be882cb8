//! A whole server without a socket, over an engine that answers at once: what is fuzzed is everything before and behind it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chemmodel_bundle::{Aggregate, BundleDigest, Domain, Features, Output, Transform};
use chemmodel_inference::batch::form::BatchLimits;
use chemmodel_inference::batch::queue::Queue;
use chemmodel_inference::batch::worker::Worker;
use chemmodel_inference::cache::Answers;
use chemmodel_inference::engine::{Batch, Engine, EngineError, Input, RawAnswers};
use chemmodel_inference::health::Phase;
use chemmodel_inference::http::{self, App};
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::preprocess::Preprocessor;
use chemmodel_inference::preprocess::graph::GraphPreprocessor;
use chemmodel_inference::preprocess::sequence::SequencePreprocessor;
use chemmodel_inference::service::{Audit, Identity, Service};
use http_body_util::BodyExt as _;
use tokenizers::Tokenizer;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

struct Echo;

impl Engine for Echo {
    fn run(&mut self, batch: &Batch) -> Result<RawAnswers, EngineError> {
        Ok(RawAnswers { members: vec![vec![1.0; batch.molecules()]], outputs: 1 })
    }
}

/// The tokenizer of the committed bundle.
pub fn tokenizer() -> SequencePreprocessor {
    let bytes = include_bytes!("../../examples/models/boiling-point/v2/tokenizer.json");
    SequencePreprocessor::new(Tokenizer::from_bytes(bytes).unwrap(), 512, 1000).unwrap()
}

/// A graph model of carbon and hydrogen, which has seen one environment.
pub fn graphs(max_length: usize) -> GraphPreprocessor {
    let features = serde_json::json!({
        "schema": "chemmodel.io/features/v1", "scheme": "nfp-v1",
        "atoms": {"('C', 4, 0, 0, False)": 2, "('H', 1, 0, 0, False)": 3},
        "bonds": {"(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['C', 'H'])": 2},
        "messages": 4,
    });
    let domain = serde_json::json!({"schema": "chemmodel.io/domain/v1", "scheme": "morgan-r2", "environments": [2_246_728_737_u32]});
    let features = Features::parse(features.to_string().as_bytes()).unwrap();
    let domain = Domain::parse(domain.to_string().as_bytes()).unwrap();
    GraphPreprocessor::new(&features, Some(domain), max_length, 1000).unwrap()
}

/// A server.
pub struct Server {
    router: Router,
    app: Arc<App>,
    runtime: Runtime,
}

impl Server {
    /// Ready to answer.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let metrics = Arc::new(Metrics::new("fuzz", "v1", "").unwrap());
        let app = App::new(metrics.clone());
        let preprocessor = Preprocessor::Sequence(tokenizer());
        let layout = preprocessor.layout();
        let queue = Arc::new(Queue::new(1024, metrics.queue_items.clone()));
        let worker = Worker {
            engine: Box::new(Echo),
            queue: queue.clone(),
            limits: BatchLimits { layout, tokens: 16384, items: 256, overhead: 1000 },
            probe: Batch::of(&[&Input::Tokens(vec![1])], layout),
            pulse: app.health.add_pulse(),
            metrics: metrics.clone(),
            runtime: runtime.handle().clone(),
        };
        worker.spawn().unwrap();
        let output = Output {
            name: "value".to_owned(),
            property: None,
            unit: None,
            transform: Transform::None,
            scale: 1.0,
            center: 0.0,
        };
        let service = Service {
            identity: Identity {
                model: "fuzz".to_owned(),
                version: "v1".to_owned(),
                revision: String::new(),
                digest: BundleDigest::of(b"fuzz"),
            },
            outputs: vec![output],
            members: 1,
            aggregate: Aggregate::Mean,
            preprocessor: Arc::new(preprocessor),
            audit: Audit::Off,
            answers: Answers::new(0, None, metrics.clone()),
            queue,
            max_items: 64,
            metrics,
        };
        assert!(app.service.set(Arc::new(service)).is_ok());
        app.health.enter(Phase::Ready);
        let app = Arc::new(app);
        Self { router: http::router(app.clone()), app, runtime }
    }

    /// Whatever is asked, it is answered, and not by a defect.
    pub fn ask(&self, request: Request<Body>) {
        let (status, body) = self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
        });
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body:?}");
        assert_eq!(self.app.metrics.panics.get(), 0);
    }
}
