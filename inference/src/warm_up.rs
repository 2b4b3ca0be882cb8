//! The first inferences: they prove that the network does what the manifest promises, and show what a run costs here.

use std::time::Instant;

use crate::batch::form::{TimedRun, overhead};
use crate::bundle::Bundle;
use crate::engine::{Engine, RawAnswers, TokenBatch};
use crate::error::StartError;
use crate::postprocess;
use crate::preprocess::sequence::SequencePreprocessor;

/// Every chemistry model knows methane.
const SMILES: &str = "C";
/// Molecules and tokens of the large run that is timed: usual molecules, and enough of them to keep every thread busy.
const LARGE: (usize, usize) = (64, 16);
/// The fastest of so many runs counts; the others met somebody else on the CPU.
const RUNS: usize = 3;

/// What the warm-up found out.
#[derive(Debug)]
pub struct WarmUp {
    /// A batch that ran, for probing the engine later.
    pub probe: TokenBatch,
    /// What a run costs before its first token, in tokens.
    pub overhead: usize,
}

/// Runs the engine for the first time. `most_tokens` is the largest cost that a batch may have.
pub fn warm_up(
    engine: &mut dyn Engine,
    preprocessor: &SequencePreprocessor,
    bundle: &Bundle,
    most_tokens: usize,
) -> Result<WarmUp, StartError> {
    let methane = preprocessor
        .encode(SMILES)
        .map_err(|why| StartError::Tokenizer(format!("it cannot encode methane (\"{SMILES}\"): {why}")))?;
    if methane.unknown > 0 {
        return Err(StartError::Tokenizer(format!("its vocabulary has no token for methane (\"{SMILES}\")")));
    }
    let pad_id = preprocessor.pad_id();
    let of_length = |length| methane.ids.iter().copied().cycle().take(length).collect::<Vec<u32>>();

    // The shortest molecule beside one of the full length: a network that cannot take what the manifest promises fails
    // now and not under somebody's request.
    let longest = of_length(preprocessor.max_tokens());
    let answers = run(engine, &TokenBatch::pad([methane.ids.as_slice(), &longest].into_iter(), pad_id))?;
    postprocess::values(&answers.row(0), &bundle.manifest.outputs, bundle.manifest.aggregate)
        .ok_or_else(|| StartError::WarmUp("the network gave no finite number for methane".to_owned()))?;

    let probe = TokenBatch::pad([methane.ids.as_slice()].into_iter(), pad_id);
    let (rows, length) = LARGE;
    let usual = vec![of_length(length.min(preprocessor.max_tokens())); rows];
    let small = time(engine, &probe)?;
    let large = time(engine, &TokenBatch::pad(usual.iter().map(Vec::as_slice), pad_id))?;
    Ok(WarmUp { probe, overhead: overhead(small, large, most_tokens) })
}

fn run(engine: &mut dyn Engine, batch: &TokenBatch) -> Result<RawAnswers, StartError> {
    engine.run(batch).map_err(|why| {
        let (rows, length) = (batch.rows, batch.length);
        StartError::WarmUp(format!("{why} ({rows} molecules of {length} tokens; is maxLength what the network takes?)"))
    })
}

fn time(engine: &mut dyn Engine, batch: &TokenBatch) -> Result<TimedRun, StartError> {
    let mut seconds = f64::INFINITY;
    for _ in 0..RUNS {
        let started = Instant::now();
        run(engine, batch)?;
        seconds = seconds.min(started.elapsed().as_secs_f64());
    }
    Ok(TimedRun { tokens: batch.rows * batch.length, seconds })
}
