//! The pods of a candidate and the Service in front of them: real HTTP servers that answer as a test says.
//!
//! Each pod has an address of its own (127.0.0.1, 127.0.0.2, …), because all pods have the same ops port.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::bundle::digest;

/// One request for predictions.
#[derive(Debug, Clone)]
pub struct Asked {
    pub molecules: Vec<String>,
    /// One molecule without a list around it.
    pub alone: bool,
    /// The connection.
    pub client: SocketAddr,
}

/// What a server does with it.
#[derive(Debug, Clone)]
pub enum Reply {
    Send(StatusCode, String),
    Late(Duration, Value),
    /// A redirect.
    Elsewhere(String),
    Never,
}

/// What a server is like: from the request and the right answer to its reply.
pub type Character = Box<dyn Fn(&Asked, Value) -> Reply + Send + Sync>;

/// A server that answers rightly.
pub fn honest() -> Character {
    Box::new(|_, answer| answer.into())
}

/// A server that does something to every right answer.
pub fn changing(change: impl Fn(&Asked, &mut Value) + Send + Sync + 'static) -> Character {
    Box::new(move |asked, mut answer| {
        change(asked, &mut answer);
        answer.into()
    })
}

impl From<Value> for Reply {
    fn from(answer: Value) -> Self {
        Self::Send(StatusCode::OK, answer.to_string())
    }
}

/// Servers that run until the test forgets them.
pub struct Fleet {
    _runtime: Runtime,
    pub ops_port: u16,
    pub pods: Vec<Arc<Server>>,
    pub service: Arc<Server>,
}

pub struct Server {
    pub address: SocketAddr,
    truth: Truth,
    character: Character,
    metrics: String,
    seen: Mutex<Vec<Asked>>,
}

/// What the original framework says, in the form of the server's answers.
#[derive(Clone)]
struct Truth {
    predictions: BTreeMap<String, Value>,
    about: Value,
}

/// What runs the pods' networks, as their metrics say.
pub const CPU: &str = "chemmodel_server_info{build=\"0.1.0\",provider=\"cpu\",threads=\"2\"} 1\n";

impl Fleet {
    /// One pod of this character behind an honest Service.
    pub fn of(bundle: &Path, pod: Character) -> Self {
        Self::start(bundle, vec![(pod, CPU)], honest())
    }

    /// Pods with their metrics, and a Service.
    pub fn start(bundle: &Path, pods: Vec<(Character, &str)>, service: Character) -> Self {
        let truth = Truth::of(bundle);
        let runtime = Runtime::new().unwrap();
        let (ops_port, ops) = ops_listeners(pods.len());
        let pods: Vec<_> = pods
            .into_iter()
            .zip(ops)
            .map(|((character, metrics), ops)| {
                let ip = ops.local_addr().unwrap().ip();
                let (listener, server) = Server::new(ip, &truth, character, metrics);
                serve(&runtime, ops, &server);
                serve(&runtime, listener, &server);
                server
            })
            .collect();
        let (listener, service) = Server::new(Ipv4Addr::LOCALHOST.into(), &truth, service, "");
        serve(&runtime, listener, &service);
        Self { _runtime: runtime, ops_port, pods, service }
    }
}

impl Server {
    fn new(ip: IpAddr, truth: &Truth, character: Character, metrics: &str) -> (TcpListener, Arc<Self>) {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let (address, truth, metrics) = (listener.local_addr().unwrap(), truth.clone(), metrics.to_owned());
        (listener, Arc::new(Self { address, truth, character, metrics, seen: Mutex::default() }))
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

impl Truth {
    fn of(bundle: &Path) -> Self {
        let read = |name| serde_json::from_slice::<Value>(&std::fs::read(bundle.join(name)).unwrap_or_default());
        let manifest = read("chemmodel.json").unwrap();
        let outputs = manifest["outputs"].as_array().unwrap();
        let by_name = |values: Vec<&Value>| -> Value {
            match values[..] {
                [value] => value.clone(),
                _ => outputs
                    .iter()
                    .zip(values)
                    .map(|(o, v)| (o["name"].as_str().unwrap().to_owned(), v.clone()))
                    .collect(),
            }
        };
        // The bundle's own molecules, and the usual ones for a file of the user.
        let usual = if outputs.len() == 1 { crate::bundle::golden() } else { Value::Null };
        let mut predictions = BTreeMap::new();
        for golden in [usual, read("golden.json").unwrap_or_default()] {
            for molecule in golden["molecules"].as_array().into_iter().flatten() {
                let values = molecule["predictions"].as_array().unwrap().iter().collect();
                predictions.insert(molecule["smiles"].as_str().unwrap().to_owned(), by_name(values));
            }
        }
        let about = json!({
            "model": "boiling-point", "version": "v4", "revision": "7f9c", "digest": digest(bundle),
            "unit": by_name(outputs.iter().map(|output| &output["unit"]).collect()),
        });
        Self { predictions, about }
    }

    fn answer(&self, asked: &Asked) -> Value {
        let mut answer = self.about.clone();
        let prediction = |smiles: &String| self.predictions[smiles].clone();
        if asked.alone {
            answer["prediction"] = prediction(&asked.molecules[0]);
        } else {
            let rows = asked.molecules.iter().map(|smiles| json!({"prediction": prediction(smiles)}));
            answer["predictions"] = rows.collect();
        }
        answer
    }
}

/// The same port on so many loopback addresses.
fn ops_listeners(count: usize) -> (u16, Vec<TcpListener>) {
    let ip = |index: usize| Ipv4Addr::new(127, 0, 0, u8::try_from(index + 1).unwrap());
    for _ in 0..100 {
        let first = TcpListener::bind((ip(0), 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let others: Result<Vec<_>, _> = (1..count).map(|index| TcpListener::bind((ip(index), port))).collect();
        // Another program may have the port on one of the other addresses.
        if let Ok(others) = others {
            return (port, std::iter::once(first).chain(others).collect());
        }
    }
    panic!("no port is free on {count} loopback addresses")
}

fn serve(runtime: &Runtime, listener: TcpListener, server: &Arc<Server>) {
    let router = Router::new().route("/predict", post(predict)).route("/metrics", get(metrics));
    let service = router.with_state(Arc::clone(server)).into_make_service_with_connect_info::<SocketAddr>();
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, service).await
    });
}

async fn metrics(State(server): State<Arc<Server>>) -> String {
    server.metrics.clone()
}

async fn predict(
    State(server): State<Arc<Server>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    body: String,
) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    let smiles = &request["smiles"];
    let (alone, list) = match smiles {
        Value::Array(list) => (false, list.as_slice()),
        one => (true, std::slice::from_ref(one)),
    };
    let molecules = list.iter().map(|smiles| smiles.as_str().unwrap().to_owned()).collect();
    let asked = Asked { molecules, alone, client };
    server.seen.lock().unwrap().push(asked.clone());
    match (server.character)(&asked, server.truth.answer(&asked)) {
        Reply::Send(status, body) => (status, body).into_response(),
        Reply::Late(by, answer) => {
            tokio::time::sleep(by).await;
            answer.to_string().into_response()
        }
        Reply::Elsewhere(url) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, url)]).into_response(),
        Reply::Never => std::future::pending().await,
    }
}
