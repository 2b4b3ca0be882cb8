//! The waiting room between the HTTP threads and the engines' threads. Bounded, fair, and never a place where a request
//! is lost without an answer: whoever is dropped here sees its reply channel close.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::IntGauge;
use tokio::sync::Notify;
use tokio::task::yield_now;

use super::Item;
use super::form::{BatchLimits, TimedRun};
use super::waiting::Waiting;

/// Why molecules were not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueRefusal {
    /// Too many wait already; until they are answered it takes about so long.
    Full(Duration),
    /// The answers would come after the deadline: in about so long.
    Late(Duration),
    /// The engine takes no more work.
    Closed,
}

/// A bounded queue of molecules.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    /// Molecules have left.
    left: Notify,
    capacity: usize,
    depth: IntGauge,
}

#[derive(Debug, Default)]
struct State {
    waiting: Waiting,
    /// Engines that sleep until molecules come.
    asleep: u32,
    /// Those of them that somebody is about to wake: it costs a call of the system, so nobody is woken twice.
    called: u32,
    closed: bool,
}

/// Wakes an engine when it is dropped, if one sleeps.
#[derive(Debug)]
pub struct Wake<'a>(Option<&'a Condvar>);

impl Wake<'_> {
    /// Wakes it after everything else that can go on now has done so. On a core of their own, an engine that is woken takes it from the
    /// requests at once: it would find one molecule, where a moment later all that have just arrived are queued.
    pub async fn after_others(self) {
        if self.0.is_some() {
            yield_now().await;
        }
    }
}

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        if let Some(arrived) = self.0 {
            arrived.notify_one();
        }
    }
}

impl Queue {
    /// A queue for at most `capacity` molecules that shows its depth in `depth`.
    pub fn new(capacity: usize, depth: IntGauge) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), left: Notify::new(), capacity, depth }
    }

    /// Whether not even one more molecule would be taken: a cheap look before the work of tokenising.
    pub fn is_full(&self) -> bool {
        let mut state = self.lock();
        if state.waiting.len() >= self.capacity {
            state.waiting.forget_cancelled();
            self.show(&state);
        }
        state.waiting.len() >= self.capacity
    }

    /// How long it takes about until everything that waits now is answered.
    pub fn wait(&self) -> Duration {
        self.lock().waiting.time_to_empty()
    }

    /// An engine begins to take batches.
    pub fn engine_joins(&self, limits: BatchLimits) {
        self.lock().waiting.engine_joins(limits);
    }

    /// A batch has run.
    pub fn record(&self, run: TimedRun) {
        self.lock().waiting.record(run);
    }

    /// Queues all of them or none: a part is of no use to anybody, and neither is an answer after the deadline.
    pub fn push_all(&self, items: Vec<Item>, deadline: Option<Instant>) -> Result<Wake<'_>, QueueRefusal> {
        self.try_push(items, deadline).map_err(|(why, _)| why)
    }

    fn try_push(&self, items: Vec<Item>, deadline: Option<Instant>) -> Result<Wake<'_>, (QueueRefusal, Vec<Item>)> {
        let mut state = self.lock();
        if state.closed {
            return Err((QueueRefusal::Closed, items));
        }
        if state.waiting.len() + items.len() > self.capacity {
            state.waiting.forget_cancelled();
        }
        // More than the whole room holds goes in when it is empty.
        let fits = state.waiting.is_empty() || state.waiting.len() + items.len() <= self.capacity;
        if !fits {
            self.show(&state);
            return Err((QueueRefusal::Full(state.waiting.time_to_empty()), items));
        }
        if let Some(late) = deadline.and_then(|deadline| state.waiting.is_late(&items, deadline)) {
            return Err((QueueRefusal::Late(late), items));
        }
        state.waiting.enter(items);
        self.show(&state);
        Ok(self.call_one(&mut state))
    }

    /// Queues all of them as soon as there is room.
    pub async fn push_when_there_is_room(&self, items: Vec<Item>) -> Result<Wake<'_>, QueueRefusal> {
        let mut items = items;
        loop {
            // Before the look, so that room made right after it is not missed.
            let left = self.left.notified();
            match self.try_push(items, None) {
                Ok(wake) => return Ok(wake),
                Err((QueueRefusal::Closed, _)) => return Err(QueueRefusal::Closed),
                Err((QueueRefusal::Full(_) | QueueRefusal::Late(_), refused)) => items = refused,
            }
            left.await;
        }
    }

    /// Waits for molecules and takes the next batch; `None` once the queue is closed and empty.
    pub fn next_batch(&self, limits: BatchLimits) -> Option<Vec<Item>> {
        let mut state = self.lock();
        loop {
            let batch = state.waiting.take(limits);
            self.show(&state);
            if !batch.is_empty() {
                // What is left is for another engine.
                let wake = (!state.waiting.is_empty()).then(|| self.call_one(&mut state));
                drop(state);
                drop(wake);
                self.left.notify_waiters();
                return Some(batch);
            }
            if state.closed {
                return None;
            }
            state.asleep += 1;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
            state.called = state.called.saturating_sub(1);
        }
    }

    /// Takes no more molecules; those that wait are still handed out.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Closes and drops everything that waits: nobody is left to run it.
    pub fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        self.show(&state);
        drop(state);
        self.arrived.notify_all();
        self.left.notify_waiters();
    }

    fn call_one(&self, state: &mut State) -> Wake<'_> {
        let sleeps = state.asleep > state.called;
        state.called += u32::from(sleeps);
        Wake(sleeps.then_some(&self.arrived))
    }

    // Every change under the lock is complete in itself, so a panic elsewhere cannot leave half of one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &State) {
        self.depth.set(i64::try_from(state.waiting.len()).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
