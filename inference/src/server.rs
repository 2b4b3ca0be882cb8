//! The life of the process: listen, load, serve, drain, end.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinError;

use crate::access::{Access, Keys, Review, ReviewConfig};
use crate::args::Args;
use crate::error::StartError;
use crate::grpc;
use crate::http::accept::{ConnectionLimits, End, Port, serve};
use crate::http::{self, App};
use crate::metrics::Metrics;
use crate::reload::{self, Current};
use crate::shutdown::{self, Signals};
use crate::startup;
use crate::tls::{self, TlsFiles};

/// Longer than any request may take, so that only a stuck connection is cut.
const GRACE: Duration = Duration::from_secs(http::REQUEST_TIMEOUT.as_secs() + 2);
/// The API server, as every pod of a cluster finds it.
const API_SERVER: &str = "https://kubernetes.default.svc";
/// Where a pod has its own token.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// For a probe that is being answered at the end.
const OPS_GRACE: Duration = Duration::from_secs(1);

/// Serves until a signal comes. `Ok` means that whatever was accepted was answered.
pub async fn run(args: Args) -> Result<(), StartError> {
    let mut signals = Signals::install().map_err(|source| StartError::System { what: "signal handling", source })?;
    let metrics = Metrics::new(&args.name, &args.version, &args.revision)?;
    let app = Arc::new(App { access: access(&args)?, ..App::new(Arc::new(metrics)) });
    let tls = tls(&args)?;

    // Both ports open before the model is loaded: a port that is taken is known at once, and probes get their reason.
    let limits = ConnectionLimits::default();
    let ops = listen("--ops-address", &args.ops_address).await?;
    let http = listen("--http-address", &args.http_address).await?;
    let grpc = listen("--grpc-address", &args.grpc_address).await?;
    let (end_of_ops, end) = (End::default(), End::default());
    let routes = grpc::router(app.clone()).map_err(|error| StartError::Defect(error.to_string()))?;
    let ops = Port { listener: ops, router: http::ops::router(app.clone()), tls: None };
    let http = Port { listener: http, router: http::router(app.clone()), tls: tls.clone() };
    let grpc = Port { listener: grpc, router: routes, tls };
    let ops = tokio::spawn(serve(ops, limits, end_of_ops.clone(), OPS_GRACE));
    let http = tokio::spawn(serve(http, limits, end.clone(), GRACE));
    let grpc = tokio::spawn(serve(grpc, limits, end.clone(), GRACE));

    let drain = Duration::from_secs(args.drain_seconds);
    let mut loading = tokio::task::spawn_blocking({
        let app = app.clone();
        move || startup::load(&args, &app)
    });
    let loaded = tokio::select! {
        biased;
        loaded = &mut loading => Some(outcome(loaded)?),
        _ = signals.next() => None,
    };
    if loaded.is_some() {
        signals.next().await;
    }
    tokio::spawn(shutdown::exit_at_next_signal(signals));
    let was_ready = shutdown::announce(&app);
    end.leave.cancel();
    let engines = match loaded {
        Some(engines) => engines,
        // The load is waited for: ONNX Runtime must not be torn down under it. Whether it succeeds does not matter.
        None => match outcome(loading.await) {
            Ok(engines) => engines,
            Err(_) => return Ok(()),
        },
    };
    if was_ready {
        shutdown::drain(drain).await;
    }
    end.stop.cancel();
    let _ = tokio::join!(http, grpc);
    if let Some(service) = app.service.get() {
        service.queue.close();
    }
    let _ = tokio::task::spawn_blocking(move || engines.into_iter().try_for_each(JoinHandle::join)).await;
    end_of_ops.stop.cancel();
    let _ = ops.await;
    tracing::info!("stopped");
    Ok(())
}

fn access(args: &Args) -> Result<Access, StartError> {
    let fail = |flag| move |why| StartError::Access { flag, why };
    if let Some(directory) = args.api_keys.clone() {
        let keys = reload::follow("the keys of callers", move || Keys::read(&directory));
        return keys.map(Access::Keys).map_err(fail("--api-keys"));
    }
    if args.token_review {
        let config = ReviewConfig {
            server: API_SERVER.to_owned(),
            account: ACCOUNT.into(),
            audiences: args.token_audience.clone(),
            allow: args.token_allow.clone(),
        };
        return Review::new(config).map(Access::Review).map_err(fail("--token-review"));
    }
    Ok(Access::Open)
}

fn tls(args: &Args) -> Result<Option<Current<ServerConfig>>, StartError> {
    let (Some(certificate), Some(key)) = (args.tls_certificate.clone(), args.tls_key.clone()) else { return Ok(None) };
    let files = TlsFiles { certificate, key, client_authority: args.tls_client_authority.clone() };
    tls::follow(files).map(Some).map_err(|why| StartError::Access { flag: "--tls-certificate", why })
}

type Engines = Vec<JoinHandle<()>>;

/// What a load came to; a panic in it is an error like any other.
fn outcome(loaded: Result<Result<Engines, StartError>, JoinError>) -> Result<Engines, StartError> {
    loaded.unwrap_or_else(|panicked| Err(StartError::Defect(panicked.to_string())))
}

async fn listen(flag: &'static str, address: &std::net::SocketAddr) -> Result<TcpListener, StartError> {
    let listen = |source| StartError::Listen { flag, address: *address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    // Port 0 means any; the log tells which.
    tracing::info!(address = %listener.local_addr().map_err(listen)?, "listening for {flag}");
    Ok(listener)
}
