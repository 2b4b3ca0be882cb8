//! A server without a socket, a bundle or a runtime: the router over a fake engine.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use chemmodel_bundle::{Aggregate, BundleDigest, Domain, Features, Output, Transform};
use chemmodel_inference::access::Access;
use chemmodel_inference::batch::form::BatchLimits;
use chemmodel_inference::batch::queue::Queue;
use chemmodel_inference::batch::worker::Worker;
use chemmodel_inference::cache::{Answers, Form, Shared};
use chemmodel_inference::engine::{Batch, Input, Layout};
use chemmodel_inference::health::Phase;
use chemmodel_inference::http::{self, App};
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::preprocess::Preprocessor;
use chemmodel_inference::preprocess::graph::GraphPreprocessor;
use chemmodel_inference::preprocess::sequence::SequencePreprocessor;
use chemmodel_inference::service::{Audit, Identity, Service};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokenizers::Tokenizer;
use tower::ServiceExt;

use super::engine::{Control, FakeEngine, LONG};

/// One character, one token. `X`, `P` and `Z` are what the fake engine trips over.
pub const VOCABULARY: [(&str, u32); 13] = [
    ("[PAD]", 0),
    ("[UNK]", 1),
    ("[CLS]", 2),
    ("[SEP]", 3),
    ("C", 4),
    ("N", 5),
    ("O", 6),
    ("(", 7),
    (")", 8),
    ("=", 9),
    ("X", 16),
    ("P", 17),
    ("Z", 18),
];

pub fn tokenizer() -> Value {
    let special = |id: usize| json!({"id": id, "content": VOCABULARY[id].0, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    let vocabulary: serde_json::Map<String, Value> =
        VOCABULARY.iter().map(|(token, id)| ((*token).to_owned(), json!(id))).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "decoder": null,
        "added_tokens": (0..4).map(special).collect::<Vec<_>>(),
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": false},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    })
}

pub fn preprocessor(tokenizer: &Value, max_tokens: usize, max_characters: usize) -> SequencePreprocessor {
    let tokenizer = Tokenizer::from_bytes(tokenizer.to_string()).unwrap();
    SequencePreprocessor::new(tokenizer, max_tokens, max_characters).unwrap()
}

/// The features of a graph model whose network has one message. Fluorine is what the fake engine trips over.
pub fn features() -> Value {
    let bond = |ends: &str| format!("(rdkit.Chem.rdchem.BondType.SINGLE, False, False, {ends})");
    json!({
        "schema": "chemmodel.io/features/v1", "scheme": "nfp-v1",
        "atoms": {
            "('C', 4, 0, 0, False)": 2, "('O', 2, 0, 0, False)": 3, "('H', 1, 0, 0, False)": 4, "('F', 1, 0, 0, False)": 16,
        },
        "bonds": {bond("['C', 'C']"): 2, bond("['C', 'H']"): 3, bond("['C', 'O']"): 4, bond("['H', 'O']"): 5},
        "messages": 1,
    })
}

/// How the server under test reads molecules.
pub enum Reads {
    /// By [`tokenizer`].
    Sequences,
    /// By [`features`], with the environments that training had, if it says so.
    Graphs(Option<Vec<u32>>),
}

impl Reads {
    fn preprocessor(self, max_length: usize, max_characters: usize) -> Preprocessor {
        match self {
            Self::Sequences => Preprocessor::Sequence(preprocessor(&tokenizer(), max_length, max_characters)),
            Self::Graphs(environments) => {
                let features = Features::parse(features().to_string().as_bytes()).unwrap();
                let domain = environments.map(|environments| {
                    let domain = json!({"schema": "chemmodel.io/domain/v1", "scheme": "morgan-r2", "environments": environments});
                    Domain::parse(domain.to_string().as_bytes()).unwrap()
                });
                Preprocessor::Graph(GraphPreprocessor::new(&features, domain, max_length, max_characters).unwrap())
            }
        }
    }
}

/// How the server under test differs from the usual one.
pub struct Options {
    pub queue: usize,
    pub items_per_request: usize,
    pub reads: Reads,
    pub members: usize,
    pub transform: Transform,
    pub batch: Budget,
    pub max_tokens: usize,
    pub max_characters: usize,
    pub outputs: Vec<(&'static str, Option<&'static str>)>,
    pub revision: &'static str,
    pub cache_entries: u64,
    pub redis: Option<String>,
    pub access: Access,
    pub audit: Audit,
    pub request_timeout: Duration,
    pub body_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 64,
            items_per_request: 16,
            reads: Reads::Sequences,
            members: 1,
            transform: Transform::None,
            batch: Budget { tokens: 1000, items: 16, overhead: 1000 },
            max_tokens: 12,
            max_characters: 20,
            outputs: vec![("sum", Some("K"))],
            revision: "7f9c",
            cache_entries: 0,
            redis: None,
            access: Access::Open,
            audit: Audit::Off,
            request_timeout: LONG,
            body_timeout: LONG,
        }
    }
}

/// What a batch may cost, however its molecules lie.
pub struct Budget {
    pub tokens: usize,
    pub items: usize,
    pub overhead: usize,
}

pub struct Fixture {
    pub app: Arc<App>,
    pub engine: Arc<Control>,
    pub queue: Arc<Queue>,
    worker: Option<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The sentence of an error.
    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_else(|| panic!("no error in {self:?}"))
    }
}

