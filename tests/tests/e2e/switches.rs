//! Switch after switch under load: `SWITCHES` says how many, 20 when it does not.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chemmodel_crds::status::{HistoryEntry, Outcome as Ended};
use chemmodel_tests::Outcome;
use chemmodel_tests::load::{Fresh, Load, Tally};
use chemmodel_tests::routes::{Route, Routes};
use serde_json::json;

use crate::setting::{bucket_with_both, exclusive, stable, switch_to};

/// Half of them over connections that are kept, half over new ones.
const PER_SECOND: u32 = 200;
/// From the moment at which the active Service's EndpointSlice lists the new pods, and only them. The node's proxy hears of it then.
const GRACE: Duration = Duration::from_secs(1);

#[test]
fn no_request_fails_over_many_switches_and_the_old_version_is_silent_a_second_after_each() -> Outcome {
    exclusive("switches", async |scene| {
        let switches = switches()?;
        let bucket = bucket_with_both(scene).await?;
        // As short as can be: every switch is a whole rollout, with verification, and with new pods.
        let hasty = json!({"spec": {"replicas": 2, "rollout": {"observeSeconds": 1, "scaleDownDelaySeconds": 1}}});
        let model = stable(scene, &bucket, &hasty).await?;
        let routes = Routes::watch(scene, "boiling-point");
        let load = Load::start(&model.address().await?, PER_SECOND);

        let began = Instant::now();
        for number in 0..switches {
            let version = if number % 2 == 0 { "v2" } else { "v1" };
            model.patch(&switch_to(&bucket, version)).await?;
            let seen = model.until_stable(version).await?;
            let last = seen.status.and_then(|status| status.history.into_iter().next()).context("an empty history")?;
            ensure!(was_verified(&last, version), "switch {number} went by without its verification: {last:?}");
        }
        let each = began.elapsed() / switches;
        scene.say(&format!("FIGURE {switches} switches: {:.1} s each", each.as_secs_f64()));
        let tally = load.stop().await;

        let turns = routes.turns();
        let seen = turns.len().saturating_sub(1);
        ensure!(seen == usize::try_from(switches)?, "{seen} switches were seen in the EndpointSlice");
        let mut late = old_answers(&turns, &tally)?;
        late.sort_unstable();
        let latest = late.last().copied().unwrap_or_default();
        scene.say(&format!(
            "FIGURE requests over {switches} switches: {:?} answered, {} failed; 99 of 100 new connections within {:.0} ms; the last \
             answer of an old version on a new connection {:.0} ms after its switch at worst, {:.0} ms in the middle",
            tally.answered,
            tally.failed.len(),
            percentile(&tally.fresh, 0.99).as_secs_f64() * 1e3,
            latest.as_secs_f64() * 1e3,
            late.get(late.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e3
        ));
        let first: Vec<_> = tally.failed.iter().take(10).collect();
        ensure!(first.is_empty(), "{} of {} requests failed, first {first:#?}", tally.failed.len(), tally.total());
        ensure!(
            latest <= GRACE,
            "an old version answered a new connection {:.3} s after its switch",
            latest.as_secs_f64()
        );
        Ok(())
    })
}

fn switches() -> Result<u32> {
    match std::env::var("SWITCHES") {
        Ok(number) => number.parse().with_context(|| format!("SWITCHES={number} is no number")),
        Err(_) => Ok(20),
    }
}

fn was_verified(entry: &HistoryEntry, version: &str) -> bool {
    let evidence = entry.verification.as_ref();
    entry.version == version
        && entry.outcome == Ended::Promoted
        && evidence.is_some_and(|found| found.pods == 2 && found.total > 0 && found.passed == found.total)
}

/// For each switch, and for where it began, how long after it a connection was asked for that the version before it still answered: the longest.
fn old_answers(turns: &[Route], tally: &Tally) -> Result<Vec<Duration>> {
    ensure!(!tally.fresh.is_empty(), "no request went over a new connection");
    let mut late = vec![Duration::ZERO; turns.len()];
    for answer in &tally.fresh {
        // The switch that a connection comes after.
        if let Some(at) = turns.iter().rposition(|turn| turn.since <= answer.began) {
            late[at] = late[at].max(lateness(turns, at, answer));
        }
    }
    Ok(late)
}

fn lateness(turns: &[Route], at: usize, answer: &Fresh) -> Duration {
    // The next switch may have been under way before this was answered.
    let next_is_near = turns.get(at + 1).is_some_and(|next| next.since <= answer.began + answer.took + GRACE);
    let expected = |turn: &Route| turn.deployment() == Some(deployment_of(&answer.version));
    if expected(&turns[at]) || (next_is_near && expected(&turns[at + 1])) {
        return Duration::ZERO;
    }
    answer.began - turns[at].since
}

/// Where a version runs: they take turns, and v1 was first.
fn deployment_of(version: &str) -> &'static str {
    if version == "v1" { "boiling-point-blue" } else { "boiling-point-green" }
}

fn percentile(answers: &[Fresh], share: f64) -> Duration {
    let mut times: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    times.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank")]
    let rank = (times.len() as f64 * share) as usize;
    times.get(rank.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}
