//! HTTP with a pod or the Service: one request, one answer, in time.
//!
//! A connection that cannot be made is tried again until the whole run is over: a proxy on the way may need a second.
//! An answer that does not come, or breaks off, is final. No proxy of the environment, and no redirect is
//! used: the answer must come from the address that was asked.

use std::net::SocketAddr;
use std::time::Duration;

use chemmodel_bundle::verification::VerifyReason;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Request, Url};
use tokio::time::{Instant, sleep, timeout_at};

use super::answer::error_sentence;
use super::failure::Failure;
use super::manner::Manner;
use crate::shown;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Bytes of an answer: far more than 256 predictions or a page of metrics have.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Asks until its time is over.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    bearer: Option<HeaderValue>,
    deadline: Instant,
    answer_limit: Duration,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub struct Reply {
    /// The status line.
    pub status: StatusCode,
    /// The whole body.
    pub body: Vec<u8>,
    /// From the request to the last byte, attempts that found no connection left out.
    pub took: Duration,
}

/// Whether a connection serves one request or many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// As a client does that asks often.
    Kept,
    /// A new one for each request, so that a Service chooses a pod each time.
    Fresh,
}

enum Broken {
    NoConnection(String),
    NoAnswer(String),
}

impl Client {
    /// A client for one address, whose every attempt ends at `deadline`.
    pub fn new(
        manner: &Manner,
        address: SocketAddr,
        connections: Connections,
        deadline: Instant,
        answer_limit: Duration,
    ) -> Result<Self, Failure> {
        let kept = match connections {
            Connections::Kept => usize::MAX,
            Connections::Fresh => 0,
        };
        let http = manner
            .prepare(reqwest::Client::builder(), address)
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(answer_limit / 2))
            .pool_max_idle_per_host(kept)
            .build()
            .map_err(|why| {
                let message = format!("the HTTP client cannot be set up: {}", shown::cause(&why));
                Failure::new(VerifyReason::InvalidConfiguration, message)
            })?;
        Ok(Self { http, bearer: manner.bearer().cloned(), deadline, answer_limit })
    }

    /// Reads a page.
    pub async fn get(&self, who: &str, url: Url) -> Result<Reply, Failure> {
        self.send(who, &|| Request::new(http::Method::GET, url.clone())).await
    }

    /// Sends JSON.
    pub async fn post(&self, who: &str, url: &Url, json: String) -> Result<Reply, Failure> {
        let request = || {
            let mut request = Request::new(http::Method::POST, url.clone());
            request.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
            // What a cache remembers is no evidence.
            request.headers_mut().insert(CACHE_CONTROL, http::HeaderValue::from_static("no-cache"));
            if let Some(bearer) = &self.bearer {
                request.headers_mut().insert(AUTHORIZATION, bearer.clone());
            }
            *request.body_mut() = Some(json.clone().into());
            request
        };
        self.send(who, &request).await
    }

    async fn send(&self, who: &str, request: &dyn Fn() -> Request) -> Result<Reply, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.attempt(request()).await {
                Ok(reply) => return Ok(reply),
                Err(Broken::NoAnswer(why)) => {
                    return Err(Failure::new(VerifyReason::NotAnswered, format!("{who} gave no answer: {why}")));
                }
                Err(Broken::NoConnection(why)) if Instant::now() + pause >= self.deadline => {
                    let message = format!(
                        "{who} cannot be reached: {why}; check that it runs and that NetworkPolicies let this Job through"
                    );
                    return Err(Failure::new(VerifyReason::Unreachable, message));
                }
                Err(Broken::NoConnection(why)) => {
                    tracing::info!(who, why, "no connection; trying again");
                    sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
        }
    }

    async fn attempt(&self, request: Request) -> Result<Reply, Broken> {
        let started = Instant::now();
        let limit = self.deadline.min(started + self.answer_limit);
        match timeout_at(limit, self.exchange(request)).await {
            Ok(Ok((status, body))) => Ok(Reply { status, body, took: started.elapsed() }),
            Ok(Err(broken)) => Err(broken),
            Err(_) if limit == self.deadline => Err(Broken::NoAnswer(
                "the time for the whole verification is over; raise verification.timeoutSeconds, or find out why it takes so \
                 long"
                .to_owned(),
            )),
            Err(_) => Err(Broken::NoAnswer(format!(
                "nothing came within {} s; look at the log of the pod",
                self.answer_limit.as_secs()
            ))),
        }
    }

    async fn exchange(&self, request: Request) -> Result<(StatusCode, Vec<u8>), Broken> {
        let broken = |why: reqwest::Error| {
            let cause = shown::cause(&why);
            if why.is_connect() {
                Broken::NoConnection(cause)
            } else {
                Broken::NoAnswer(format!("the connection broke: {cause}; look at the log of the pod"))
            }
        };
        let mut response = self.http.execute(request).await.map_err(broken)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(Broken::NoAnswer(format!("it sends more than {MAX_ANSWER_BYTES} bytes")));
            }
        }
        Ok((response.status(), body))
    }
}

impl Reply {
    /// The body of a success; any other status is no answer.
    pub fn success(&self) -> Result<&[u8], String> {
        if self.status == StatusCode::OK {
            return Ok(&self.body);
        }
        Err(format!("it answered with {}: {}", self.status, error_sentence(&self.body)))
    }
}
