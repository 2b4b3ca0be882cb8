//! The committed bundles on the real runtime give the answers of the original framework.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use chemmodel_bundle::Precision;
use chemmodel_bundle::{Golden, GoldenMolecule};
use chemmodel_inference::args::Accelerator;
use chemmodel_inference::bundle::Bundle;
use chemmodel_inference::engine::ort::OrtEngine;
use chemmodel_inference::engine::session::{CudaOptions, EngineConfig};
use chemmodel_inference::engine::{Batch, Engine, Network, TokenBatch};
use chemmodel_inference::http::App;
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::postprocess;
use chemmodel_inference::preprocess::sequence::SequencePreprocessor;
use chemmodel_inference::service::Call;
use chemmodel_inference::startup;
use tokio::runtime::Runtime;

use crate::support::bundle::{args, committed_version, runtime};

/// Tighter than the bundle's own tolerance: the same network on another runtime, in float32.
const RELATIVE: f64 = 1e-4;

/// One committed bundle, loaded.
struct Served {
    directory: PathBuf,
    golden: Golden,
    app: App,
}

/// That of the answers; each test has its own, which ends with it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Loaded once; the workers run until the tests end.
static SERVED: LazyLock<Vec<Served>> = LazyLock::new(|| ["v1", "v2"].map(Served::load).into());

impl Served {
    fn load(version: &str) -> Self {
        Self::load_with(version, &[])
    }

    fn load_with(version: &str, flags: &[&str]) -> Self {
        let _runtime = RUNTIME.enter();
        let directory = committed_version(version);
        let golden = Golden::parse(&fs::read(directory.join("golden.json")).unwrap(), 1).unwrap();
        let app = App::new(Arc::new(Metrics::new("boiling-point", version, "").unwrap()));
        startup::load(&args(&directory, flags), &app).unwrap();
        Self { directory, golden, app }
    }

    async fn answers(&self, molecules: &[GoldenMolecule]) -> Vec<f64> {
        let smiles = molecules.iter().map(|m| m.smiles.clone()).collect();
        let call = Call { caller: String::new(), deadline: None, fresh: true };
        let answers = self.app.service.get().unwrap().predict(smiles, call).await.unwrap();
        answers.into_iter().map(|answer| f64::from(answer.unwrap().estimates[0].value)).collect()
    }

    async fn assert_references(&self, molecules: &[GoldenMolecule]) {
        for (molecule, answer) in molecules.iter().zip(self.answers(molecules).await) {
            let reference = molecule.predictions[0];
            let allowed = RELATIVE * reference.abs();
            let error = (answer - reference).abs();
            assert!(error <= allowed, "{}: {answer} instead of {reference} ± {allowed}", molecule.smiles);
        }
    }
}

#[test]
fn tokens_are_those_of_the_original_tokenizer() {
    for Served { directory, golden, .. } in SERVED.iter() {
        let preprocessor = SequencePreprocessor::from_file(&directory.join("tokenizer.json"), 512, 1000).unwrap();
        for molecule in &golden.molecules {
            assert_eq!(preprocessor.encode(&molecule.smiles).unwrap().ids, molecule.ids, "{}", molecule.smiles);
        }
    }
}

#[tokio::test]
async fn every_molecule_alone_has_its_reference() {
    for served in SERVED.iter() {
        for molecule in served.golden.molecules.chunks(1) {
            served.assert_references(molecule).await;
        }
    }
}

#[tokio::test]
async fn every_molecule_among_others_has_its_reference() {
    for served in SERVED.iter() {
        for company in [2, 7, served.golden.molecules.len()] {
            for molecules in served.golden.molecules.chunks(company) {
                served.assert_references(molecules).await;
            }
        }
    }
}

/// Whatever the queue would do: in one batch with a molecule of the full length, nearly all of it padding.
#[test]
fn padding_changes_no_answer() {
    for Served { directory, golden, .. } in SERVED.iter() {
        let bundle = Bundle::open(directory, None).unwrap();
        let (threads, library) = (1, &runtime());
        let mut engine = OrtEngine::load(
            &bundle,
            Network::Sequences,
            EngineConfig {
                accelerator: Accelerator::Cpu,
                precision: Precision::Fp32,
                threads,
                cuda: CudaOptions::default(),
                library,
            },
        )
        .unwrap();
        let mut molecules: Vec<&[u32]> = golden.molecules.iter().map(|m| m.ids.as_slice()).collect();
        let longest: Vec<u32> = molecules[0].iter().copied().cycle().take(512).collect();
        molecules.truncate(8);
        molecules.push(&longest);
        let answers = engine.run(&Batch::Tokens(TokenBatch::pad(molecules.into_iter(), 0))).unwrap();
        for (row, molecule) in golden.molecules.iter().take(8).enumerate() {
            let outputs = &bundle.manifest.outputs;
            let answer = postprocess::estimates(&answers.row(row), outputs, bundle.manifest.aggregate).unwrap();
            let (answer, reference) = (f64::from(answer[0].value), molecule.predictions[0]);
            assert!((answer - reference).abs() <= RELATIVE * reference.abs(), "{}: {answer}", molecule.smiles);
        }
    }
}

#[tokio::test]
async fn a_variant_answers_within_its_tolerance_alone_and_among_others() {
    let directory = committed_version("v2-int8");
    let served = Served::load_with("v2-int8", &["--precision", "int8"]);
    let manifest = Bundle::open(&directory, None).unwrap().manifest;
    let tolerance = manifest.variants[&Precision::Int8].tolerance;
    let alone = served.answers(&served.golden.molecules[..1]).await[0];
    let answers = served.answers(&served.golden.molecules).await;
    for (molecule, answer) in served.golden.molecules.iter().zip(&answers) {
        let (reference, allowed) =
            (molecule.predictions[0], tolerance.absolute + tolerance.relative * molecule.predictions[0].abs());
        assert!(
            (answer - reference).abs() <= allowed,
            "{}: {answer} instead of {reference} ± {allowed}",
            molecule.smiles
        );
    }
    assert!((alone - answers[0]).abs() <= RELATIVE * alone, "alone {alone}, among others {}", answers[0]);
    let fp32 = SERVED[1].answers(&served.golden.molecules).await;
    assert!(fp32.iter().zip(&answers).any(|(a, b)| (a - b).abs() > 1e-2), "these are the answers of fp32");
}

#[test]
fn a_precision_that_the_bundle_lacks_is_refused_with_what_it_has() {
    let app = App::new(Arc::new(Metrics::new("boiling-point", "v2", "").unwrap()));
    let refused =
        startup::load(&args(&committed_version("v2"), &["--precision", "int8"]), &app).unwrap_err().to_string();
    assert!(refused.contains("--precision int8") && refused.contains("fp32 only"), "{refused}");
}

#[test]
fn int8_is_refused_on_a_gpu() {
    let app = App::new(Arc::new(Metrics::new("boiling-point", "v2", "").unwrap()));
    let flags = ["--precision", "int8", "--accelerator", "cuda"];
    let refused = startup::load(&args(&committed_version("v2-int8"), &flags), &app).unwrap_err().to_string();
    assert!(refused.contains("--accelerator cuda") && refused.contains("fp16"), "{refused}");
}
