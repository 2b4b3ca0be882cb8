//! The engine's thread: takes batches, runs them, answers. It owns the engine, so nothing else can run it meanwhile.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tracing::{error, warn};

use super::Item;
use super::form::BatchLimits;
use super::queue::Queue;
use crate::engine::{Engine, EngineError, RawAnswers, TokenBatch};
use crate::health::Pulse;
use crate::metrics::Metrics;

/// What the engine's thread works with.
pub struct Worker {
    /// Runs the network.
    pub engine: Box<dyn Engine>,
    /// Where the work comes from.
    pub queue: Arc<Queue>,
    /// What one batch may cost.
    pub limits: BatchLimits,
    /// Fills the short rows of a batch.
    pub pad_id: u32,
    /// A batch that ran at warm-up: when it fails too, the engine is to blame and not the molecules.
    pub probe: TokenBatch,
    /// Where the thread shows that it lives.
    pub pulse: Arc<Pulse>,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
}

impl Worker {
    /// Starts the thread. It ends when the queue is closed and empty.
    pub fn spawn(self) -> io::Result<JoinHandle<()>> {
        self.pulse.start();
        let (pulse, queue) = (self.pulse.clone(), self.queue.clone());
        let spawned = thread::Builder::new().name("engine".to_owned()).spawn(move || {
            // Dropped on every way out, a panic included: no request waits for a thread that is gone.
            let _last_words = LastWords { pulse: self.pulse.clone(), queue: self.queue.clone() };
            self.work();
        });
        if spawned.is_err() {
            drop(LastWords { pulse, queue });
        }
        spawned
    }

    fn work(mut self) {
        while let Some(items) = self.queue.next_batch(self.limits) {
            self.pulse.busy();
            self.answer(items);
            self.pulse.idle();
        }
    }

    fn answer(&mut self, items: Vec<Item>) {
        let taken = Instant::now();
        for item in &items {
            self.metrics.queue_seconds.observe(taken.duration_since(item.queued).as_secs_f64());
        }
        let batch = TokenBatch::pad(items.iter().map(|item| item.ids.as_slice()), self.pad_id);
        self.metrics.observe_batch(&batch);
        match self.run(&batch) {
            Ok(answers) => {
                for (row, item) in items.into_iter().enumerate() {
                    reply(item, Ok(answers.row(row)));
                }
            }
            Err(why) if items.len() == 1 => {
                warn!(error = %why, "an inference failed");
                self.probe();
                for item in items {
                    reply(item, Err(why.clone()));
                }
            }
            Err(why) => {
                warn!(error = %why, molecules = items.len(), "a batch failed; trying its molecules one by one");
                self.answer_alone(items);
            }
        }
    }

    /// One bad molecule must not fail the others of its batch.
    fn answer_alone(&mut self, items: Vec<Item>) {
        let mut failed = Vec::new();
        let total = items.len();
        for item in items.into_iter().filter(|item| !item.reply.is_closed()) {
            let batch = TokenBatch::pad([item.ids.as_slice()].into_iter(), self.pad_id);
            match self.run(&batch) {
                Ok(answers) => reply(item, Ok(answers.row(0))),
                Err(why) => failed.push((item, why)),
            }
            self.pulse.busy();
        }
        if let Some((_, why)) = failed.first() {
            warn!(error = %why, failed = failed.len(), total, "molecules failed alone too");
            self.probe();
        }
        for (item, why) in failed {
            reply(item, Err(why));
        }
    }

    /// Tells a bad molecule from a broken engine: what ran at warm-up must still run.
    fn probe(&mut self) {
        let probe = self.probe.clone();
        match self.run(&probe) {
            Ok(_) => {}
            Err(why) => {
                error!(error = %why, "the engine fails on the warm-up batch too; the server reports itself as not live");
                self.pulse.engine_fails(&why.to_string());
            }
        }
    }

    fn run(&mut self, batch: &TokenBatch) -> Result<RawAnswers, EngineError> {
        let started = Instant::now();
        let engine = &mut self.engine;
        // The engine's next state after a panic is unknown; the probe that follows every failure finds out.
        let answers = catch_unwind(AssertUnwindSafe(|| engine.run(batch)))
            .unwrap_or_else(|panic| Err(EngineError(format!("the engine panicked: {}", panic_text(&*panic)))));
        self.metrics.inference_seconds.observe(started.elapsed().as_secs_f64());
        if answers.is_ok() {
            self.pulse.engine_works();
        }
        answers
    }
}

// Nobody waits when sending fails: the caller has gone.
fn reply(item: Item, answer: Result<Vec<f32>, EngineError>) {
    let _ = item.reply.send(answer);
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

struct LastWords {
    pulse: Arc<Pulse>,
    queue: Arc<Queue>,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        self.pulse.stop();
        self.queue.abandon();
    }
}

#[cfg(test)]
mod tests {
    use prometheus::IntGauge;
    use tokio::sync::oneshot::{self, error::TryRecvError};

    use super::*;

    #[test]
    fn whoever_waits_when_the_thread_ends_is_told_so() {
        let queue = Arc::new(Queue::new(1, IntGauge::new("depth", "depth").unwrap()));
        let (reply, mut answer) = oneshot::channel();
        assert!(queue.push_all(vec![Item { ids: vec![1], queued: Instant::now(), reply }]).is_ok());
        assert_eq!(answer.try_recv(), Err(TryRecvError::Empty));
        drop(LastWords { pulse: Arc::default(), queue: queue.clone() });
        assert_eq!(answer.try_recv(), Err(TryRecvError::Closed));
        assert!(queue.next_batch(BatchLimits { tokens: 1, items: 1, overhead: 1 }).is_none());
    }
}
