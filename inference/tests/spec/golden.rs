//! The committed bundles on the real runtime give the answers of the original framework.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use chemmodel_bundle::{Golden, GoldenMolecule};
use chemmodel_inference::args::Accelerator;
use chemmodel_inference::bundle::Bundle;
use chemmodel_inference::engine::ort::{EngineConfig, OrtEngine};
use chemmodel_inference::engine::{Engine, TokenBatch};
use chemmodel_inference::http::App;
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::postprocess;
use chemmodel_inference::preprocess::sequence::SequencePreprocessor;
use chemmodel_inference::startup;

use crate::support::bundle::{args, committed_version, runtime};

/// Tighter than the bundle's own tolerance: the same network on another runtime, in float32.
const RELATIVE: f64 = 1e-4;

/// One committed bundle, loaded.
struct Served {
    directory: PathBuf,
    golden: Golden,
    app: App,
}

/// Loaded once; the workers run until the tests end.
static SERVED: LazyLock<Vec<Served>> = LazyLock::new(|| ["v1", "v2"].map(Served::load).into());

impl Served {
    fn load(version: &str) -> Self {
        let directory = committed_version(version);
        let golden = Golden::parse(&fs::read(directory.join("golden.json")).unwrap(), 1).unwrap();
        let app = App::new(Arc::new(Metrics::new("boiling-point", version, "").unwrap()));
        startup::load(&args(&directory, &[]), &app).unwrap();
        Self { directory, golden, app }
    }

    async fn assert_references(&self, molecules: &[GoldenMolecule]) {
        let smiles = molecules.iter().map(|m| m.smiles.clone()).collect();
        let answers = self.app.service.get().unwrap().predict(smiles).await.unwrap();
        for (molecule, answer) in molecules.iter().zip(answers) {
            let (answer, reference) = (f64::from(answer.unwrap()[0]), molecule.predictions[0]);
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
        let mut engine =
            OrtEngine::load(&bundle, EngineConfig { accelerator: Accelerator::Cpu, threads, library }).unwrap();
        let mut molecules: Vec<&[u32]> = golden.molecules.iter().map(|m| m.ids.as_slice()).collect();
        let longest: Vec<u32> = molecules[0].iter().copied().cycle().take(512).collect();
        molecules.truncate(8);
        molecules.push(&longest);
        let answers = engine.run(&TokenBatch::pad(molecules.into_iter(), 0)).unwrap();
        for (row, molecule) in golden.molecules.iter().take(8).enumerate() {
            let outputs = &bundle.manifest.outputs;
            let answer = postprocess::values(&answers.row(row), outputs, bundle.manifest.aggregate).unwrap();
            let (answer, reference) = (f64::from(answer[0]), molecule.predictions[0]);
            assert!((answer - reference).abs() <= RELATIVE * reference.abs(), "{}: {answer}", molecule.smiles);
        }
    }
}
