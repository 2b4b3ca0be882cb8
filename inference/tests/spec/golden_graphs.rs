//! The committed graph models on the real runtime give the answers of the original frameworks.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use chemmodel_bundle::{Golden, GoldenMolecule};
use chemmodel_inference::http::App;
use chemmodel_inference::metrics::Metrics;
use chemmodel_inference::service::Call;
use chemmodel_inference::startup;

use crate::support::bundle::args;

struct Served {
    golden: Golden,
    app: App,
}

impl Served {
    /// `outputs` is how many the model has.
    fn load(bundle: &str, outputs: usize) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/models").join(bundle);
        let golden = Golden::parse(&fs::read(directory.join("golden.json")).unwrap(), outputs).unwrap();
        let app = App::new(Arc::new(Metrics::new("graphs", "v1", "").unwrap()));
        tokio::task::block_in_place(|| startup::load(&args(&directory, &[]), &app)).unwrap();
        Self { golden, app }
    }

    async fn assert_references(&self, molecules: &[GoldenMolecule]) {
        let smiles = molecules.iter().map(|molecule| molecule.smiles.clone()).collect();
        let call = Call { caller: String::new(), deadline: None, fresh: true };
        let answers = self.app.service.get().unwrap().predict(smiles, call).await.unwrap();
        assert_eq!(answers.len(), molecules.len());
        for (molecule, answer) in molecules.iter().zip(answers) {
            let estimates = answer.unwrap().estimates;
            assert_eq!(estimates.len(), molecule.predictions.len());
            for (estimate, reference) in estimates.iter().zip(&molecule.predictions) {
                let allowed = self.golden.tolerance.absolute + self.golden.tolerance.relative * reference.abs();
                let found = f64::from(estimate.value);
                assert!(
                    (found - reference).abs() <= allowed,
                    "{}: {found} instead of {reference} ± {allowed}",
                    molecule.smiles
                );
            }
        }
    }

    async fn assert_golden(&self) {
        let molecules = &self.golden.molecules;
        for company in [1, 7, molecules.len()] {
            for together in molecules.chunks(company) {
                self.assert_references(together).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_of_chemprop_answers_as_chemprop_does_alone_and_together() {
    Served::load("chemprop-boiling-point/v1", 1).assert_golden().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_networks_of_polyid_answer_as_polyid_does_alone_and_together() {
    Served::load("polyid-tg-tm/v1", 2).assert_golden().await;
}
