//! Whether the process should be restarted (live) and whether it should get requests (ready), each with the reason.
//! Both answers are computed when asked; nothing here waits or does I/O.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An inference that takes longer is not slow but stuck: the largest batch takes seconds.
pub const STUCK_AFTER: Duration = Duration::from_mins(1);

/// Where the process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not serving yet; the text says what is being done.
    Loading(&'static str),
    /// Serving.
    Ready,
    /// Serving what arrives, but asking to be left alone.
    Draining,
}

/// The phase of the process and the pulses of its engines.
#[derive(Debug)]
pub struct Health {
    phase: Mutex<Phase>,
    pulses: Mutex<Vec<Arc<Pulse>>>,
}

impl Default for Health {
    fn default() -> Self {
        Self { phase: Mutex::new(Phase::Loading("starting")), pulses: Mutex::default() }
    }
}

impl Health {
    /// The pulse of one more engine.
    pub fn add_pulse(&self) -> Arc<Pulse> {
        let pulse = Arc::<Pulse>::default();
        lock(&self.pulses).push(pulse.clone());
        pulse
    }

    /// All engines must be well: requests go to any of them.
    fn check(&self, now: Instant) -> Result<(), String> {
        let pulses = lock(&self.pulses);
        if pulses.is_empty() {
            return Err("no engine was started".to_owned());
        }
        pulses.iter().try_for_each(|pulse| pulse.check(now))
    }

    /// Where the process is in its life.
    pub fn phase(&self) -> Phase {
        *lock(&self.phase)
    }

    /// Goes on to `next` and returns what was before. Draining is final: a load that finishes late does not make the
    /// server ready again.
    pub fn enter(&self, next: Phase) -> Phase {
        let mut phase = lock(&self.phase);
        let before = *phase;
        if before != Phase::Draining {
            *phase = next;
        }
        before
    }

    /// `Err` says why the process should be restarted.
    pub fn live(&self, now: Instant) -> Result<(), String> {
        match self.phase() {
            Phase::Loading(_) => Ok(()),
            Phase::Ready | Phase::Draining => self.check(now),
        }
    }

    /// `Err` says why the process should get no requests.
    pub fn ready(&self, now: Instant) -> Result<(), String> {
        match self.phase() {
            Phase::Loading(step) => Err(format!("the server is loading: {step}")),
            Phase::Draining => Err("the server is shutting down".to_owned()),
            Phase::Ready => self.check(now),
        }
    }
}

/// What the engine's thread shows of itself.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Beat>);

#[derive(Debug, Default, Clone)]
enum Beat {
    /// Before the thread was started.
    #[default]
    NotStarted,
    /// Waiting for molecules.
    Idle,
    /// Running the engine since then.
    Busy(Instant),
    /// The engine failed on a batch that had worked.
    Failing(String),
    /// The thread has ended.
    Stopped,
}

impl Pulse {
    /// The thread is about to start.
    pub fn start(&self) {
        *lock(&self.0) = Beat::Idle;
    }

    /// The thread takes up work, or made progress with it.
    pub fn busy(&self) {
        self.unless_failing(Beat::Busy(Instant::now()));
    }

    /// The thread waits for work.
    pub fn idle(&self) {
        self.unless_failing(Beat::Idle);
    }

    /// The engine has just run, so an earlier failure is over.
    pub fn engine_works(&self) {
        *lock(&self.0) = Beat::Busy(Instant::now());
    }

    /// The engine failed where it must not.
    pub fn engine_fails(&self, why: &str) {
        *lock(&self.0) = Beat::Failing(why.to_owned());
    }

    /// The thread ends.
    pub fn stop(&self) {
        *lock(&self.0) = Beat::Stopped;
    }

    fn unless_failing(&self, next: Beat) {
        let mut beat = lock(&self.0);
        if !matches!(*beat, Beat::Failing(_)) {
            *beat = next;
        }
    }

    fn check(&self, now: Instant) -> Result<(), String> {
        match &*lock(&self.0) {
            Beat::Idle => Ok(()),
            Beat::Busy(since) => match now.saturating_duration_since(*since) {
                busy if busy > STUCK_AFTER => Err(format!("one inference has been running for {} s", busy.as_secs())),
                _ => Ok(()),
            },
            Beat::Failing(why) => Err(format!("the engine fails: {why}")),
            Beat::NotStarted => Err("the engine's thread was not started".to_owned()),
            Beat::Stopped => Err("the engine's thread has stopped".to_owned()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> (Health, Arc<Pulse>) {
        let health = Health::default();
        health.add_pulse().start();
        let pulse = health.add_pulse();
        pulse.start();
        health.enter(Phase::Ready);
        (health, pulse)
    }

    #[test]
    fn a_loading_server_is_live_but_not_ready_and_says_what_it_does() {
        let health = Health::default();
        health.enter(Phase::Loading("checking the files of the bundle"));
        assert_eq!(health.live(Instant::now()), Ok(()));
        assert!(health.ready(Instant::now()).unwrap_err().contains("checking the files"));
    }

    #[test]
    fn an_idle_engine_is_live_however_long_nothing_comes() {
        let much_later = Instant::now() + Duration::from_secs(1_000_000);
        assert_eq!(ready().0.live(much_later), Ok(()));
        assert_eq!(ready().0.ready(much_later), Ok(()));
    }

    #[test]
    fn an_engine_that_does_not_come_back_is_not_live() {
        let (health, pulse) = ready();
        pulse.busy();
        let now = Instant::now();
        assert_eq!(health.live(now + STUCK_AFTER / 2), Ok(()));
        assert!(health.live(now + STUCK_AFTER * 2).unwrap_err().contains("running for"));
    }

    #[test]
    fn an_engine_whose_thread_has_stopped_is_neither_live_nor_ready() {
        let (health, pulse) = ready();
        pulse.stop();
        assert!(health.live(Instant::now()).is_err());
        assert!(health.ready(Instant::now()).is_err());
    }

    #[test]
    fn an_engine_that_failed_its_probe_stays_failed_until_it_runs_again() {
        let (health, pulse) = ready();
        pulse.engine_fails("CUDA error 700");
        pulse.idle();
        assert!(health.ready(Instant::now()).unwrap_err().contains("CUDA error 700"));
        pulse.engine_works();
        assert_eq!(health.ready(Instant::now()), Ok(()));
    }

    #[test]
    fn draining_is_final() {
        let (health, _) = ready();
        health.enter(Phase::Draining);
        health.enter(Phase::Ready);
        assert!(health.ready(Instant::now()).unwrap_err().contains("shutting down"));
        assert_eq!(health.live(Instant::now()), Ok(()));
    }
}
