//! Accepts connections and bounds what each may cost. `axum::serve` installs no timer, so a client that sends its head
//! one byte a minute would keep its connection for ever; this loop does what it does, with limits. Every port speaks
//! HTTP/1.1 and HTTP/2, whichever the client does.

use std::fmt::Display;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::reload::Current;

/// The first bytes of a client that speaks HTTP/2 (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What a client that prefers it is told when they agree on TLS.
const HTTP2: &[u8] = b"h2";
/// A client that has sent a part of the preface has sent the rest too, as a rule: they are one packet.
const PREFACE_PAUSE: Duration = Duration::from_millis(1);

/// How a port ends.
#[derive(Debug, Clone, Default)]
pub struct End {
    /// Clients are told to look for another server. Over HTTP/2 that is said to the connection (GOAWAY), over HTTP/1.1
    /// in an answer. Nobody is turned away yet.
    pub leave: CancellationToken,
    /// Nobody else is let in, and who is here may finish.
    pub stop: CancellationToken,
}

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Open connections; more wait in the kernel.
    pub connections: usize,
    /// For TLS, for the first bytes, and for the head of a request of HTTP/1.1: so also how long such a connection may be idle.
    pub head_timeout: Duration,
    /// Bytes of a head.
    pub head_bytes: usize,
    /// Fields of a head.
    pub head_fields: usize,
    /// Requests at once over one connection of HTTP/2.
    pub streams: u32,
    /// Between two signs of life of such a connection; one that misses the next is closed.
    pub keep_alive: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head_timeout: Duration::from_secs(10),
            head_bytes: 16 << 10,
            head_fields: 64,
            streams: 256,
            keep_alive: Duration::from_secs(20),
        }
    }
}

/// After a failed accept, most likely for want of file descriptors: time for one to be closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is served where.
pub struct Port {
    /// Where.
    pub listener: TcpListener,
    /// What.
    pub router: Router,
    /// How it is encrypted, if it is.
    pub tls: Option<Current<ServerConfig>>,
}

/// Serves until `end.stop` is cancelled, then lets each connection finish the request that it is in, for at most `grace`.
pub async fn serve(port: Port, limits: ConnectionLimits, end: End, grace: Duration) {
    let Port { listener, router, tls } = port;
    let permits = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let accept = async {
        loop {
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let stream = accept(&listener).await;
            let tls = tls.as_ref().map(|tls| tls.borrow().clone());
            let connection = connect(stream, tls, router.clone(), limits, end.clone());
            connections.spawn(async move {
                connection.await;
                drop(permit);
            });
        }
    };
    tokio::select! {
        () = accept => {}
        () = end.stop.cancelled() => {}
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were still open at the end of the grace period");
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connect(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    limits: ConnectionLimits,
    end: End,
) {
    // Answers are small and written at once; waiting for more to send only adds latency.
    let _ = stream.set_nodelay(true);
    if let Some(tls) = tls {
        let Some(stream) = begin(TlsAcceptor::from(tls).accept(stream), limits, &end).await else { return };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        connection(stream, http2, router, limits, end).await;
    } else {
        let Some(http2) = begin(speaks_http2(&stream), limits, &end).await else { return };
        connection(stream, http2, router, limits, end).await;
    }
}

/// What a connection begins with. None: it failed, took too long, or came too late.
async fn begin<T>(what: impl Future<Output = io::Result<T>>, limits: ConnectionLimits, end: &End) -> Option<T> {
    let begun = tokio::select! {
        // What the client has sent by now is read before its connection may count as idle and be closed.
        biased;
        begun = tokio::time::timeout(limits.head_timeout, what) => begun,
        () = end.stop.cancelled() => return None,
    };
    match begun {
        Ok(Ok(begun)) => return Some(begun),
        Ok(Err(error)) => tracing::debug!(%error, "a connection did not begin as it must"),
        Err(_) => tracing::debug!("a connection took too long to begin"),
    }
    None
}

/// Whether the client begins with the preface of HTTP/2: without TLS nothing else tells (prior knowledge, RFC 9113, 3.3).
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut begun = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut begun).await?;
        if length == 0 || begun[..length] != PREFACE[..length] {
            return Ok(false);
        }
        if length == PREFACE.len() {
            return Ok(true);
        }
        // What is peeked stays, so waiting for the socket to be readable would not wait.
        tokio::time::sleep(PREFACE_PAUSE).await;
    }
}

