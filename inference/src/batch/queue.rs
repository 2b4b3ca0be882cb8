//! The waiting room between the HTTP threads and the engines' threads. Bounded, fair, and never a place where a request
//! is lost without an answer: whoever is dropped here sees its reply channel close.
//!
//! Fair is start-time fair queueing (Goyal, Vin and Cheng, 1996): each molecule of a request has its turn after the
//! tokens of those before it in the same request, counted from the turn that is now. A molecule that comes alone is
//! before the second one of a large request, however long that has been waiting; among equals it is first come, first
//! served.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::IntGauge;
use tokio::sync::Notify;

use super::Item;
use super::form::{BatchLimits, TimedRun, next_batch};
use super::pace::Pace;

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
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    /// Molecules have left.
    left: Notify,
    capacity: usize,
    depth: IntGauge,
}

/// In tokens; and among equals who came first.
type Turn = (u64, u64);

#[derive(Debug, Default)]
struct Waiting {
    items: BTreeMap<Turn, Item>,
    /// The turn of the molecule that was taken last.
    now: u64,
    /// Molecules that ever came.
    came: u64,
    /// Of all molecules that wait.
    tokens: u64,
    /// How fast the engines are.
    pace: Pace,
    /// Engines that take batches.
    engines: u32,
    /// Those of them that wait for molecules: waking one costs a call of the system, so nobody is woken who does not sleep.
    idle: u32,
    /// The cost of a batch.
    batch_tokens: u64,
    closed: bool,
}

