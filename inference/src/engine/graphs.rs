//! Graphs, laid one after the other. Nothing is filled up, so a batch costs what its molecules cost.

use std::hash::{Hash, Hasher};

use chemmodel_chem::features::chemprop::{ATOM_FEATURES, BOND_FEATURES, FloatGraph};

/// What a network reads of each atom, or of each directed bond; the numbers are finite, and none is -0, so that equal ones have equal bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Row-major.
    pub values: Vec<f32>,
    /// Of one row.
    pub width: usize,
}

impl Eq for Rows {}

impl Hash for Rows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.iter().for_each(|value| value.to_bits().hash(state));
    }
}

impl Rows {
    /// How many.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }
}

/// Atoms and directed bonds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Graph {
    /// Of one molecule or of several, one after the other.
    pub atoms: Rows,
    /// In the same order.
    pub bonds: Rows,
    /// Source and target atom of each directed bond, counted from the first atom.
    pub connectivity: Vec<[i64; 2]>,
}

impl Graph {
    /// What it costs: its atoms and directed bonds.
    pub fn length(&self) -> usize {
        self.atoms.count() + self.bonds.count()
    }

    /// Lays another one behind it.
    pub(super) fn append(&mut self, more: &Self) {
        let first = length(self.atoms.count());
        self.atoms.values.extend(&more.atoms.values);
        self.bonds.values.extend(&more.bonds.values);
        self.connectivity.extend(more.connectivity.iter().map(|bond| bond.map(|atom| first + atom)));
    }
}

impl From<FloatGraph> for Graph {
    fn from(graph: FloatGraph) -> Self {
        Self {
            atoms: Rows { values: graph.atoms, width: ATOM_FEATURES },
            bonds: Rows { values: graph.bonds, width: BOND_FEATURES },
            connectivity: graph.connectivity.into_iter().map(|bond| bond.map(i64::from)).collect(),
        }
    }
}

/// Molecules of one inference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphBatch {
    /// All of them: an atom's index counts from the first atom of the batch.
    pub all: Graph,
    /// Molecule of each atom, ascending: `[atoms]`.
    pub graph: Vec<i64>,
    /// Atoms of each molecule: `[molecules]`.
    pub size: Vec<i64>,
}

impl GraphBatch {
    /// Lays molecules one after the other.
    pub fn pack<'a>(molecules: impl IntoIterator<Item = &'a Graph>) -> Self {
        let none = |width| Rows { values: vec![], width };
        let all = Graph { atoms: none(ATOM_FEATURES), bonds: none(BOND_FEATURES), connectivity: vec![] };
        let mut batch = Self { all, graph: vec![], size: vec![] };
        for molecule in molecules {
            if batch.size.is_empty() {
                batch.all = molecule.clone();
            } else {
                batch.all.append(molecule);
            }
            batch.graph.resize(batch.all.atoms.count(), length(batch.size.len()));
            batch.size.push(length(molecule.atoms.count()));
        }
        batch
    }
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(atoms: &[f32], bonds: &[f32], connectivity: &[[i64; 2]]) -> Graph {
        let rows = |values: &[f32]| Rows { values: values.to_vec(), width: 2 };
        Graph { atoms: rows(atoms), bonds: rows(bonds), connectivity: connectivity.to_vec() }
    }

    #[test]
    fn the_atoms_of_a_molecule_are_counted_on_from_those_before_it() {
        let (pair, bent) = ([[0, 1], [1, 0]], [[0, 1], [0, 2], [1, 0], [2, 0]]);
        let batch = GraphBatch::pack([&features(&[1.0; 4], &[2.0; 4], &pair), &features(&[3.0; 6], &[4.0; 8], &bent)]);
        let connectivity = [[0, 1], [1, 0], [2, 3], [2, 4], [3, 2], [4, 2]];
        let values = |first: f32, firsts, second: f32, seconds| [vec![first; firsts], vec![second; seconds]].concat();
        assert_eq!(batch.all, features(&values(1.0, 4, 3.0, 6), &values(2.0, 4, 4.0, 8), &connectivity));
        assert_eq!(batch.graph, [0, 0, 1, 1, 1]);
        assert_eq!(batch.size, [2, 3]);
    }

    #[test]
    fn rows_of_features_count_as_one_each_and_a_molecule_may_have_no_bond() {
        let (lone, pair) = (features(&[0.5, 1.0], &[], &[]), features(&[1.0; 4], &[0.0; 4], &[[0, 1], [1, 0]]));
        let batch = GraphBatch::pack([&lone, &pair, &lone]);
        let atoms = [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 1.0];
        assert_eq!(batch.all, features(&atoms, &[0.0; 4], &[[1, 2], [2, 1]]));
        assert_eq!((batch.all.length(), batch.graph, batch.size), (6, vec![0, 1, 1, 2], vec![1, 2, 1]));
    }
}
