//! How far the download is: counted by every file, logged every two seconds.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

const EVERY: Duration = Duration::from_secs(2);

/// Counts the bytes of one download.
#[derive(Debug)]
pub struct Progress {
    total: u64,
    present: AtomicU64,
    fetched: AtomicU64,
    started: Instant,
}

impl Progress {
    /// Nothing of `total` bytes is there yet.
    pub fn new(total: u64) -> Self {
        Self { total, present: AtomicU64::new(0), fetched: AtomicU64::new(0), started: Instant::now() }
    }

    /// Bytes that an earlier run had staged.
    pub fn resumed(&self, bytes: u64) {
        self.present.fetch_add(bytes, Relaxed);
    }

    /// Bytes that have just arrived.
    pub fn fetched(&self, bytes: u64) {
        self.present.fetch_add(bytes, Relaxed);
        self.fetched.fetch_add(bytes, Relaxed);
    }

    /// Bytes that were present and turned out to be useless.
    pub fn lost(&self, bytes: u64) {
        self.present.fetch_sub(bytes, Relaxed);
    }

    /// Logs until `work` is done.
    pub async fn log_during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await; // The first one comes at once, when there is nothing to say.
        loop {
            tokio::select! {
                done = &mut work => {
                    self.log();
                    return done;
                }
                _ = ticks.tick() => self.log(),
            }
        }
    }

    fn log(&self) {
        let (present, fetched) = (self.present.load(Relaxed), self.fetched.load(Relaxed));
        let rate = per_second(fetched, self.started.elapsed());
        let eta_seconds = self.total.saturating_sub(present).checked_div(rate);
        tracing::info!(bytes = present, total = self.total, bytes_per_second = rate, eta_seconds, "downloading");
    }
}

fn per_second(bytes: u64, elapsed: Duration) -> u64 {
    let rate = u128::from(bytes) * 1000 / elapsed.as_millis().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}