impl Queue {
    /// A queue for at most `capacity` molecules that shows its depth in `depth`.
    pub fn new(capacity: usize, depth: IntGauge) -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), left: Notify::new(), capacity, depth }
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

    /// How long it takes about until everything that waits now is answered.
    pub fn wait(&self) -> Duration {
        let waiting = self.lock();
        waiting.time(waiting.tokens)
    }

    /// An engine begins to take batches.
    pub fn engine_joins(&self, limits: BatchLimits) {
        let mut waiting = self.lock();
        waiting.engines += 1;
        waiting.batch_tokens = limits.most_tokens() as u64;
    }

    /// A batch has run.
    pub fn record(&self, run: TimedRun) {
        self.lock().pace.add(run);
    }

    /// Queues all of them or none: a part is of no use to anybody, and neither is an answer after the deadline.
    pub fn push_all(&self, items: Vec<Item>, deadline: Option<Instant>) -> Result<(), QueueRefusal> {
        self.try_push(items, deadline).map_err(|(why, _)| why)
    }

    fn try_push(&self, items: Vec<Item>, deadline: Option<Instant>) -> Result<(), (QueueRefusal, Vec<Item>)> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err((QueueRefusal::Closed, items));
        }
        if waiting.items.len() + items.len() > self.capacity {
            waiting.forget_cancelled();
        }
        // More than the whole room holds goes in when it is empty.
        let fits = waiting.items.is_empty() || waiting.items.len() + items.len() <= self.capacity;
        if !fits {
            self.show(&waiting);
            return Err((QueueRefusal::Full(waiting.time(waiting.tokens)), items));
        }
        if let Some(late) = deadline.and_then(|deadline| waiting.is_late(&items, deadline)) {
            return Err((QueueRefusal::Late(late), items));
        }
        waiting.enter(items);
        self.show(&waiting);
        self.wake_one(waiting);
        Ok(())
    }

    /// Queues all of them as soon as there is room.
    pub async fn push_when_there_is_room(&self, items: Vec<Item>) -> Result<(), QueueRefusal> {
        let mut items = items;
        loop {
            // Before the look, so that room made right after it is not missed.
            let left = self.left.notified();
            match self.try_push(items, None) {
                Ok(()) => return Ok(()),
                Err((QueueRefusal::Closed, _)) => return Err(QueueRefusal::Closed),
                Err((QueueRefusal::Full(_) | QueueRefusal::Late(_), refused)) => items = refused,
            }
            left.await;
        }
    }

    /// Waits for molecules and takes the next batch; `None` once the queue is closed and empty.
    pub fn next_batch(&self, limits: BatchLimits) -> Option<Vec<Item>> {
        let mut waiting = self.lock();
        loop {
            let batch = waiting.take(limits);
            self.show(&waiting);
            if !batch.is_empty() {
                if !waiting.items.is_empty() {
                    // For another engine.
                    self.wake_one(waiting);
                }
                self.left.notify_waiters();
                return Some(batch);
            }
            if waiting.closed {
                return None;
            }
            waiting.idle += 1;
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.idle -= 1;
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
        waiting.tokens = 0;
        self.show(&waiting);
        drop(waiting);
        self.arrived.notify_all();
        self.left.notify_waiters();
    }

    fn wake_one(&self, waiting: MutexGuard<'_, Waiting>) {
        let sleeps = waiting.idle > 0;
        drop(waiting);
        if sleeps {
            self.arrived.notify_one();
        }
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
    fn enter(&mut self, items: Vec<Item>) {
        let mut turn = self.now;
        for item in items {
            let next = turn + tokens(&item);
            self.tokens += tokens(&item);
            self.items.insert((turn, self.came), item);
            self.came += 1;
            turn = next;
        }
    }

    fn forget_cancelled(&mut self) {
        self.items.retain(|_, item| !item.reply.is_closed());
        self.tokens = self.items.values().map(tokens).sum();
    }

    fn remove(&mut self, turn: Turn) -> Option<Item> {
        let item = self.items.remove(&turn)?;
        self.tokens -= tokens(&item);
        Some(item)
    }

    /// How long the engines need for so many tokens.
    fn time(&self, tokens: u64) -> Duration {
        self.pace.time(tokens, tokens.div_ceil(self.batch_tokens.max(1))) / self.engines.max(1)
    }

    /// Whether the last of these would be answered after the deadline: then, in how long. Only what has its turn before is in the way.
    fn is_late(&self, items: &[Item], deadline: Instant) -> Option<Duration> {
        let own: u64 = items.iter().map(tokens).sum();
        let left = deadline.saturating_duration_since(Instant::now());
        if self.time(self.tokens + own) <= left {
            return None;
        }
        let last = self.now + own - items.last().map_or(0, tokens);
        let before: u64 = self.items.range(..=(last, u64::MAX)).map(|(_, item)| tokens(item)).sum();
        Some(self.time(before + own)).filter(|time| *time > left)
    }

    /// The next batch, of molecules that somebody still waits for. Only those of the batch are asked: to ask all that wait would take longer
    /// than to choose among them.
    fn take(&mut self, limits: BatchLimits) -> Vec<Item> {
        loop {
            let oldest = self.items.iter().take(limits.window());
            let (turns, lengths): (Vec<Turn>, Vec<usize>) = oldest.map(|(turn, item)| (*turn, item.ids.len())).unzip();
            let chosen: Vec<Turn> = next_batch(&lengths, limits).into_iter().map(|index| turns[index]).collect();
            let gone: Vec<Turn> = chosen.iter().copied().filter(|turn| self.items[turn].reply.is_closed()).collect();
            for turn in &gone {
                self.remove(*turn);
            }
            if gone.is_empty() {
                if let Some((now, _)) = turns.first() {
                    self.now = self.now.max(*now);
                }
                return chosen.into_iter().filter_map(|turn| self.remove(turn)).collect();
            }
        }
    }
}

fn tokens(item: &Item) -> u64 {
    item.ids.len() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::sync::oneshot;

    use super::super::Raw;
    use super::*;

    const ONE_BY_ONE: BatchLimits = BatchLimits { tokens: 1, items: 1, overhead: 1 };

    /// Molecules of one request, told apart by their first token.
    fn request(ids: &[u32]) -> (Vec<Item>, Vec<oneshot::Receiver<Raw>>) {
        let item = |id: &u32| {
            let (reply, answer) = oneshot::channel();
            (Item { ids: vec![*id; 10], queued: Instant::now(), span: tracing::Span::none(), reply }, answer)
        };
        ids.iter().map(item).unzip()
    }

    fn order(queue: &Queue) -> Vec<u32> {
        queue.close();
        std::iter::from_fn(|| queue.next_batch(ONE_BY_ONE)).map(|batch| batch[0].ids[0]).collect()
    }

    fn queue() -> Queue {
        Queue::new(100, IntGauge::new("depth", "depth").unwrap())
    }

    #[test]
    fn single_molecules_overtake_the_rest_of_a_large_request() {
        let queue = queue();
        let (large, _kept) = request(&[1, 2, 3, 4]);
        let (first, _also) = request(&[50]);
        let (second, _too) = request(&[60]);
        queue.push_all(large, None).unwrap();
        queue.push_all(first, None).unwrap();
        queue.push_all(second, None).unwrap();
        assert_eq!(order(&queue), [1, 50, 60, 2, 3, 4]);
    }

    #[test]
    fn a_large_request_is_not_overtaken_for_ever() {
        let queue = queue();
        let (large, _kept) = request(&[1, 2, 3]);
        queue.push_all(large, None).unwrap();
        let mut taken = Vec::new();
        let mut answers = Vec::new();
        for id in 50..60 {
            let (single, answer) = request(&[id]);
            answers.push(answer);
            queue.push_all(single, None).unwrap();
            taken.push(queue.next_batch(ONE_BY_ONE).unwrap()[0].ids[0]);
        }
        assert!(taken.iter().position(|id| *id == 2) < Some(5), "{taken:?}");
    }

    #[test]
    fn equals_are_served_in_the_order_in_which_they_came() {
        let queue = queue();
        let requests: Vec<_> = (1..=5).map(|id| request(&[id])).collect();
        let mut kept = Vec::new();
        for (items, answers) in requests {
            kept.push(answers);
            queue.push_all(items, None).unwrap();
        }
        assert_eq!(order(&queue), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn molecules_that_nobody_waits_for_are_not_handed_out() {
        let queue = queue();
        let (gone, answers) = request(&[1, 2]);
        let (stays, _kept) = request(&[3]);
        queue.push_all(gone, None).unwrap();
        queue.push_all(stays, None).unwrap();
        drop(answers);
        assert_eq!(order(&queue), [3]);
    }

    #[test]
    fn what_cannot_be_answered_in_time_is_refused_at_once() {
        let queue = queue();
        queue.engine_joins(ONE_BY_ONE);
        queue.record(TimedRun { tokens: 10, seconds: 1.0 });
        let soon = || Some(Instant::now() + Duration::from_secs(5));
        let (first, _kept) = request(&[1, 2, 3]);
        queue.push_all(first, soon()).unwrap();
        let (more, _also) = request(&[4, 5, 6]);
        let refused = queue.push_all(more, soon()).unwrap_err();
        assert_eq!(refused, QueueRefusal::Late(Duration::from_secs(6)));
        // A single molecule has its turn before the rest of the first request.
        let (single, _too) = request(&[7]);
        queue.push_all(single, Some(Instant::now() + Duration::from_millis(2500))).unwrap();
        assert_eq!(order(&queue), [1, 7, 2, 3]);
    }

    #[test]
    fn two_engines_need_half_the_time() {
        let queue = queue();
        queue.engine_joins(ONE_BY_ONE);
        queue.engine_joins(ONE_BY_ONE);
        queue.record(TimedRun { tokens: 10, seconds: 1.0 });
        let (items, _kept) = request(&[1, 2, 3, 4]);
        queue.push_all(items, None).unwrap();
        assert_eq!(queue.wait(), Duration::from_secs(2));
        assert_eq!(order(&queue).len(), 4);
        assert_eq!(queue.wait(), Duration::ZERO);
    }
}
