//! The first inferences: they prove that the network does what the manifest promises, and show what a run costs here.

use std::time::Instant;

use crate::batch::form::{TimedRun, overhead};
use crate::bundle::Bundle;
use crate::engine::{Batch, Engine, RawAnswers};
use crate::error::StartError;
use crate::postprocess;
use crate::preprocess::Preprocessor;

/// Every chemistry model knows methane.
const SMILES: &str = "C";
/// What larger molecules are made of where the model knows it: methane has no bond where hydrogens are no atoms.
const WITH_BOND: &str = "CC";
/// Molecules of the large run that is timed, and their length at most: usual molecules, and enough of them to keep every thread busy.
const LARGE: (usize, usize) = (64, 16);
/// The fastest of so many runs counts; the others met somebody else on the CPU.
const RUNS: usize = 5;

/// What the warm-up found out.
#[derive(Debug)]
pub struct WarmUp {
    /// A batch that ran, for probing the engine later.
    pub probe: Batch,
    /// What a run costs before its first token, in tokens.
    pub overhead: usize,
}

/// Runs the engine for the first time. `most_tokens` is the largest cost that a batch may have.
pub fn warm_up(
    engine: &mut dyn Engine,
    preprocessor: &Preprocessor,
    bundle: &Bundle,
    most_tokens: usize,
) -> Result<WarmUp, StartError> {
    let refused = |why| StartError::Preprocessor { file: preprocessor.file(), why };
    let methane = preprocessor
        .encode(SMILES)
        .map_err(|why| refused(format!("it cannot encode methane (\"{SMILES}\"): {why}")))?;
    if methane.unknown > 0 {
        return Err(refused(format!("its vocabulary has no token for methane (\"{SMILES}\")")));
    }
    let (methane, layout) = (methane.input, preprocessor.layout());
    let ethane = preprocessor.encode(WITH_BOND).ok().filter(|ethane| ethane.unknown == 0);
    let part = ethane.map_or_else(|| methane.clone(), |ethane| ethane.input);
    let promise = format!("{} and maxLength, {},", preprocessor.file(), bundle.manifest.max_length);
    let mut run = |batch: &Batch| run(engine, batch, &promise);

    // The shortest molecule beside one of the full length: a network that cannot take what the manifest promises fails
    // now and not under somebody's request.
    let longest = preprocessor.longest(&part);
    let answers = run(&Batch::of(&[&methane, &longest], layout))?;
    postprocess::estimates(&answers.row(0), &bundle.manifest.outputs, bundle.manifest.aggregate)
        .ok_or_else(|| StartError::WarmUp("the network gave no finite number for methane".to_owned()))?;

    let probe = Batch::of(&[&methane], layout);
    let (molecules, length) = LARGE;
    let usual = part.repeated(length.min(longest.length()));
    let small = time(&mut run, &probe)?;
    let large = time(&mut run, &Batch::of(&vec![&usual; molecules], layout))?;
    Ok(WarmUp { probe, overhead: overhead(small, large, most_tokens) })
}

fn run(engine: &mut dyn Engine, batch: &Batch, promise: &str) -> Result<RawAnswers, StartError> {
    engine.run(batch).map_err(|why| {
        let (molecules, cost) = (batch.molecules(), batch.cost());
        StartError::WarmUp(format!(
            "{why} ({molecules} molecules, {cost} tokens or atoms and bonds; does the network take what {promise} promise?)"
        ))
    })
}

fn time(mut run: impl FnMut(&Batch) -> Result<RawAnswers, StartError>, batch: &Batch) -> Result<TimedRun, StartError> {
    let mut seconds = f64::INFINITY;
    for _ in 0..RUNS {
        let started = Instant::now();
        run(batch)?;
        seconds = seconds.min(started.elapsed().as_secs_f64());
    }
    Ok(TimedRun { tokens: batch.cost(), seconds })
}
