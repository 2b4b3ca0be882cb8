//! Which of the waiting molecules run together. Pure: lengths in, indices out.

/// What one batch may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Longest molecule × molecules, because the network computes the padding too.
    pub tokens: usize,
    /// Molecules.
    pub items: usize,
}

impl BatchLimits {
    /// How many of the oldest molecules are looked at: enough to find neighbours of a like length, and few enough
    /// that forming a batch stays cheap beside running it.
    pub fn window(self) -> usize {
        self.items.saturating_mul(4)
    }

    fn allow(self, longest: usize, items: usize) -> bool {
        items <= self.items && longest.saturating_mul(items) <= self.tokens
    }
}

/// Chooses the next batch among `lengths`, the waiting molecules from the oldest on. Returns their indices.
///
/// The oldest is always chosen, even when it alone costs more than the limit: so nothing waits forever. The others are
/// its neighbours by length, shorter ones first, since they add no padding to it that a longer one would not double.
pub fn next_batch(lengths: &[usize], limits: BatchLimits) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|index| (lengths[*index], *index));
    let Some(oldest) = order.iter().position(|index| *index == 0) else {
        return Vec::new();
    };
    let (mut first, mut end) = (oldest, oldest + 1);
    while first > 0 && limits.allow(lengths[0], end - first + 1) {
        first -= 1;
    }
    while end < order.len() && limits.allow(lengths[order[end]], end - first + 1) {
        end += 1;
    }
    order[first..end].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BatchLimits = BatchLimits { tokens: 100, items: 8 };

    #[test]
    fn an_empty_queue_makes_no_batch() {
        assert!(next_batch(&[], LIMITS).is_empty());
    }

    #[test]
    fn whatever_waits_runs_together_when_it_fits() {
        assert_eq!(next_batch(&[10, 12, 11], LIMITS), [0, 2, 1]);
    }

    #[test]
    fn a_batch_costs_its_longest_molecule_times_its_molecules() {
        // 4 × 25 fits 100 exactly; the fifth does not.
        assert_eq!(next_batch(&[25; 6], LIMITS).len(), 4);
        assert_eq!(next_batch(&[26; 6], LIMITS).len(), 3);
    }

    #[test]
    fn a_batch_never_has_more_molecules_than_allowed() {
        assert_eq!(next_batch(&[1; 50], LIMITS).len(), 8);
    }

    #[test]
    fn a_molecule_that_costs_more_than_a_whole_batch_runs_alone() {
        assert_eq!(next_batch(&[500, 3, 3], LIMITS), [0]);
    }

    #[test]
    fn neighbours_by_length_are_preferred_to_neighbours_by_age() {
        // With 100 tokens the oldest (20) takes 20, 19, 18 and 4, and leaves the 90 that came before them.
        assert_eq!(next_batch(&[20, 90, 19, 90, 18, 4], LIMITS), [5, 4, 2, 0]);
    }

    #[test]
    fn every_queue_drains_oldest_first_and_within_the_limits() {
        // A fixed generator: the same queues on every run.
        let mut seed = 42_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((seed >> 33) % below).unwrap()
        };
        for _ in 0..500 {
            let limits = BatchLimits { tokens: 1 + random(300), items: 1 + random(10) };
            let mut queue: Vec<usize> = (0..random(60)).map(|_| 1 + random(200)).collect();
            while !queue.is_empty() {
                let batch = next_batch(&queue, limits);
                assert!(batch.contains(&0), "the oldest was left out of {queue:?}");
                let longest = batch.iter().map(|i| queue[*i]).max().unwrap();
                assert!(batch.len() == 1 || (longest * batch.len() <= limits.tokens && batch.len() <= limits.items));
                queue = queue.iter().enumerate().filter(|(i, _)| !batch.contains(i)).map(|(_, l)| *l).collect();
            }
        }
    }
}
