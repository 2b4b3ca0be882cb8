//! An engine whose answers a reader can compute: the sum of a molecule's token ids. It shows what it was given, waits
//! when told to, and fails when told to.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use chemmodel_inference::engine::{Engine, EngineError, RawAnswers, TokenBatch};

/// Nothing in these tests takes as long; what does is stuck.
pub const LONG: Duration = Duration::from_secs(20);

/// Token ids of the characters that the fake engine trips over, see `fixture::VOCABULARY`.
pub const FAILS_ON: i64 = 16;
pub const PANICS_ON: i64 = 17;
pub const NAN_ON: i64 = 18;

pub struct FakeEngine {
    control: Arc<Control>,
    columns: usize,
}

/// What a test sees of the engine, and tells it.
#[derive(Default)]
pub struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    held: bool,
    broken: bool,
    running: usize,
    batches: Vec<(usize, usize)>,
}

impl FakeEngine {
    pub fn new(columns: usize) -> (Self, Arc<Control>) {
        let control = Arc::new(Control::default());
        (Self { control: control.clone(), columns }, control)
    }
}

impl Control {
    /// From now on the engine stays inside `run`.
    pub fn hold(&self) {
        self.state.lock().unwrap().held = true;
    }

    pub fn release(&self) {
        self.state.lock().unwrap().held = false;
        self.changed.notify_all();
    }

    /// From now on every run fails.
    pub fn break_down(&self) {
        self.state.lock().unwrap().broken = true;
    }

    pub fn repair(&self) {
        self.state.lock().unwrap().broken = false;
    }

    /// Whether the engine is inside `run`.
    pub fn is_running(&self) -> bool {
        self.state.lock().unwrap().running > 0
    }

    /// Rows and length of every batch so far.
    pub fn batches(&self) -> Vec<(usize, usize)> {
        self.state.lock().unwrap().batches.clone()
    }
}

impl Engine for FakeEngine {
    fn run(&mut self, batch: &TokenBatch) -> Result<RawAnswers, EngineError> {
        let mut state = self.control.state.lock().unwrap();
        state.batches.push((batch.rows, batch.length));
        state.running += 1;
        self.control.changed.notify_all();
        let (mut state, _) = self.control.changed.wait_timeout_while(state, LONG, |s| s.held).unwrap();
        state.running -= 1;
        let broken = state.broken;
        drop(state);
        if broken || batch.ids.contains(&FAILS_ON) {
            return Err(EngineError("out of memory".to_owned()));
        }
        assert!(!batch.ids.contains(&PANICS_ON), "the engine was told to panic");
        let rows = batch.ids.chunks(batch.length).zip(batch.mask.chunks(batch.length));
        let values = rows.flat_map(|(ids, mask)| {
            let sum: i64 = ids.iter().zip(mask).map(|(id, mask)| id * mask).sum();
            let answer = if ids.contains(&NAN_ON) { f32::NAN } else { i16::try_from(sum).unwrap().into() };
            (0..self.columns).map(move |column| answer + f32::from(u8::try_from(column).unwrap()))
        });
        Ok(RawAnswers { members: vec![values.collect()], outputs: self.columns })
    }
}
