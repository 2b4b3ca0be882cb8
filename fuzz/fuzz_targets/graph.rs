//! Text for the chemistry of graph models. What it makes of it has atoms and bonds, never more than the network takes, and every bond
//! leads from an atom to another.
#![no_main]

use std::sync::LazyLock;

use chemmodel_fuzz::graphs;
use chemmodel_inference::engine::Input;
use chemmodel_inference::preprocess::graph::GraphPreprocessor;
use libfuzzer_sys::fuzz_target;

const MAX_LENGTH: usize = 512;

static GRAPHS: LazyLock<GraphPreprocessor> = LazyLock::new(|| graphs(MAX_LENGTH));

fuzz_target!(|smiles: &str| {
    if let Ok(encoded) = GRAPHS.encode(smiles) {
        let length = encoded.input.length();
        let Input::Graph(graph) = encoded.input else { panic!("no graph") };
        assert!(!graph.bonds.is_empty() && length <= MAX_LENGTH);
        assert_eq!(graph.bonds.len(), graph.connectivity.len());
        let atoms = 0..i64::try_from(graph.atoms.len()).unwrap();
        assert!(graph.connectivity.iter().flatten().all(|atom| atoms.contains(atom)));
    }
});
