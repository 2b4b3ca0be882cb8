//! Text for the chemistry of graph models. What it makes of it has atoms and bonds, never more than the network takes, and every number
//! of a class is that of one.
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
        let Input::Refined(graph) = encoded.input else { panic!("no classes") };
        let mut before = [usize::MAX; 2];
        for level in &graph.levels {
            let [atoms, bonds] = [&level.atom, &level.bond].map(|classes| classes.len());
            assert!(bonds > 0 && atoms + bonds <= MAX_LENGTH && level.bond_count.len() == bonds);
            assert!(are_below(&level.source, before[0]) && are_below(&level.target, before[0]));
            assert!(are_below(&level.sum_atom, atoms) && are_below(&level.sum_bond, bonds));
            assert!(before == [usize::MAX; 2] || are_below(&level.atom, before[0]) && are_below(&level.bond, before[1]));
            before = [atoms, bonds];
        }
    }
});

fn are_below(numbers: &[i64], end: usize) -> bool {
    numbers.iter().all(|number| usize::try_from(*number).is_ok_and(|number| number < end))
}
