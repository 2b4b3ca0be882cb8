//! How fast molecules are read: SMILES to the graph that PolyID's networks take, and to the environments of the domain of
//! validity. One thread, no network. `peers/polyid_features.py` does the same with RDKit and nfp.
#![allow(clippy::print_stdout, reason = "its answer")]

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use chemmodel_bench::lines;
use chemmodel_bundle::{FEATURES_FILE, Features};
use chemmodel_chem::features::morgan::environments;
use chemmodel_chem::features::nfp::NfpVocabulary;
use chemmodel_chem::{Limits, Molecule, Stereo};
use clap::Parser;
use serde_json::{Value, json};

/// Reads molecules for a while, again and again, and prints how many a second.
#[derive(Parser)]
struct Args {
    /// Directory of a bundle with features of PolyID
    #[arg(long)]
    bundle: PathBuf,
    /// One SMILES a line
    #[arg(long)]
    molecules: PathBuf,
    /// Seconds of each measurement, at least
    #[arg(long, default_value_t = 3)]
    seconds: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let file = args.bundle.join(FEATURES_FILE);
    let features = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let Features::Nfp { atoms, bonds, .. } = Features::parse(&features)? else {
        bail!("{} has features of another scheme than nfp-v1 and nfp-v2", file.display());
    };
    let vocabulary = NfpVocabulary::new(&atoms, &bonds).map_err(anyhow::Error::msg)?;
    let smiles = lines(&args.molecules)?;
    let seconds = Duration::from_secs(args.seconds);
    let stereo = vocabulary.stereo();
    let nfp = timed(&smiles, seconds, stereo, |molecule| {
        let graph = vocabulary.graph(molecule);
        (graph.atoms.len() + graph.bonds.len()) as u64
    })?;
    let morgan =
        timed(&smiles, seconds, stereo, |molecule| environments(molecule).iter().map(|(id, _)| u64::from(*id)).sum())?;
    println!("{}", json!({ "nfp": nfp, "morgan": morgan }));
    Ok(())
}

/// Molecules a second of whole passes over the list, and the sum of what was found in one pass: the other side must find the same.
#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn timed(smiles: &[String], seconds: Duration, stereo: Stereo, features: impl Fn(&Molecule) -> u64) -> Result<Value> {
    let limits = Limits { characters: usize::MAX, atoms: usize::MAX };
    let pass = || -> Result<u64> {
        let mut sum = 0;
        for line in smiles {
            let molecule = Molecule::read(line, limits, stereo).map_err(|why| anyhow::anyhow!("{line}: {why}"))?;
            sum += features(&molecule);
        }
        Ok(sum)
    };
    // The first pass is for warming up.
    let sum = pass()?;
    let began = Instant::now();
    let mut molecules = 0.0;
    while began.elapsed() < seconds {
        black_box(pass()?);
        molecules += smiles.len() as f64;
    }
    Ok(json!({ "rate": molecules / began.elapsed().as_secs_f64(), "sum": sum }))
}
