use std::sync::Arc;
use std::time::Instant;

use tokio::spawn;
use tokio::sync::oneshot;

use super::super::Raw;
use super::*;
use crate::engine::{Input, Layout};

const ONE_BY_ONE: BatchLimits = BatchLimits { layout: Layout::Padded { pad_id: 0 }, tokens: 1, items: 1, overhead: 1 };

/// Molecules of one request, told apart by their first token.
fn request(ids: &[u32]) -> (Vec<Item>, Vec<oneshot::Receiver<Raw>>) {
    let item = |id: &u32| {
        let (reply, answer) = oneshot::channel();
        (
            Item { input: Input::Tokens(vec![*id; 10]), queued: Instant::now(), span: tracing::Span::none(), reply },
            answer,
        )
    };
    ids.iter().map(item).unzip()
}

fn first_token(batch: &[Item]) -> u32 {
    let Input::Tokens(ids) = &batch[0].input else { panic!("no sequence") };
    ids[0]
}

fn order(queue: &Queue) -> Vec<u32> {
    queue.close();
    std::iter::from_fn(|| queue.next_batch(ONE_BY_ONE)).map(|batch| first_token(&batch)).collect()
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
        taken.push(first_token(&queue.next_batch(ONE_BY_ONE).unwrap()));
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

#[tokio::test]
async fn an_engine_that_sleeps_is_woken_once_and_for_all_that_came_at_one_moment() {
    let queue = Arc::new(queue());
    queue.lock().asleep = 1;
    let ask = |id| {
        let queue = queue.clone();
        spawn(async move {
            let (items, _kept) = request(&[id]);
            queue.push_all(items, None).unwrap().after_others().await;
            queue.lock().waiting.len()
        })
    };
    let (first, _, _) = tokio::join!(ask(1), ask(2), ask(3));
    assert_eq!(first.unwrap(), 3, "molecules were queued when the first one woke the engine");
    assert_eq!(queue.lock().called, 1);
}
