use super::*;

const PADDED: Layout = Layout::Padded { pad_id: 0 };
/// So large an overhead that only the limits divide.
const FEW_RUNS: BatchLimits = BatchLimits { layout: PADDED, tokens: 100, items: 8, overhead: 1000 };

#[test]
fn an_empty_queue_makes_no_batch() {
    assert!(next_batch(&[], FEW_RUNS).is_empty());
}

#[test]
fn whatever_waits_runs_together_when_it_fits() {
    assert_eq!(next_batch(&[10, 12, 11], FEW_RUNS), [0, 2, 1]);
}

#[test]
fn a_batch_costs_its_longest_molecule_times_its_molecules() {
    // 4 × 25 fits 100 exactly; with 26 only three fit.
    assert_eq!(next_batch(&[25; 4], FEW_RUNS).len(), 4);
    assert!(next_batch(&[26; 4], FEW_RUNS).len() < 4);
}

#[test]
fn a_batch_never_has_more_molecules_than_allowed() {
    assert!(next_batch(&[1; 50], FEW_RUNS).len() <= 8);
}

#[test]
fn a_molecule_that_costs_more_than_a_whole_batch_runs_alone() {
    assert_eq!(next_batch(&[500, 3, 3], FEW_RUNS), [0]);
}

#[test]
fn a_long_molecule_does_not_pad_the_short_ones() {
    let limits = BatchLimits { layout: PADDED, tokens: 16384, items: 256, overhead: 8 };
    assert_eq!(next_batch(&[10, 500, 11, 10], limits), [0, 3, 2]);
    assert_eq!(next_batch(&[500, 10, 11, 10], limits), [0]);
}

#[test]
fn where_a_run_is_dear_a_long_molecule_is_taken_along() {
    let limits = BatchLimits { layout: PADDED, tokens: 16384, items: 256, overhead: 5000 };
    assert_eq!(next_batch(&[10, 500, 11, 10], limits), [0, 3, 2, 1]);
}

#[test]
fn a_batch_that_hides_its_overhead_grows_no_further() {
    let limits = BatchLimits { layout: PADDED, tokens: 16384, items: 256, overhead: 8 };
    let batch = next_batch(&[16; 200], limits);
    assert!(batch.len() > 8 && batch.len() * 16 <= 8 * AMORTISED, "{} molecules", batch.len());
}

#[test]
fn a_packed_batch_that_hides_its_overhead_grows_no_further() {
    let limits = BatchLimits { layout: Layout::Packed, tokens: 16384, items: 256, overhead: 8 };
    assert_eq!(next_batch(&[16; 200], limits).len(), 8 * AMORTISED_PACKED / 16);
}

#[test]
fn a_packed_batch_is_the_oldest_molecules_whose_sum_fits_and_who_fills_the_room_that_is_left() {
    let packed = BatchLimits { layout: Layout::Packed, ..FEW_RUNS };
    assert_eq!(next_batch(&[60, 3, 37, 1], packed), [0, 1, 2]);
    assert_eq!(next_batch(&[60, 50, 3, 40, 30], packed), [0, 2, 4]);
    assert_eq!(next_batch(&[500, 3], packed), [0], "more than a whole batch runs alone");
    assert_eq!(next_batch(&[1; 50], packed).len(), 8);
    assert!(next_batch(&[], packed).is_empty());
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
        let layout = if random(2) == 0 { PADDED } else { Layout::Packed };
        let limits = BatchLimits { layout, tokens: 1 + random(300), items: 1 + random(10), overhead: 1 + random(50) };
        let mut queue: Vec<usize> = (0..random(60)).map(|_| 1 + random(200)).collect();
        while !queue.is_empty() {
            let batch = next_batch(&queue, limits);
            assert!(batch.contains(&0), "the oldest was left out of {queue:?}");
            let chosen = || batch.iter().map(|i| queue[*i]);
            let cost = match layout {
                Layout::Padded { .. } => chosen().max().unwrap() * batch.len(),
                Layout::Packed => chosen().sum(),
            };
            assert!(batch.len() == 1 || (cost <= limits.tokens && batch.len() <= limits.items));
            queue = queue.iter().enumerate().filter(|(i, _)| !batch.contains(i)).map(|(_, l)| *l).collect();
        }
    }
}

#[test]
fn no_other_division_of_a_small_queue_is_cheaper() {
    let limits = BatchLimits { layout: PADDED, tokens: 40, items: 4, overhead: 6 };
    let lengths = [3, 4, 4, 9, 10, 11, 30];
    // Every division of seven molecules in a row: a bit for each gap.
    let cheapest = (0..1_u32 << 6).filter_map(|gaps| {
        let (mut cost, mut start) = (0, 0);
        for end in 1..=lengths.len() {
            if end == lengths.len() || gaps & (1 << (end - 1)) != 0 {
                if !limits.allow(lengths[end - 1] * (end - start), end - start) {
                    return None;
                }
                cost += limits.overhead + lengths[end - 1] * (end - start);
                start = end;
            }
        }
        Some(cost)
    });
    let order: Vec<usize> = (0..lengths.len()).collect();
    let starts = cheapest_division(&order, &lengths, limits);
    let (mut cost, mut end) = (0, lengths.len());
    while end > 0 {
        cost += limits.overhead + lengths[end - 1] * (end - starts[end]);
        end = starts[end];
    }
    assert_eq!(Some(cost), cheapest.min());
}

#[test]
fn the_overhead_is_read_off_two_timed_runs() {
    // 1 ms and then 0.1 ms a token: ten tokens.
    let small = TimedRun { tokens: 4, seconds: 0.0014 };
    let large = TimedRun { tokens: 1024, seconds: 0.1034 };
    assert_eq!(overhead(small, large, 16384), 10);
    assert_eq!(overhead(small, large, 5), 5);
    let flat = TimedRun { tokens: 1024, seconds: 0.0014 };
    assert_eq!(overhead(small, flat, 16384), 16384, "a device on which tokens cost nothing");
    let free = TimedRun { tokens: 4, seconds: 0.0001 };
    assert_eq!(overhead(free, large, 16384), 1, "a run that costs nothing but its tokens");
}
