//! An engine whose answers a reader can compute: the sum of a molecule's token ids, for a graph those of its atoms and directed bonds. It shows what it was given, waits
//! when told to, and fails when told to.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use chemmodel_inference::engine::{Batch, Engine, EngineError, RawAnswers};

/// Nothing in these tests takes as long; what does is stuck.
pub const LONG: Duration = Duration::from_secs(20);

/// Token ids of the characters that the fake engine trips over, see `fixture::VOCABULARY`.
pub const FAILS_ON: i64 = 16;
pub const PANICS_ON: i64 = 17;
pub const NAN_ON: i64 = 18;

pub struct FakeEngine {
    control: Arc<Control>,
    columns: usize,
    members: usize,
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
    /// An ensemble whose members differ: the first answers the sum, the second one more than that, and so on.
    pub fn new(columns: usize, members: usize) -> (Self, Arc<Control>) {
        let control = Arc::new(Control::default());
        (Self { control: control.clone(), columns, members }, control)
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

    /// Molecules of every batch so far, and the length of the longest; for graphs the length of all of them.
    pub fn batches(&self) -> Vec<(usize, usize)> {
        self.state.lock().unwrap().batches.clone()
    }
}

impl Engine for FakeEngine {
    fn run(&mut self, batch: &Batch) -> Result<RawAnswers, EngineError> {
        let mut state = self.control.state.lock().unwrap();
        state.batches.push(match batch {
            Batch::Tokens(tokens) => (tokens.rows, tokens.length),
            Batch::Graphs(_) | Batch::Refined(_) => (batch.molecules(), batch.cost()),
        });
        state.running += 1;
        self.control.changed.notify_all();
        let (mut state, _) = self.control.changed.wait_timeout_while(state, LONG, |s| s.held).unwrap();
        state.running -= 1;
        let broken = state.broken;
        drop(state);
        let molecules = ids(batch);
        let has = |id: i64| molecules.iter().flatten().any(|other| *other == id);
        if broken || has(FAILS_ON) {
            return Err(EngineError("out of memory".to_owned()));
        }
        assert!(!has(PANICS_ON), "the engine was told to panic");
        let of_member = |member: usize| {
            let values = molecules.iter().flat_map(|ids| {
                let sum = i16::try_from(ids.iter().sum::<i64>()).unwrap();
                let answer = if ids.contains(&NAN_ON) { f32::NAN } else { f32::from(sum) };
                (0..self.columns).map(move |column| answer + f32::from(u8::try_from(column + member).unwrap()))
            });
            values.collect()
        };
        Ok(RawAnswers { members: (0..self.members).map(of_member).collect(), outputs: self.columns })
    }
}

/// The tokens of each molecule, whichever way the batch has them.
fn ids(batch: &Batch) -> Vec<Vec<i64>> {
    match batch {
        Batch::Tokens(tokens) => {
            let rows = tokens.ids.chunks(tokens.length).zip(tokens.mask.chunks(tokens.length));
            rows.map(|(ids, mask)| ids.iter().zip(mask).filter(|(_, mask)| **mask == 1).map(|(id, _)| *id).collect())
                .collect()
        }
        Batch::Graphs(_) => panic!("no tokens"),
        Batch::Refined(graphs) => {
            let at = |number: i64| usize::try_from(number).unwrap();
            let mut molecules = vec![Vec::new(); graphs.size.len()];
            let first = &graphs.all.levels[0];
            let atoms = (&first.atom, &first.atom_count, &graphs.atom_graph);
            let bonds = (&first.bond, &first.bond_count, &graphs.bond_graph);
            for (tokens, counts, graph) in [atoms, bonds] {
                for ((token, count), graph) in tokens.iter().zip(counts).zip(graph) {
                    molecules[at(*graph)].extend(vec![*token; at(*count)]);
                }
            }
            molecules
        }
    }
}
