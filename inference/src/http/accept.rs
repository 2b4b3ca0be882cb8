//! Accepts connections and bounds what each may cost. `axum::serve` installs no timer, so a client that sends its head
//! one byte a minute would keep its connection for ever; this loop does what it does, with limits.

use std::fmt::Display;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::reload::Current;
use crate::tls::Tls;

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// For people, and for the Open Inference Protocol over HTTP.
    Http1,
    /// For gRPC, without TLS from the first byte on.
    Http2,
}

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
    /// For the head of a request, and so also how long a connection may be idle between two requests.
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
    /// How it is spoken.
    pub protocol: Protocol,
    /// How it is encrypted, if it is.
    pub tls: Option<Current<Tls>>,
}

/// Serves until `end.stop` is cancelled, then lets each connection finish the request that it is in, for at most `grace`.
pub async fn serve(port: Port, limits: ConnectionLimits, end: End, grace: Duration) {
    let Port { listener, router, protocol, tls } = port;
    let permits = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let accept = async {
        loop {
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let stream = accept(&listener).await;
            let tls = tls.as_ref().map(|tls| tls.borrow().clone());
            let connection = connect(stream, tls, router.clone(), protocol, limits, end.clone());
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
    tls: Option<Arc<Tls>>,
    router: Router,
    protocol: Protocol,
    limits: ConnectionLimits,
    end: End,
) {
    // Answers are small and written at once; waiting for more to send only adds latency.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return connection(stream, router, protocol, limits, end).await };
    let config = match protocol {
        Protocol::Http1 => tls.http.clone(),
        Protocol::Http2 => tls.grpc.clone(),
    };
    let greeting = tokio::time::timeout(limits.head_timeout, TlsAcceptor::from(config).accept(stream));
    match tokio::select! { greeting = greeting => greeting, () = end.stop.cancelled() => return } {
        Ok(Ok(stream)) => connection(stream, router, protocol, limits, end).await,
        Ok(Err(error)) => tracing::debug!(%error, "a connection was not encrypted as it must be"),
        Err(_) => tracing::debug!("a connection took too long to be encrypted"),
    }
}

async fn connection<S>(stream: S, router: Router, protocol: Protocol, limits: ConnectionLimits, end: End)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (stream, service) = (TokioIo::new(stream), TowerToHyperService::new(router));
    match protocol {
        Protocol::Http1 => {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head_timeout)
                .max_buf_size(limits.head_bytes)
                .max_headers(limits.head_fields)
                .serve_connection(stream, service);
            drive(connection, end.stop).await;
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(limits.keep_alive)
                .keep_alive_timeout(limits.head_timeout)
                .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
                .max_concurrent_streams(limits.streams)
                .serve_connection(stream, service);
            // A client that comes although this server is leaving knows no other one yet.
            let goaway = if end.leave.is_cancelled() { end.stop } else { end.leave };
            drive(connection, goaway).await;
        }
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
