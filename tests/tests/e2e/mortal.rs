//! An operator inside the test: the real one, but for the Lease, over a connection that ends its life at a write of one's choice.
//!
//! Every request passes [`Life`], which counts the writes. Once it is over, nothing reaches the API server any more and nothing is
//! answered: for the cluster that is SIGKILL, between two writes, to the byte. What had been answered before has been done.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll};

use anyhow::Result;
use chemmodel_operator::context::Context;
use chemmodel_operator::controller;
use chemmodel_operator::metrics::Metrics;
use chemmodel_operator::model::Settings;
use chemmodel_tests::Scene;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use kube::Config;
use kube::client::{Body, ClientBuilder};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower::Service;
use tower::layer::layer_fn;

/// A write that was answered.
#[derive(Clone, Debug)]
pub struct Write {
    /// The verb.
    pub verb: Method,
    /// What was written, below the namespace: `deployments/boiling-point-blue`.
    pub object: String,
    /// The answer; 201 is a creation.
    pub answer: StatusCode,
}

/// One life of an operator that looks after a test's namespace.
pub struct Operator {
    life: Arc<Life>,
    runtime: Option<Runtime>,
}

impl Operator {
    /// Begins to reconcile, as the leader of a term.
    pub fn start(scene: &Scene, term: i32) -> Result<Self> {
        let life = Arc::new(Life::default());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        // Everything of it lives there, the connection's own task too.
        runtime.spawn(operate(scene.namespace.clone(), term, life.clone()));
        Ok(Self { life, runtime: Some(runtime) })
    }

    /// It dies as soon as it wants to write and has written so many times from now on.
    pub fn die_after(&self, writes: usize) {
        self.life.will().left = Some(writes);
    }

    /// It does not die after all.
    pub fn live_on(&self) {
        self.life.will().left = None;
    }

    /// Resolves when it has died.
    pub async fn died(&self) {
        let mut over = self.life.over.subscribe();
        // The sender lives as long as this operator.
        let _ = over.wait_for(|over| *over).await;
    }

    /// The next write to this object is not sent before [`Operator::release`].
    pub fn hold(&self, object: &str) {
        self.life.will().held = Some(object.to_owned());
    }

    /// Resolves when a write is held.
    pub async fn held(&self) {
        let mut holding = self.life.holding.subscribe();
        let _ = holding.wait_for(|holding| *holding).await;
    }

    /// Sends what is held.
    pub fn release(&self) {
        self.life.will().held = None;
        self.life.holding.send_replace(false);
    }

    /// What it has written, in this order.
    pub fn writes(&self) -> Vec<Write> {
        self.life.will().writes.clone()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn operate(namespace: String, term: i32, life: Arc<Life>) -> Result<()> {
    // As `chemmodel_operator::client` has it: nothing is sent twice.
    let mut config = Config::infer().await?;
    config.default_retry = false;
    let connection = layer_fn(|inner| Connection { inner, life: life.clone() });
    let client = ClientBuilder::try_from(config)?.with_layer(&connection).build();
    let (controller, _) = controller::build(&client, Some(&namespace));
    let settings = Settings {
        server_image_cpu: "chemmodel-inference:dev-cpu".to_owned(),
        server_image_cuda: "chemmodel-inference:dev-cuda".to_owned(),
        job_image: "chemmodel-operator:dev".to_owned(),
    };
    let context = Context::new(client, settings, term, format!("mortal-{term}"), Metrics::new()?);
    controller::run(controller, Arc::new(context), pending()).await;
    Ok(())
}

struct Life {
    will: Mutex<Will>,
    over: watch::Sender<bool>,
    holding: watch::Sender<bool>,
}

#[derive(Default)]
struct Will {
    /// Writes that it may still make; any number when there is none.
    left: Option<usize>,
    /// The object whose writes wait.
    held: Option<String>,
    writes: Vec<Write>,
}

/// What becomes of a request.
enum Fate {
    Read,
    Write { verb: Method, object: String, held: bool },
    Lost,
}

impl Default for Life {
    fn default() -> Self {
        Self { will: Mutex::default(), over: watch::channel(false).0, holding: watch::channel(false).0 }
    }
}

impl Life {
    fn will(&self) -> MutexGuard<'_, Will> {
        self.will.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, request: &Request<Body>) -> Fate {
        if *self.over.borrow() {
            return Fate::Lost;
        }
        if request.method() == Method::GET {
            return Fate::Read;
        }
        let mut will = self.will();
        match &mut will.left {
            Some(0) => {
                self.over.send_replace(true);
                return Fate::Lost;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let path = request.uri().path();
        // Below "namespaces/<name>/".
        let object =
            path.split_once("/namespaces/").and_then(|(_, rest)| Some(rest.split_once('/')?.1)).unwrap_or(path);
        let held = will.held.as_deref() == Some(object);
        if held {
            self.holding.send_replace(true);
        }
        Fate::Write { verb: request.method().clone(), object: object.to_owned(), held }
    }
}

struct Connection<S> {
    inner: S,
    life: Arc<Life>,
}

impl<S, B> Service<Request<Body>> for Connection<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.life.judge(&request) {
            Fate::Lost => Box::pin(pending()),
            Fate::Read => {
                let (answer, life) = (self.inner.call(request), self.life.clone());
                Box::pin(async move {
                    let answer = answer.await;
                    // A dead one hears nothing.
                    if *life.over.borrow() { pending().await } else { answer }
                })
            }
            Fate::Write { verb, object, held } => {
                // Not sent before it is polled.
                let (answer, life) = (self.inner.call(request), self.life.clone());
                Box::pin(async move {
                    if held {
                        let mut holding = life.holding.subscribe();
                        let _ = holding.wait_for(|holding| !*holding).await;
                    }
                    let answer = answer.await?;
                    life.will().writes.push(Write { verb, object, answer: answer.status() });
                    Ok(answer)
                })
            }
        }
    }
}
