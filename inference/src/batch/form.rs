//! Which of the waiting molecules run together. Pure: lengths in, indices out.
//!
//! Padded, a run costs `overhead + longest × molecules`, all in tokens, because the network computes the padding too.
//! Molecules of unlike lengths are therefore cheaper in two runs than in one, unless the overhead is large, as on a GPU.
//! Among all ways to divide the waiting molecules, sorted by length, into runs, the cheapest is taken; then the run with
//! the oldest molecule goes first, so nothing waits forever.
//!
//! Packed, a run costs `overhead +` the sum of the lengths, whoever runs with whom: the oldest molecules go first, and younger ones fill the room
//! that is too small for the next.

use crate::engine::Layout;

/// A batch is long enough when the overhead is this small a part of it; a longer one would only make others wait.
const AMORTISED: usize = 32;
/// The same where nothing is padded: a graph network keeps more for each atom, and a larger batch leaves the caches. A PolyID ensemble did 48.3
/// oligomers a second in batches of 1,300 (20 to 30 times the overhead, as it was measured), 45.4 in batches of 1,800.
const AMORTISED_PACKED: usize = 24;

/// What one batch may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// How its molecules lie, and so what they cost together.
    pub layout: Layout,
    /// Longest molecule × molecules, or the sum of the lengths where nothing is padded. A molecule that alone costs more runs alone.
    pub tokens: usize,
    /// Molecules.
    pub items: usize,
    /// What a run costs before its first token, in tokens; see [`overhead`].
    pub overhead: usize,
}

impl BatchLimits {
    /// How many of the oldest molecules are looked at: enough to find others of a like length, and few enough that
    /// forming a batch stays cheap beside running it.
    pub fn window(self) -> usize {
        self.items.saturating_mul(4)
    }

    /// The cost of a batch at most, unless it is a single molecule.
    pub fn most_tokens(self) -> usize {
        let runs = match self.layout {
            Layout::Padded { .. } => AMORTISED,
            Layout::Packed => AMORTISED_PACKED,
        };
        self.tokens.min(self.overhead.saturating_mul(runs))
    }

    fn allow(self, cost: usize, items: usize) -> bool {
        items == 1 || (items <= self.items && cost <= self.most_tokens())
    }
}

/// Chooses the next batch among `lengths`, the waiting molecules from the oldest on. Returns their indices.
pub fn next_batch(lengths: &[usize], limits: BatchLimits) -> Vec<usize> {
    match limits.layout {
        Layout::Padded { .. } => cheapest_with_oldest(lengths, limits),
        Layout::Packed => oldest_that_fit(lengths, limits),
    }
}

fn oldest_that_fit(lengths: &[usize], limits: BatchLimits) -> Vec<usize> {
    let (mut chosen, mut cost) = (Vec::new(), 0_usize);
    for (index, length) in lengths.iter().enumerate() {
        let with = cost.saturating_add(*length);
        if limits.allow(with, chosen.len() + 1) {
            chosen.push(index);
            cost = with;
        }
    }
    chosen
}

fn cheapest_with_oldest(lengths: &[usize], limits: BatchLimits) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|index| (lengths[*index], *index));
    let starts = cheapest_division(&order, lengths, limits);
    let mut end = order.len();
    while end > 0 {
        let batch = &order[starts[end]..end];
        if batch.contains(&0) {
            return batch.to_vec();
        }
        end = starts[end];
    }
    Vec::new()
}

/// For every prefix of `order` the start of its last run, when the prefix is divided into runs at the least cost.
fn cheapest_division(order: &[usize], lengths: &[usize], limits: BatchLimits) -> Vec<usize> {
    let mut costs = vec![0_usize; order.len() + 1];
    let mut starts = vec![0; order.len() + 1];
    for end in 1..=order.len() {
        let longest = lengths[order[end - 1]];
        costs[end] = usize::MAX;
        for start in (0..end).rev().take_while(|start| limits.allow(longest.saturating_mul(end - start), end - start)) {
            let run = limits.overhead.saturating_add(longest.saturating_mul(end - start));
            let cost = costs[start].saturating_add(run);
            if cost < costs[end] {
                (costs[end], starts[end]) = (cost, start);
            }
        }
    }
    starts
}

/// A run that was timed.
#[derive(Debug, Clone, Copy)]
pub struct TimedRun {
    /// What the batch cost, as in [`BatchLimits::tokens`].
    pub tokens: usize,
    /// How long it took.
    pub seconds: f64,
}

/// What a run costs before its first token, in tokens, from the line through a small and a large run. At least 1.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // An estimate, clamped.
pub fn overhead(small: TimedRun, large: TimedRun, most: usize) -> usize {
    let token = (large.seconds - small.seconds) / large.tokens.saturating_sub(small.tokens) as f64;
    let start = small.seconds - token * small.tokens as f64;
    let tokens = start / token;
    // A large run that is no slower than a small one: nothing but the overhead costs.
    if token > 0.0 && tokens.is_finite() { (tokens.round().max(1.0) as usize).min(most) } else { most.max(1) }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
