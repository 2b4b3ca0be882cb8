//! The limit: ONNX Runtime alone, on molecules that were read before. No queue, no HTTP. In a loop over the batches that the server's
//! own rule finds cheapest among all of them; or one molecule after the other, as who asks for one meets it.
#![allow(clippy::print_stdout, reason = "its answer")]

use std::path::PathBuf;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use chemmodel_bench::{lines, percentile};
use chemmodel_bundle::Precision;
use chemmodel_inference::args::Accelerator;
use chemmodel_inference::batch::form::{BatchLimits, next_batch};
use chemmodel_inference::bundle::Bundle;
use chemmodel_inference::engine::ort::OrtEngine;
use chemmodel_inference::engine::session::{CudaOptions, EngineConfig};
use chemmodel_inference::engine::{Batch, Engine as _, Input};
use chemmodel_inference::preprocess::Preprocessor;
use chemmodel_inference::warm_up::warm_up;
use clap::Parser;
use serde::Serialize;

/// Runs ONNX Runtime in a loop and prints how fast it was.
#[derive(Parser)]
struct Args {
    /// Directory of the bundle
    #[arg(long)]
    bundle: PathBuf,
    /// One SMILES a line
    #[arg(long)]
    molecules: PathBuf,
    /// Sessions beside each other, each on its own thread
    #[arg(long, default_value_t = 1)]
    sessions: usize,
    /// Threads inside one session
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// One molecule at a time, in one session
    #[arg(long)]
    one_by_one: bool,
    /// So many of them a second, evenly spaced; without, each when the last one is done
    #[arg(long, requires = "one_by_one")]
    rate: Option<f64>,
    /// Seconds of the measurement
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Shared library of ONNX Runtime
    #[arg(long, env = "ORT_DYLIB_PATH")]
    onnxruntime: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let bundle = Bundle::open(&args.bundle, None)?;
    let preprocessor = Preprocessor::load(&bundle, 1000)?;
    let molecules: Vec<Input> = lines(&args.molecules)?
        .iter()
        .filter_map(|smiles| preprocessor.encode(smiles).ok())
        .map(|encoded| encoded.input)
        .collect();
    ensure!(!molecules.is_empty(), "no molecule can be read");

    let config = EngineConfig {
        accelerator: Accelerator::Cpu,
        precision: Precision::Fp32,
        threads: args.threads,
        cuda: CudaOptions::default(),
        library: &args.onnxruntime,
    };
    let mut engines = Vec::with_capacity(args.sessions);
    let mut overhead = 0;
    for _ in 0..args.sessions {
        let mut engine = OrtEngine::load(&bundle, preprocessor.network(), config)?;
        overhead = warm_up(&mut engine, &preprocessor, &bundle, 16384)?.overhead;
        engines.push(engine);
    }
    let limits = BatchLimits { layout: preprocessor.layout(), tokens: 16384, items: 256, overhead };
    let seconds = Duration::from_secs(args.seconds);
    let seen = if args.one_by_one {
        let singles: Vec<_> = molecules.iter().map(|molecule| Batch::of(&[molecule], limits.layout)).collect();
        one_by_one(engines.first_mut().context("no session")?, &singles, args.rate, seconds)?
    } else {
        together(&mut engines, &divide(&molecules, limits), seconds)?
    };
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}

/// What was seen. Each molecule has a time only where it runs alone, in milliseconds.
#[derive(Debug, Serialize)]
struct Seen {
    molecules_per_second: f64,
    p50: f64,
    p99: f64,
}

/// One after the other in the order in which they are due: `rate` a second, or when the last one is done. A time counts from when the molecule
/// was due.
fn one_by_one(engine: &mut OrtEngine, singles: &[Batch], rate: Option<f64>, seconds: Duration) -> Result<Seen> {
    let mut times = Vec::new();
    let began = Instant::now();
    for (number, single) in (0_u32..).zip(singles.iter().cycle()) {
        let due = rate.map_or_else(Instant::now, |rate| began + Duration::from_secs_f64(f64::from(number) / rate));
        if due.duration_since(began) >= seconds {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        engine.run(single)?;
        times.push(due.elapsed());
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let molecules_per_second = times.len() as f64 / began.elapsed().as_secs_f64();
    Ok(Seen { molecules_per_second, p50: percentile(&mut times, 0.5), p99: percentile(&mut times, 0.99) })
}

/// All sessions beside each other. Each runs all batches, and again until the time is over: a part of them would cost
/// more or less than all.
fn together(engines: &mut [OrtEngine], batches: &[Batch], seconds: Duration) -> Result<Seen> {
    let sessions = engines.len();
    let start = Barrier::new(sessions);
    let run = |number: usize, engine: &mut OrtEngine| -> Result<f64> {
        start.wait();
        let began = Instant::now();
        let mut count = 0;
        let (later, first) = batches.split_at(number * batches.len() / sessions);
        while began.elapsed() < seconds {
            for batch in first.iter().chain(later) {
                engine.run(batch)?;
                count += batch.molecules();
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        Ok(count as f64 / began.elapsed().as_secs_f64())
    };
    let rate: Result<f64> = thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> =
            engines.iter_mut().enumerate().map(|(number, engine)| scope.spawn(move || run(number, engine))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread panicked"))).sum()
    });
    Ok(Seen { molecules_per_second: rate?, p50: 0.0, p99: 0.0 })
}

/// All molecules in batches, as the server's queue would have them if all were there at once.
fn divide(molecules: &[Input], limits: BatchLimits) -> Vec<Batch> {
    let mut left: Vec<&Input> = molecules.iter().collect();
    left.sort_by_key(|molecule| molecule.length());
    let mut batches = Vec::new();
    while !left.is_empty() {
        let window = left.len().min(limits.window());
        let lengths: Vec<usize> = left[..window].iter().map(|molecule| molecule.length()).collect();
        let mut chosen = next_batch(&lengths, limits);
        chosen.sort_unstable();
        batches.push(Batch::of(&chosen.iter().map(|index| left[*index]).collect::<Vec<_>>(), limits.layout));
        for index in chosen.into_iter().rev() {
            left.remove(index);
        }
    }
    batches
}
