//! The engine's thread: takes batches, runs them, answers. It owns the engine, so nothing else can run it meanwhile.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustc_hash::FxHashMap;
use tokio::runtime::Handle;
use tracing::{error, warn};

use super::form::{BatchLimits, TimedRun};
use super::queue::Queue;
use super::{Item, Raw};
use crate::engine::{Batch, Engine, EngineError, Layout, RawAnswers};
use crate::health::Pulse;
use crate::metrics::Metrics;
use crate::trace;

/// What the engine's thread works with.
pub struct Worker {
    /// Runs the network.
    pub engine: Box<dyn Engine>,
    /// Where the work comes from.
    pub queue: Arc<Queue>,
    /// What one batch may cost.
    pub limits: BatchLimits,
    /// A batch that ran at warm-up: when it fails too, the engine is to blame and not the molecules.
    pub probe: Batch,
    /// Where the thread shows that it lives.
    pub pulse: Arc<Pulse>,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// Where those run who wait for the answers.
    pub runtime: Handle,
}

impl Worker {
    /// Starts the thread. It ends when the queue is closed and empty.
    pub fn spawn(self) -> io::Result<JoinHandle<()>> {
        self.pulse.start();
        self.queue.engine_joins(self.limits);
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
        let (rows, batch) = unique(&items, self.limits.layout);
        self.metrics.observe_batch(&batch);
        let span = trace::batch(batch.molecules(), batch.cost(), items.iter().map(|item| &item.span));
        let _entered = span.enter();
        match self.run(&batch) {
            Ok(answers) => {
                self.reply(rows.into_iter().zip(items).map(|(row, item)| (item, Ok(answers.row(row)))).collect());
            }
            Err(why) if items.len() == 1 => {
                warn!(error = %why, "an inference failed");
                self.probe();
                self.reply(items.into_iter().map(|item| (item, Err(why.clone()))).collect());
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
            let batch = Batch::of(&[&item.input], self.limits.layout);
            match self.run(&batch) {
                Ok(answers) => self.reply(vec![(item, Ok(answers.row(0)))]),
                Err(why) => failed.push((item, why)),
            }
            self.pulse.busy();
        }
        if let Some((_, why)) = failed.first() {
            warn!(error = %why, failed = failed.len(), total, "molecules failed alone too");
            self.probe();
        }
        self.reply(failed.into_iter().map(|(item, why)| (item, Err(why))).collect());
    }

    /// Hands the answers of a batch over at once. Sent from here, each of them would wake the runtime, which costs more than to send it.
    fn reply(&self, mut answers: Vec<(Item, Raw)>) {
        let send = |(item, answer): (Item, Raw)| {
            // Nobody waits when it fails: the caller has gone.
            let _ = item.reply.send(answer);
        };
        match answers.len() {
            0 | 1 => answers.drain(..).for_each(send),
            _ => drop(self.runtime.spawn(async move { answers.into_iter().for_each(send) })),
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

    fn run(&mut self, batch: &Batch) -> Result<RawAnswers, EngineError> {
        let started = Instant::now();
        let engine = &mut self.engine;
        // The engine's next state after a panic is unknown; the probe that follows every failure finds out.
        let answers = catch_unwind(AssertUnwindSafe(|| engine.run(batch)))
            .unwrap_or_else(|panic| Err(EngineError(format!("the engine panicked: {}", panic_text(&*panic)))));
        let seconds = started.elapsed().as_secs_f64();
        self.metrics.inference_seconds.observe(seconds);
        self.queue.record(TimedRun { tokens: batch.cost(), seconds });
        if answers.is_ok() {
            self.pulse.engine_works();
        }
        answers
    }
}

/// Each molecule once, and for each item the row of its molecule.
fn unique(items: &[Item], layout: Layout) -> (Vec<usize>, Batch) {
    // A graph is many kilobytes, so the hash is a fast one; a batch is too small for collisions to cost anything.
    let (mut molecules, mut known) = (Vec::with_capacity(items.len()), FxHashMap::default());
    let rows = items.iter().map(|item| {
        *known.entry(&item.input).or_insert_with_key(|input| {
            molecules.push(*input);
            molecules.len() - 1
        })
    });
    let rows = rows.collect();
    (rows, Batch::of(&molecules, layout))
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
    use crate::engine::Input;

    #[test]
    fn whoever_waits_when_the_thread_ends_is_told_so() {
        let queue = Arc::new(Queue::new(1, IntGauge::new("depth", "depth").unwrap()));
        let (reply, mut answer) = oneshot::channel();
        let input = Input::Tokens(vec![1]);
        let item = Item { input, queued: Instant::now(), span: tracing::Span::none(), reply };
        assert!(queue.push_all(vec![item], None).is_ok());
        assert_eq!(answer.try_recv(), Err(TryRecvError::Empty));
        drop(LastWords { pulse: Arc::default(), queue: queue.clone() });
        assert_eq!(answer.try_recv(), Err(TryRecvError::Closed));
        assert!(queue.next_batch(BatchLimits { layout: Layout::Packed, tokens: 1, items: 1, overhead: 1 }).is_none());
    }
}
