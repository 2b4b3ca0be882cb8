//! Graphs, laid one after the other. Nothing is filled up, so a batch costs what its molecules cost.

use std::hash::{Hash, Hasher};

use chemmodel_chem::features::chemprop::{ATOM_FEATURES, BOND_FEATURES, FloatGraph};
use chemmodel_chem::features::nfp::TokenGraph;

/// What a network reads of each atom, or of each directed bond.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// A token id.
    Tokens(Vec<i64>),
    /// So many features; they are finite, and none is -0, so that equal ones have equal bits.
    Features {
        /// Row-major.
        values: Vec<f32>,
        /// Of one row.
        width: usize,
    },
}

impl Eq for Rows {}

impl Hash for Rows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Tokens(ids) => ids.hash(state),
            Self::Features { values, .. } => values.iter().for_each(|value| value.to_bits().hash(state)),
        }
    }
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Tokens(ids) => ids.len(),
            Self::Features { values, width } => values.len() / width,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of one model are of one kind.
    fn append(&mut self, more: &Self) {
        match (self, more) {
            (Self::Tokens(ids), Self::Tokens(more)) => ids.extend(more),
            (Self::Features { values, .. }, Self::Features { values: more, .. }) => values.extend(more),
            (Self::Tokens(_), Self::Features { .. }) | (Self::Features { .. }, Self::Tokens(_)) => {}
        }
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
        self.atoms.len() + self.bonds.len()
    }

    /// Lays another one behind it.
    pub(super) fn append(&mut self, more: &Self) {
        let first = length(self.atoms.len());
        self.atoms.append(&more.atoms);
        self.bonds.append(&more.bonds);
        self.connectivity.extend(more.connectivity.iter().map(|bond| bond.map(|atom| first + atom)));
    }
}

impl From<TokenGraph> for Graph {
    fn from(graph: TokenGraph) -> Self {
        let tokens = |ids: Vec<u32>| Rows::Tokens(ids.into_iter().map(i64::from).collect());
        let connectivity = graph.connectivity.into_iter().map(|bond| bond.map(i64::from)).collect();
        Self { atoms: tokens(graph.atoms), bonds: tokens(graph.bonds), connectivity }
    }
}

impl From<FloatGraph> for Graph {
    fn from(graph: FloatGraph) -> Self {
        Self {
            atoms: Rows::Features { values: graph.atoms, width: ATOM_FEATURES },
            bonds: Rows::Features { values: graph.bonds, width: BOND_FEATURES },
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
        let all = Graph { atoms: Rows::Tokens(vec![]), bonds: Rows::Tokens(vec![]), connectivity: vec![] };
        let mut batch = Self { all, graph: vec![], size: vec![] };
        for molecule in molecules {
            if batch.size.is_empty() {
                batch.all = molecule.clone();
            } else {
                batch.all.append(molecule);
            }
            batch.graph.resize(batch.all.atoms.len(), length(batch.size.len()));
            batch.size.push(length(molecule.atoms.len()));
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

    fn tokens(atoms: &[i64], bonds: &[i64], connectivity: &[[i64; 2]]) -> Graph {
        let rows = |ids: &[i64]| Rows::Tokens(ids.to_vec());
        Graph { atoms: rows(atoms), bonds: rows(bonds), connectivity: connectivity.to_vec() }
    }

    fn features(atoms: &[f32], bonds: &[f32], connectivity: &[[i64; 2]]) -> Graph {
        let rows = |values: &[f32]| Rows::Features { values: values.to_vec(), width: 2 };
        Graph { atoms: rows(atoms), bonds: rows(bonds), connectivity: connectivity.to_vec() }
    }

    #[test]
    fn the_atoms_of_a_molecule_are_counted_on_from_those_before_it() {
        let water = tokens(&[4, 3, 3], &[5, 5, 5, 5], &[[0, 1], [0, 2], [1, 0], [2, 0]]);
        let hydrogen = tokens(&[3, 3], &[6, 6], &[[0, 1], [1, 0]]);
        let batch = GraphBatch::pack([&hydrogen, &water]);
        let connectivity = [[0, 1], [1, 0], [2, 3], [2, 4], [3, 2], [4, 2]];
        assert_eq!(batch.all, tokens(&[3, 3, 4, 3, 3], &[6, 6, 5, 5, 5, 5], &connectivity));
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