/// What came back, as it came.
#[derive(Debug)]
pub struct Bytes {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Bytes {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// JSON and the tensors behind it.
    pub fn split(&self) -> (Value, Vec<u8>) {
        let length = self.headers.get("inference-header-content-length").unwrap_or_else(|| panic!("{}", self.text()));
        let (json, tensors) = self.body.split_at(length.to_str().unwrap().parse().unwrap());
        (serde_json::from_slice(json).unwrap(), tensors.to_vec())
    }
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Fixture {
    pub fn new(options: Options) -> Self {
        let metrics = Arc::new(Metrics::new("boiling-point", "v1", "").unwrap());
        let mut app = App { access: options.access, ..App::new(metrics.clone()) };
        app.request_timeout = options.request_timeout;
        app.body_timeout = options.body_timeout;
        let (engine, control) = FakeEngine::new(options.outputs.len(), options.members);
        let queue = Arc::new(Queue::new(options.queue, metrics.queue_items.clone()));
        let preprocessor = options.reads.preprocessor(options.max_tokens, options.max_characters);
        let (layout, Budget { tokens, items, overhead }) = (preprocessor.layout(), options.batch);
        let worker = Worker {
            engine: Box::new(engine),
            queue: queue.clone(),
            limits: BatchLimits { layout, tokens, items, overhead },
            probe: Batch::of(&[&Input::Tokens(vec![2, 4, 3])], Layout::Padded { pad_id: 0 }),
            pulse: app.health.add_pulse(),
            metrics: metrics.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let worker = worker.spawn().unwrap();
        let output = |(name, unit): (&str, Option<&str>)| Output {
            name: name.to_owned(),
            property: None,
            unit: unit.map(str::to_owned),
            transform: options.transform,
            scale: 1.0,
            center: 0.0,
        };
        let digest = BundleDigest::of(b"manifest");
        let outputs: Vec<Output> = options.outputs.into_iter().map(output).collect();
        let form = || Form::new(&outputs, options.members, preprocessor.has_domain());
        let shared =
            options.redis.map(|address| Shared::new(&address, &digest.to_string(), form(), metrics.clone()).unwrap());
        let service = Service {
            identity: Identity {
                model: "boiling-point".to_owned(),
                version: "v1".to_owned(),
                revision: options.revision.to_owned(),
                digest,
            },
            outputs,
            members: options.members,
            aggregate: Aggregate::Mean,
            preprocessor: Arc::new(preprocessor),
            audit: options.audit,
            answers: Answers::new(options.cache_entries, shared, metrics.clone()),
            queue: queue.clone(),
            max_items: options.items_per_request,
            metrics,
        };
        assert!(app.service.set(Arc::new(service)).is_ok());
        app.health.enter(Phase::Ready);
        Self { app: Arc::new(app), engine: control, queue, worker: Some(worker) }
    }

    /// Sends JSON to `/predict`.
    pub async fn predict(&self, body: Value) -> Answer {
        self.post(body.to_string()).await
    }

    /// Sends bytes to `/predict` as JSON.
    pub async fn post(&self, body: impl Into<Body>) -> Answer {
        let request = Request::post("/predict").header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Sends JSON to a path of the Open Inference Protocol, as its clients do: without a media type.
    pub async fn infer(&self, path: &str, body: Value) -> Answer {
        self.send(Request::post(path).body(body.to_string().into()).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        send(http::router(self.app.clone()), request).await
    }

    /// Sends, and gets what need not be JSON.
    pub async fn bytes(&self, request: Request<Body>) -> Bytes {
        send_bytes(http::router(self.app.clone()), request).await
    }

    /// Sends in the background.
    pub fn start(&self, body: Value) -> tokio::task::JoinHandle<Answer> {
        let router = http::router(self.app.clone());
        let request = Request::post("/predict").header("content-type", "application/json");
        tokio::spawn(send(router, request.body(body.to_string().into()).unwrap()))
    }

    /// Asks the ops port.
    pub async fn ops(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = http::ops::router(self.app.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The value of one line of `/metrics`.
    pub async fn metric(&self, name: &str, label: &str) -> f64 {
        let (_, text) = self.ops("/metrics").await;
        let line = text.lines().find(|l| l.starts_with(&format!("chemmodel_{name}{{")) && l.contains(label));
        line.and_then(|l| l.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }

    /// Waits until the engine is at work.
    pub async fn wait_until_running(&self) {
        eventually("the engine is called", || self.engine.is_running()).await;
    }

    /// Waits until so many molecules are queued.
    pub async fn wait_for_queue(&self, depth: i64) {
        eventually("the queue reaches its depth", || self.app.metrics.queue_items.get() == depth).await;
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.engine.release();
        self.queue.close();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// Sends JSON to `/predict` of any server.
pub async fn predict(router: &axum::Router, body: Value) -> Answer {
    let request = Request::post("/predict").header("content-type", "application/json");
    send(router.clone(), request.body(body.to_string().into()).unwrap()).await
}

async fn send(router: axum::Router, request: Request<Body>) -> Answer {
    let answer = send_bytes(router, request).await;
    let body = serde_json::from_slice(&answer.body)
        .unwrap_or_else(|e| panic!("the body is not JSON ({e}): {}", answer.text()));
    Answer { status: answer.status, headers: answer.headers, body }
}

async fn send_bytes(router: axum::Router, request: Request<Body>) -> Bytes {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Bytes { status: head.status, headers: head.headers, body }
}

/// Waits for a condition that no event announces.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(LONG, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "never happened: {what}");
}
