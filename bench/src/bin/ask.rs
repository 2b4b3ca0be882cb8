//! Asks a server what other load generators cannot. An open loop: requests come at a rate, whether or not the answers do, and each counts
//! from the moment when it was due, so neither a server that stands still nor a wait for a free connection hides anything.
//! Or a closed loop in which each body is asked once: drawn at random, a few hundred bodies that differ much in what they cost
//! would make two measurements differ too.
#![allow(clippy::print_stdout, reason = "its answer")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use chemmodel_bench::{lines, percentile};
use clap::Parser;
use http_body_util::{BodyExt as _, Full};
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// No answer is worth more patience.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks at a constant rate, or each body once, and prints what came of it.
#[derive(Parser, Clone)]
struct Args {
    /// Where to POST
    #[arg(long)]
    url: Uri,
    /// One body (JSON) a line; they are asked in turn
    #[arg(long)]
    bodies: PathBuf,
    /// Requests a second, evenly spaced, for so long. Without: each body once, the next one whenever a connection is free. All are due at
    /// once then, so of what is seen only the rate tells anything
    #[arg(long, requires = "seconds")]
    rate: Option<f64>,
    /// See `--rate`
    #[arg(long, requires = "rate")]
    seconds: Option<f64>,
    /// Most requests under way
    #[arg(long, default_value_t = 256)]
    connections: usize,
    /// All of them over one connection of HTTP/2
    #[arg(long)]
    http2: bool,
}

/// What was seen. The times are of answers with status 200.
#[derive(Debug, Serialize)]
struct Seen {
    /// From the first request to the last answer.
    seconds: f64,
    /// Answers by status.
    statuses: BTreeMap<u16, usize>,
    /// Requests that got none.
    unanswered: usize,
    /// Milliseconds.
    p50: f64,
    /// Milliseconds.
    p99: f64,
}

type HttpClient = Client<HttpConnector, Full<Bytes>>;

fn main() -> Result<()> {
    let args = Args::parse();
    let bodies = lines(&args.bodies)?;
    // One thread: it has a core of its own, and more of them would only get into each other's way.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(ask(args, bodies))?;
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}

async fn ask(args: Args, bodies: Vec<String>) -> Result<Seen> {
    let bodies: Vec<Bytes> = bodies.into_iter().map(Bytes::from).collect();
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: HttpClient = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(args.connections)
        .http2_only(args.http2)
        .build(connector);
    let free = Arc::new(Semaphore::new(args.connections));
    let mut asked = JoinSet::new();
    let mut turns = match args.rate.zip(args.seconds) {
        Some((rate, seconds)) => paced(rate, seconds),
        None => at_once(bodies.len()),
    };
    let began = Instant::now();
    for body in bodies.iter().cycle() {
        let Some(due) = turns.recv().await else { break };
        let request = Request::post(args.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body.clone()))
            .context("the request cannot be made")?;
        let (client, free) = (client.clone(), free.clone());
        asked.spawn(async move {
            let _connection = free.acquire().await;
            let status = timeout(PATIENCE, status_of(client, request)).await.ok().flatten();
            (status, due.elapsed())
        });
    }
    let answers = asked.join_all().await;
    Ok(summary(began.elapsed(), &answers))
}

/// The moments when requests are due, each told when it has come. A thread that sleeps is true to some 60 µs; the timers of
/// the runtime, as those of most load generators, to a millisecond, which is as long as a molecule takes.
fn paced(rate: f64, seconds: f64) -> mpsc::UnboundedReceiver<Instant> {
    let (turn, turns) = mpsc::unbounded_channel();
    thread::spawn(move || {
        let began = Instant::now();
        let moments = (0_u32..).map(|number| f64::from(number) / rate).take_while(|after| *after < seconds);
        for due in moments.map(|after| began + Duration::from_secs_f64(after)) {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if turn.send(due).is_err() {
                break;
            }
        }
    });
    turns
}

