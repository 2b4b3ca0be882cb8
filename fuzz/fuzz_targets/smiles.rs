//! Text as a SMILES, with stereochemistry and without. It is a molecule whose features fit one another, or an error with a sentence and a
//! place in the text.
#![no_main]

use chemmodel_chem::features::{chemprop, morgan, nfp::NfpVocabulary};
use chemmodel_chem::{Limits, Molecule, Stereo};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|smiles: &str| {
    let limits = Limits { characters: 4096, atoms: 4096 };
    for stereo in [Stereo::Marked, Stereo::Perceived, Stereo::Ignored] {
        match Molecule::read(smiles, limits, stereo) {
            Ok(molecule) => {
                let graph = NfpVocabulary::new(&[].into(), &[].into()).unwrap().graph(&molecule);
                assert_eq!(graph.bonds.len(), graph.connectivity.len());
                assert!(!morgan::environments(&molecule).is_empty());
                let _ = chemprop::graph(&molecule);
            }
            Err(error) => {
                assert!(!error.message.is_empty());
                assert!(error.position.is_none_or(|position| position < smiles.chars().count()));
            }
        }
    }
});
