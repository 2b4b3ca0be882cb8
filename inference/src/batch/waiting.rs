//! The molecules that wait, in the order in which they have their turn.
//!
//! Fair is start-time fair queueing (Goyal, Vin and Cheng, 1996): each molecule of a request has its turn after the
//! tokens of those before it in the same request, counted from the turn that is now. A molecule that comes alone is
//! before the second one of a large request, however long that has been waiting; among equals it is first come, first
//! served.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Item;
use super::form::{BatchLimits, TimedRun, next_batch};
use super::pace::Pace;

/// In tokens; and among equals who came first.
type Turn = (u64, u64);

/// See the module.
#[derive(Debug, Default)]
pub struct Waiting {
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
    /// The cost of a batch.
    batch_tokens: u64,
}

impl Waiting {
    /// Molecules that wait.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// One more engine takes batches.
    pub fn engine_joins(&mut self, limits: BatchLimits) {
        self.engines += 1;
        self.batch_tokens = limits.most_tokens() as u64;
    }

    /// A batch has run.
    pub fn record(&mut self, run: TimedRun) {
        self.pace.add(run);
    }

    /// How long it takes about until everything that waits now is answered.
    pub fn time_to_empty(&self) -> Duration {
        self.time(self.tokens)
    }

    /// The molecules of one request.
    pub fn enter(&mut self, items: Vec<Item>) {
        let mut turn = self.now;
        for item in items {
            let next = turn + tokens(&item);
            self.tokens += tokens(&item);
            self.items.insert((turn, self.came), item);
            self.came += 1;
            turn = next;
        }
    }

    /// Drops those that nobody waits for any more.
    pub fn forget_cancelled(&mut self) {
        self.items.retain(|_, item| !item.reply.is_closed());
        self.tokens = self.items.values().map(tokens).sum();
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.items.clear();
        self.tokens = 0;
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
    pub fn is_late(&self, items: &[Item], deadline: Instant) -> Option<Duration> {
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
    pub fn take(&mut self, limits: BatchLimits) -> Vec<Item> {
        loop {
            let oldest = self.items.iter().take(limits.window());
            let (turns, lengths): (Vec<Turn>, Vec<usize>) =
                oldest.map(|(turn, item)| (*turn, item.input.length())).unzip();
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
    item.input.length() as u64
}