async fn connection<S>(stream: S, http2: bool, router: Router, limits: ConnectionLimits, end: End)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    if http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(limits.keep_alive)
            .keep_alive_timeout(limits.head_timeout)
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
            .max_concurrent_streams(limits.streams)
            .serve_connection(stream, TowerToHyperService::new(router));
        // A client that comes although this server is leaving knows no other one yet.
        let goaway = if end.leave.is_cancelled() { end.stop } else { end.leave };
        last(drive(connection, goaway)).await;
    } else {
        let leave = end.leave;
        let service = ServiceExt::<Request<Incoming>>::map_response(router, move |mut response: Response| {
            // A client that keeps its connection would stay with a server that is about to go.
            if leave.is_cancelled() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_timeout)
            .max_buf_size(limits.head_bytes)
            .max_headers(limits.head_fields)
            .serve_connection(stream, TowerToHyperService::new(service));
        drive(connection, end.stop).await;
    }
}

/// Serves a connection; from `goodbye` on only what it has begun.
async fn drive<C: GracefulConnection<Error: Display>>(connection: C, goodbye: CancellationToken) {
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        // What the client has sent by now is read before its connection may count as idle and be closed.
        biased;
        ended = connection.as_mut() => ended,
        () = goodbye.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // The client's doing in every case: gone, too slow, or not speaking the protocol.
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Runs `task` after all that is ready when it is woken. The first of many answers wakes a connection of HTTP/2, and the runtime would go on with
/// that: each answer would be a packet of its own.
async fn last<T>(task: impl Future<Output = T>) -> T {
    let mut task = pin!(task);
    let mut behind = false;
    poll_fn(move |context| {
        behind = !behind;
        if behind {
            // Who wakes itself waits behind the others.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        task.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Context;

    use axum::body::Body;
    use axum::routing::get;
    use hyper::client::conn;
    use tokio::io::{AsyncWriteExt as _, ReadBuf};

    use super::*;

    /// Counts what is written, a packet each.
    struct Counted<S>(S, Arc<AtomicUsize>);

    impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, to)
        }
    }

    impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    // A worker of the runtime's own: the one that the test itself runs on takes tasks in their order anyway.
    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn answers_that_are_ready_together_share_packets() {
        const REQUESTS: u32 = 32;
        let (client, server) = tokio::io::duplex(1 << 16);
        let (arrived, ready) = (Arc::new(Semaphore::new(0)), CancellationToken::new());
        let router = Router::new().route("/", {
            let (arrived, ready) = (arrived.clone(), ready.clone());
            get(async move || {
                arrived.add_permits(1);
                ready.cancelled().await;
            })
        });
        let writes = Arc::new(AtomicUsize::new(0));
        let server = Counted(server, writes.clone());
        tokio::spawn(connection(server, true, router, ConnectionLimits::default(), End::default()));
        let (send, client) = conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
        tokio::spawn(client);
        let answers: Vec<_> = (0..REQUESTS)
            .map(|_| {
                tokio::spawn(send.clone().send_request(Request::get("http://server/").body(Body::empty()).unwrap()))
            })
            .collect();
        let _ = arrived.acquire_many(REQUESTS).await.unwrap();
        let before = writes.load(Ordering::Relaxed);
        ready.cancel();
        for answer in answers {
            assert!(answer.await.unwrap().unwrap().status().is_success());
        }
        let packets = writes.load(Ordering::Relaxed) - before;
        assert!(packets <= 8, "{REQUESTS} answers in {packets} packets");
    }

    /// Both ends of a connection; the client has sent something already.
    async fn begun(first: &[u8]) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(first).await.unwrap();
        (listener.accept().await.unwrap().0, client)
    }

    #[tokio::test]
    async fn a_preface_may_come_in_pieces() {
        for (first, rest, is_http2) in [
            (PREFACE, &b""[..], true),
            (b"P", &PREFACE[1..], true),
            (b"PR", b"OPFIND / HTTP/1.1", false),
            (b"GET ", b"/", false),
        ] {
            let (server, mut client) = begun(first).await;
            // The first looks before the second sends.
            let (found, sent) = tokio::join!(speaks_http2(&server), client.write_all(rest));
            sent.unwrap();
            assert_eq!(found.unwrap(), is_http2, "{first:?}, then {rest:?}");
        }
    }
}
