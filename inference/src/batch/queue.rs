//! The waiting room between the HTTP threads and the engine's thread. Bounded, first come first served, and never a
//! place where a request is lost without an answer: whoever is dropped here sees its reply channel close.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use prometheus::IntGauge;

use super::Item;
use super::form::{BatchLimits, next_batch};

/// Why molecules were not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueRefusal {
    /// Too many wait already.
    Full,
    /// The engine takes no more work.
    Closed,
}

/// A bounded queue of molecules.
#[derive(Debug)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    capacity: usize,
    depth: IntGauge,
}

#[derive(Debug, Default)]
struct Waiting {
    items: VecDeque<Item>,
    closed: bool,
}

impl Queue {
    /// A queue for at most `capacity` molecules that shows its depth in `depth`.
    pub fn new(capacity: usize, depth: IntGauge) -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), capacity, depth }
    }

    /// Whether not even one more molecule would be taken: a cheap look before the work of tokenising.
    pub fn is_full(&self) -> bool {
        let mut waiting = self.lock();
        if waiting.items.len() >= self.capacity {
            waiting.forget_cancelled();
            self.show(&waiting);
        }
        waiting.items.len() >= self.capacity
    }

    /// Queues all molecules of a request or none of them: half a request is of no use to anybody.
    pub fn push_all(&self, items: Vec<Item>) -> Result<(), QueueRefusal> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(QueueRefusal::Closed);
        }
        if waiting.items.len() + items.len() > self.capacity {
            waiting.forget_cancelled();
        }
        let room = self.capacity.saturating_sub(waiting.items.len());
        let refused = items.len() > room;
        if !refused {
            waiting.items.extend(items);
        }
        self.show(&waiting);
        drop(waiting);
        if refused {
            return Err(QueueRefusal::Full);
        }
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for molecules and takes the next batch; `None` once the queue is closed and empty.
    pub fn next_batch(&self, limits: BatchLimits) -> Option<Vec<Item>> {
        let mut waiting = self.lock();
        loop {
            waiting.forget_cancelled();
            let batch = waiting.take(limits);
            self.show(&waiting);
            if !batch.is_empty() {
                return Some(batch);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more molecules; those that wait are still handed out.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Closes and drops everything that waits: nobody is left to run it.
    pub fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.items.clear();
        self.show(&waiting);
        drop(waiting);
        self.arrived.notify_all();
    }

    // Every change under the lock is complete in itself, so a panic elsewhere cannot leave half of one.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, waiting: &Waiting) {
        self.depth.set(i64::try_from(waiting.items.len()).unwrap_or(i64::MAX));
    }
}

impl Waiting {
    fn forget_cancelled(&mut self) {
        self.items.retain(|item| !item.reply.is_closed());
    }

    fn take(&mut self, limits: BatchLimits) -> Vec<Item> {
        let window = self.items.len().min(limits.window());
        let lengths: Vec<usize> = self.items.iter().take(window).map(|item| item.ids.len()).collect();
        let mut chosen = vec![false; window];
        for index in next_batch(&lengths, limits) {
            chosen[index] = true;
        }
        let (batch, left): (Vec<_>, Vec<_>) = self.items.drain(..window).zip(chosen).partition(|(_, chosen)| *chosen);
        for (item, _) in left.into_iter().rev() {
            self.items.push_front(item);
        }
        batch.into_iter().map(|(item, _)| item).collect()
    }
}
