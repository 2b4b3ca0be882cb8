//! The life of the process: listen, load, serve, drain, end.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::args::Args;
use crate::error::StartError;
use crate::http::accept::{ConnectionLimits, serve};
use crate::http::{self, App};
use crate::metrics::Metrics;
use crate::shutdown::{self, Signals};
use crate::startup;

/// Longer than any request may take, so that only a stuck connection is cut.
const GRACE: Duration = Duration::from_secs(http::REQUEST_TIMEOUT.as_secs() + 2);
/// For a probe that is being answered at the end.
const OPS_GRACE: Duration = Duration::from_secs(1);

/// Serves until a signal comes. `Ok` means that whatever was accepted was answered.
pub async fn run(args: Args) -> Result<(), StartError> {
    let mut signals = Signals::install().map_err(|source| StartError::System { what: "signal handling", source })?;
    let metrics = Metrics::new(&args.name, &args.version, &args.revision)?;
    let app = Arc::new(App::new(Arc::new(metrics)));

    // Both ports open before the model is loaded: a port that is taken is known at once, and probes get their reason.
    let limits = ConnectionLimits::default();
    let ops = listen("--ops-address", &args.ops_address).await?;
    let predictions = listen("--http-address", &args.http_address).await?;
    let (stop_ops, stop_predictions) = (CancellationToken::new(), CancellationToken::new());
    let ops = tokio::spawn(serve(ops, http::ops::router(app.clone()), limits, stop_ops.clone(), OPS_GRACE));
    let predictions =
        tokio::spawn(serve(predictions, http::router(app.clone()), limits, stop_predictions.clone(), GRACE));

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
    let engine = match loaded {
        Some(engine) => engine,
        // The load is waited for: ONNX Runtime must not be torn down under it. Whether it succeeds does not matter.
        None => match outcome(loading.await) {
            Ok(engine) => engine,
            Err(_) => return Ok(()),
        },
    };
    if was_ready {
        shutdown::drain(drain).await;
    }
    stop_predictions.cancel();
    let _ = predictions.await;
    if let Some(service) = app.service.get() {
        service.queue.close();
    }
    let _ = tokio::task::spawn_blocking(move || engine.join()).await;
    stop_ops.cancel();
    let _ = ops.await;
    tracing::info!("stopped");
    Ok(())
}

/// What a load came to; a panic in it is an error like any other.
fn outcome(loaded: Result<Result<JoinHandle<()>, StartError>, JoinError>) -> Result<JoinHandle<()>, StartError> {
    loaded.unwrap_or_else(|panicked| Err(StartError::Defect(panicked.to_string())))
}

async fn listen(flag: &'static str, address: &std::net::SocketAddr) -> Result<TcpListener, StartError> {
    let listen = |source| StartError::Listen { flag, address: *address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    // Port 0 means any; the log tells which.
    tracing::info!(address = %listener.local_addr().map_err(listen)?, "listening for {flag}");
    Ok(listener)
}
