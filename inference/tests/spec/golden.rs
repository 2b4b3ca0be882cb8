//! The committed bundle on the real runtime gives the answers of the original framework.

use std::fs;
use std::sync::{Arc, LazyLock};

use chemmodel_bundle::Golden;
use chemmodel_inference::http::App;
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::preprocess::sequence::SequencePreprocessor;
use chemmodel_inference::startup;

use crate::support::bundle::{args, committed};

/// Tighter than the bundle's own tolerance: the same network on another runtime, in float32.
const RELATIVE: f64 = 1e-4;

/// Loaded once; its worker runs until the tests end.
static SERVER: LazyLock<App> = LazyLock::new(|| {
    let app = App::new(Arc::new(Metrics::new("boiling-point", "v1", "").unwrap()));
    startup::load(&args(&committed(), &["--max-batch-items", "64"]), &app).unwrap();
    app
});

fn golden() -> Golden {
    Golden::parse(&fs::read(committed().join("golden.json")).unwrap(), 1).unwrap()
}

async fn predict(smiles: Vec<String>) -> Vec<f64> {
    let rows = SERVER.service.get().unwrap().predict(smiles).await.unwrap();
    rows.into_iter().map(|row| f64::from(row.unwrap()[0])).collect()
}

fn assert_reference(smiles: &str, answer: f64, reference: f64) {
    let allowed = RELATIVE * reference.abs();
    assert!((answer - reference).abs() <= allowed, "{smiles}: {answer} instead of {reference} ± {allowed}");
}

#[test]
fn tokens_are_those_of_the_original_tokenizer() {
    let preprocessor = SequencePreprocessor::from_file(&committed().join("tokenizer.json"), 512, 1000).unwrap();
    for molecule in golden().molecules {
        assert_eq!(preprocessor.encode(&molecule.smiles).unwrap().ids, molecule.ids, "{}", molecule.smiles);
    }
}

#[tokio::test]
async fn every_molecule_alone_has_its_reference() {
    for molecule in golden().molecules {
        let answer = predict(vec![molecule.smiles.clone()]).await;
        assert_reference(&molecule.smiles, answer[0], molecule.predictions[0]);
    }
}

#[tokio::test]
async fn every_molecule_among_others_has_its_reference() {
    let molecules = golden().molecules;
    for company in [2, 7, molecules.len()] {
        for together in molecules.chunks(company) {
            let answers = predict(together.iter().map(|m| m.smiles.clone()).collect()).await;
            for (molecule, answer) in together.iter().zip(answers) {
                assert_reference(&molecule.smiles, answer, molecule.predictions[0]);
            }
        }
    }
}

#[tokio::test]
async fn a_molecule_beside_the_longest_possible_one_has_its_reference() {
    let molecule = &golden().molecules[0];
    let answers = predict(vec![molecule.smiles.clone(), "C".repeat(510)]).await;
    assert_reference(&molecule.smiles, answers[0], molecule.predictions[0]);
}