/// So many requests that are due now; who waits for a connection waits in their order.
fn at_once(requests: usize) -> mpsc::UnboundedReceiver<Instant> {
    let (turn, turns) = mpsc::unbounded_channel();
    let now = Instant::now();
    (0..requests).take_while(|_| turn.send(now).is_ok()).for_each(drop);
    turns
}

/// None: the connection failed before the whole answer was there.
async fn status_of(client: HttpClient, request: Request<Full<Bytes>>) -> Option<u16> {
    let answer = client.request(request).await.ok()?;
    let status = answer.status().as_u16();
    answer.into_body().collect().await.ok().map(|_| status)
}

fn summary(took: Duration, answers: &[(Option<u16>, Duration)]) -> Seen {
    let mut statuses = BTreeMap::new();
    for status in answers.iter().filter_map(|(status, _)| *status) {
        *statuses.entry(status).or_default() += 1;
    }
    let mut good: Vec<_> = answers.iter().filter(|(status, _)| *status == Some(200)).map(|(_, time)| *time).collect();
    Seen {
        seconds: took.as_secs_f64(),
        statuses,
        unanswered: answers.iter().filter(|(status, _)| status.is_none()).count(),
        p50: percentile(&mut good, 0.5),
        p99: percentile(&mut good, 0.99),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use hyper::Response;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;
    use tokio::sync::Mutex;

    use super::*;

    const STALL: Duration = Duration::from_millis(300);

    /// A server that answers one request at a time, the first after `STALL`, each with the status that is its body.
    async fn stalling() -> Uri {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let first = Arc::new(Mutex::new(true));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let first = first.clone();
                let answer = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let first = first.clone();
                    async move {
                        let mut first = first.lock().await;
                        if std::mem::take(&mut *first) {
                            tokio::time::sleep(STALL).await;
                        }
                        let status = request.into_body().collect().await.unwrap().to_bytes();
                        let status = str::from_utf8(&status).unwrap().parse::<u16>().unwrap();
                        Ok::<_, Infallible>(Response::builder().status(status).body(Full::<Bytes>::default()).unwrap())
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        format!("http://{address}/").parse().unwrap()
    }

    fn args(url: Uri, connections: usize) -> Args {
        let bodies = PathBuf::new();
        Args { url, bodies, rate: Some(100.0), seconds: Some(0.5), connections, http2: false }
    }

    #[tokio::test]
    async fn who_waits_for_a_connection_waits_for_the_server() {
        let seen = ask(args(stalling().await, 1), vec!["200".to_owned()]).await.unwrap();
        assert_eq!(seen.statuses, BTreeMap::from([(200, 50)]));
        // Due after 0, 10, 20 ... 490 ms; those before 300 ms had to wait until then.
        assert!(seen.p99 >= 280.0 && seen.p50 >= 45.0, "{seen:?}");
    }

    #[tokio::test]
    async fn in_a_closed_loop_each_body_is_asked_once() {
        let args = Args { rate: None, seconds: None, ..args(stalling().await, 2) };
        let seen = ask(args, ["200", "503", "404", "200"].map(str::to_owned).to_vec()).await.unwrap();
        assert_eq!(seen.statuses, BTreeMap::from([(200, 2), (404, 1), (503, 1)]));
    }

    #[tokio::test]
    async fn a_refusal_is_counted_and_has_no_time() {
        let bodies = ["503", "200"].map(str::to_owned).to_vec();
        let seen = ask(args(stalling().await, 1), bodies).await.unwrap();
        assert_eq!(seen.statuses, BTreeMap::from([(200, 25), (503, 25)]));
        assert_eq!(seen.unanswered, 0);
    }

    #[tokio::test]
    async fn who_cannot_connect_gets_no_answer() {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let seen = ask(args(format!("http://{nobody}/").parse().unwrap(), 4), vec!["200".to_owned()]).await.unwrap();
        assert_eq!((seen.unanswered, seen.p99), (50, 0.0));
        assert_eq!(seen.statuses, BTreeMap::new());
    }
}
