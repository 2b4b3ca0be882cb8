//! Between an operator and the API server: counts writes, holds them back, and says when it is time to die.
//!
//! Once it is, nothing comes through any more in either direction, so that nothing can happen between the decision and the signal.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A write that was answered by the API server.
#[derive(Clone, Debug)]
pub struct Write {
    /// The verb.
    pub verb: Method,
    /// What was written, below the namespace: `deployments/boiling-point-blue`.
    pub object: String,
    /// The answer; 201 is a creation.
    pub answer: StatusCode,
}

/// The side of a write on which an operator dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Before: the API server never hears of the write.
    Unsent,
    /// After: the API server has done it, and the operator never hears of that.
    Unheard,
}

/// A way to the API server, for as long as it is not dropped.
pub struct Proxy {
    /// Where it listens, without TLS.
    pub address: SocketAddr,
    gate: Arc<Gate>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Proxy {
    /// Listens; writes are those to objects of the namespace, other than Leases.
    pub async fn start(namespace: &str) -> Result<Self> {
        let mut config = Config::infer().await?;
        // Each request once, as the operator sent it.
        config.default_retry = false;
        let gate = Arc::new(Gate {
            client: Client::try_from(config)?,
            namespace: namespace.to_owned(),
            will: Mutex::default(),
            over: watch::channel(false).0,
            holding: watch::channel(false).0,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(pass).with_state(gate.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, gate, server })
    }

    pub fn die_at(&self, number: usize, way: Way) {
        self.gate.will().death = Some((number, way));
    }

    pub fn live_on(&self) {
        self.gate.will().death = None;
    }

    /// Resolves when the operator is to be killed.
    pub async fn time_to_die(&self) {
        is(&self.gate.over, true).await;
    }

    /// Lets requests through again.
    pub fn revive(&self) {
        self.gate.over.send_replace(false);
    }

    pub fn hold(&self, object: &str) {
        self.gate.will().held = Some(object.to_owned());
    }

    pub async fn held(&self) {
        is(&self.gate.holding, true).await;
    }

    pub fn release(&self) {
        self.gate.will().held = None;
        self.gate.holding.send_replace(false);
    }

    pub fn writes(&self) -> Vec<Write> {
        self.gate.will().writes.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Gate {
    client: Client,
    namespace: String,
    will: Mutex<Will>,
    /// Whether it is time to die.
    over: watch::Sender<bool>,
    holding: watch::Sender<bool>,
}

#[derive(Default)]
struct Will {
    /// The writes until the last one, and how that one ends.
    death: Option<(usize, Way)>,
    /// The object whose writes wait.
    held: Option<String>,
    writes: Vec<Write>,
}

impl Gate {
    fn will(&self) -> MutexGuard<'_, Will> {
        self.will.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is written, when something is.
    fn object(&self, request: &Request) -> Option<String> {
        let (_, rest) = request.uri().path().split_once("/namespaces/")?;
        let (namespace, object) = rest.split_once('/')?;
        let is_write = request.method() != Method::GET && namespace == self.namespace && !object.starts_with("leases");
        is_write.then(|| object.to_owned())
    }

    /// Counts a write; how it ends when it is the last one.
    fn count(&self) -> Option<Way> {
        let mut will = self.will();
        match will.death.take()? {
            (0, way) => Some(way),
            (left, way) => {
                will.death = Some((left - 1, way));
                None
            }
        }
    }

    /// Sends a request; what the operator gets to hear.
    async fn send(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let sent = async {
            let mut request = http::Request::from_parts(head, body.collect().await?.to_bytes().into());
            request.headers_mut().remove(header::HOST);
            anyhow::Ok(self.client.send(request).await?)
        };
        match sent.await {
            Ok(answer) => {
                let mut answer = answer.map(Body::new);
                // Of the other connection.
                answer.headers_mut().remove(header::TRANSFER_ENCODING);
                answer
            }
            Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
        }
    }

    async fn die(&self) -> Response {
        self.over.send_replace(true);
        pending().await
    }
}

async fn pass(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    if *gate.over.borrow() {
        return pending().await;
    }
    let Some(object) = gate.object(&request) else {
        let answer = gate.send(request).await;
        return if *gate.over.borrow() { pending().await } else { answer };
    };
    let last = gate.count();
    if last == Some(Way::Unsent) {
        return gate.die().await;
    }
    if gate.will().held.as_ref() == Some(&object) {
        gate.holding.send_replace(true);
        is(&gate.holding, false).await;
    }
    let verb = request.method().clone();
    let answer = gate.send(request).await;
    gate.will().writes.push(Write { verb, object, answer: answer.status() });
    if last == Some(Way::Unheard) {
        return gate.die().await;
    }
    answer
}

/// Resolves when a switch is so.
async fn is(switch: &watch::Sender<bool>, wanted: bool) {
    // The sender lives: it is borrowed.
    let _ = switch.subscribe().wait_for(|now| *now == wanted).await;
}
