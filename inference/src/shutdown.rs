//! From the signal to the exit: not ready at once, keep serving while load balancers look away, then stop accepting,
//! finish what runs, and go. A second signal ends the process where it stands.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
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

/// From now on the server asks to be left alone. Returns whether it had been ready, so that somebody may be sent here.
pub fn announce(app: &App) -> bool {
    let was_ready = app.health.enter(Phase::Draining) == Phase::Ready;
    info!(was_ready, "told to stop: not ready any more");
    was_ready
}

/// Keeps serving while load balancers look away.
pub async fn drain(time: Duration) {
    info!(seconds = time.as_secs(), "draining: still serving");
    tokio::time::sleep(time).await;
}
