//! How long what waits will take. A run of `n` tokens takes `a·n + b` seconds; the line is fitted by least squares to the runs so far, of
//! which the latest weigh most. Pure: times in, times out.

use std::time::Duration;

use super::form::TimedRun;

/// What is left of a run's weight after the next one: some hundred runs count.
const FADING: f64 = 0.99;
/// Runs whose sizes differ by less, relative to the size, say nothing about where the line begins.
const SPREAD: f64 = 0.05;

/// The line, as the sums that it is computed from.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pace {
    runs: f64,
    tokens: f64,
    seconds: f64,
    tokens_tokens: f64,
    tokens_seconds: f64,
}

impl Pace {
    /// A run has ended.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn add(&mut self, run: TimedRun) {
        let (tokens, seconds) = (run.tokens as f64, run.seconds);
        for (sum, value) in [
            (&mut self.runs, 1.0),
            (&mut self.tokens, tokens),
            (&mut self.seconds, seconds),
            (&mut self.tokens_tokens, tokens * tokens),
            (&mut self.tokens_seconds, tokens * seconds),
        ] {
            *sum = *sum * FADING + value;
        }
    }

    /// How long so many tokens take in so many runs, one after the other; nothing as long as nothing ran.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn time(&self, tokens: u64, runs: u64) -> Duration {
        let (token, run) = self.line();
        Duration::try_from_secs_f64(token * tokens as f64 + run * runs as f64).unwrap_or(Duration::MAX)
    }

    /// Seconds of a token, and of a run without any.
    fn line(&self) -> (f64, f64) {
        if self.runs <= 0.0 || self.tokens <= 0.0 {
            return (0.0, 0.0);
        }
        let (tokens, seconds) = (self.tokens / self.runs, self.seconds / self.runs);
        let variance = self.tokens_tokens / self.runs - tokens * tokens;
        let through_nothing = (seconds / tokens, 0.0);
        if variance < (SPREAD * tokens).powi(2) {
            return through_nothing;
        }
        let token = (self.tokens_seconds / self.runs - tokens * seconds) / variance;
        let run = seconds - token * tokens;
        if token >= 0.0 && run >= 0.0 { (token, run) } else { through_nothing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(runs: &[(usize, f64)]) -> Pace {
        let mut pace = Pace::default();
        for (tokens, seconds) in runs {
            pace.add(TimedRun { tokens: *tokens, seconds: *seconds });
        }
        pace
    }

    fn seconds(pace: &Pace, tokens: u64, runs: u64) -> f64 {
        pace.time(tokens, runs).as_secs_f64()
    }

    #[test]
    fn nothing_is_known_before_the_first_run() {
        assert_eq!(after(&[]).time(1000, 10), Duration::ZERO);
    }

    #[test]
    fn runs_on_a_line_give_the_line() {
        let pace = after(&[(100, 0.030), (200, 0.050), (400, 0.090), (300, 0.070)]);
        assert!((seconds(&pace, 1000, 2) - (0.0002 * 1000.0 + 2.0 * 0.010)).abs() < 1e-9);
    }

    #[test]
    fn runs_of_one_size_give_their_speed() {
        let pace = after(&[(100, 0.02), (100, 0.04), (101, 0.03)]);
        assert!((seconds(&pace, 1000, 7) - 0.3).abs() < 0.01);
    }

    #[test]
    fn what_makes_no_sense_as_a_line_gives_the_speed() {
        // Large runs that took less time than small ones.
        let pace = after(&[(100, 0.1), (1000, 0.01)]);
        assert!(seconds(&pace, 1100, 0) > 0.0 && seconds(&pace, 0, 1000) == 0.0);
    }

    #[test]
    fn the_latest_runs_weigh_most() {
        let slow = [(100, 1.0), (200, 2.0)].repeat(300);
        let fast = [(100, 0.1), (200, 0.2)].repeat(300);
        let pace = after(&[slow, fast].concat());
        assert!((seconds(&pace, 100, 0) - 0.1).abs() < 0.01, "{}", seconds(&pace, 100, 0));
    }

    #[test]
    fn no_number_is_too_large() {
        assert_eq!(after(&[(1, 1e300)]).time(u64::MAX, u64::MAX), Duration::MAX);
    }
}
