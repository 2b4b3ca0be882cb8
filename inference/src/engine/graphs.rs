//! Graphs, laid one after the other. Nothing is filled up, so a batch costs what its molecules cost.

use chemmodel_chem::features::nfp::TokenGraph;

/// Molecules of one inference: their atoms, and their directed bonds, in a row. An atom's index counts from the first
/// atom of the batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphBatch {
    /// Token of each atom: `[atoms]`.
    pub atom: Vec<i64>,
    /// Token of each directed bond: `[bonds]`.
    pub bond: Vec<i64>,
    /// Source and target atom of each directed bond: row-major `[bonds, 2]`.
    pub connectivity: Vec<i64>,
    /// Molecule of each atom, ascending: `[atoms]`.
    pub graph: Vec<i64>,
    /// Atoms of each molecule: `[molecules]`.
    pub size: Vec<i64>,
}

impl GraphBatch {
    /// Lays molecules one after the other.
    pub fn pack<'a>(molecules: impl IntoIterator<Item = &'a TokenGraph>) -> Self {
        let mut batch = Self::default();
        for molecule in molecules {
            let (graph, first) = (length(&batch.size), length(&batch.atom));
            batch.atom.extend(molecule.atoms.iter().copied().map(i64::from));
            batch.bond.extend(molecule.bonds.iter().copied().map(i64::from));
            batch.connectivity.extend(molecule.connectivity.as_flattened().iter().map(|atom| first + i64::from(*atom)));
            batch.graph.resize(batch.atom.len(), graph);
            batch.size.push(length(&molecule.atoms));
        }
        batch
    }
}

fn length<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_atoms_of_a_molecule_are_counted_on_from_those_before_it() {
        let water = TokenGraph {
            atoms: vec![4, 3, 3],
            bonds: vec![5, 5, 5, 5],
            connectivity: vec![[0, 1], [0, 2], [1, 0], [2, 0]],
            unknown: 0,
        };
        let hydrogen =
            TokenGraph { atoms: vec![3, 3], bonds: vec![6, 6], connectivity: vec![[0, 1], [1, 0]], unknown: 0 };
        let batch = GraphBatch::pack([&hydrogen, &water]);
        assert_eq!(batch.atom, [3, 3, 4, 3, 3]);
        assert_eq!(batch.bond, [6, 6, 5, 5, 5, 5]);
        assert_eq!(batch.connectivity, [0, 1, 1, 0, 2, 3, 2, 4, 3, 2, 4, 2]);
        assert_eq!(batch.graph, [0, 0, 1, 1, 1]);
        assert_eq!(batch.size, [2, 3]);
    }

    #[test]
    fn no_molecules_make_empty_tensors() {
        assert_eq!(GraphBatch::pack([]), GraphBatch::default());
    }
}
