//! HTTP/1.1 without a pool and without retries: what fails is seen.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body of a 200.
    pub fn json(&self) -> Result<Value> {
        let text = String::from_utf8_lossy(&self.body);
        ensure!(self.status == StatusCode::OK, "the answer is {}: {text}", self.status);
        serde_json::from_slice(&self.body).with_context(|| format!("the answer is not JSON: {text}"))
    }
}

/// One connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects to `host:port`.
    pub async fn open(address: &str) -> Result<Self> {
        let opened = async {
            let stream = TcpStream::connect(address).await?;
            let (sender, driver) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(driver);
            anyhow::Ok(Self { sender })
        };
        tokio::time::timeout(PATIENCE, opened)
            .await
            .context("no connection in time")?
            .with_context(|| format!("cannot connect to {address}"))
    }

    /// Whether the next request can go over this connection.
    pub fn is_open(&self) -> bool {
        self.sender.is_ready() && !self.sender.is_closed()
    }

    /// Sends a request and reads its answer.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let answered = async {
            let (parts, body) = self.sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            anyhow::Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        tokio::time::timeout(PATIENCE, answered).await.context("no answer in time")?
    }
}

/// A POST of JSON.
pub fn post(address: &str, path: &str, body: &Value) -> Result<Request<Full<Bytes>>> {
    Ok(Request::post(path)
        .header(header::HOST, address)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))?)
}

/// One request over a connection of its own.
pub async fn once(address: &str, request: Request<Full<Bytes>>) -> Result<Answer> {
    Connection::open(address).await?.send(request).await
}
