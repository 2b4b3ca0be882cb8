//! From the signal to the exit: not ready at once, keep serving while load balancers look away, then stop accepting,
//! finish what runs, and go. A second signal ends the process where it stands.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::health::Phase;
use crate::http::App;

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on signals no longer end the process by themselves.
    pub fn install() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for either; returns the status with which a shell reports a process that it ended.
    pub async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => 128 + 15,
            _ = self.interrupt.recv() => 128 + 2,
        }
    }
}

/// Ends the process at the next signal.
pub async fn exit_at_next_signal(mut signals: Signals) {
    let status = signals.next().await;
    warn!("a second signal: exiting without finishing what runs");
    std::process::exit(status);
}

/// Announces the end and keeps serving for `drain`; then `stop` is cancelled and no connection is accepted any more.
pub async fn drain(app: &App, drain: Duration, stop: &CancellationToken) {
    app.health.enter(Phase::Draining);
    info!(seconds = drain.as_secs(), "draining: not ready any more, still serving");
    tokio::time::sleep(drain).await;
    stop.cancel();
}
