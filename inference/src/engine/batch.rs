//! Molecules and batches of any kind: what the batcher knows of them is what they cost.

use super::{Graph, GraphBatch, Refined, RefinedBatch, TokenBatch};

/// A molecule as the network reads it. All molecules of a model are of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// Token ids, special tokens included; never empty.
    Tokens(Vec<u32>),
    /// Atoms and directed bonds; at least one atom.
    Graph(Graph),
    /// Classes of equal atoms and equal directed bonds; at least one of each.
    Refined(Refined),
}

impl Input {
    /// What it costs: its tokens, or its atoms and directed bonds, or the classes of them.
    pub fn length(&self) -> usize {
        match self {
            Self::Tokens(ids) => ids.len(),
            Self::Graph(graph) => graph.length(),
            Self::Refined(graph) => graph.length(),
        }
    }

    /// Copies of it as one molecule of at most this length: what a network is tried with. At least one copy of a graph.
    #[must_use]
    pub fn repeated(&self, length: usize) -> Self {
        match self {
            Self::Tokens(ids) => Self::Tokens(ids.iter().copied().cycle().take(length).collect()),
            Self::Graph(graph) => Self::Graph(copies(graph, length / graph.length().max(1), Graph::append)),
            Self::Refined(graph) => Self::Refined(copies(graph, length / graph.length().max(1), Refined::append)),
        }
    }
}

fn copies<G: Clone>(graph: &G, count: usize, append: fn(&mut G, &G)) -> G {
    let mut copies = graph.clone();
    (1..count).for_each(|_| append(&mut copies, graph));
    copies
}

/// How the molecules of a batch lie in its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Below each other, each as long as the longest: the network computes the padding too.
    Padded {
        /// What fills the short ones up.
        pad_id: u32,
    },
    /// One after the other.
    Packed,
}

/// The molecules of one inference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    /// Sequences.
    Tokens(TokenBatch),
    /// Graphs.
    Graphs(GraphBatch),
    /// Graphs whose equal atoms are computed once.
    Refined(RefinedBatch),
}

impl Batch {
    /// Lays molecules out; they are of the kind that the layout is for.
    pub fn of(molecules: &[&Input], layout: Layout) -> Self {
        let (mut sequences, mut graphs, mut refined) = (Vec::new(), Vec::new(), Vec::new());
        for molecule in molecules {
            match molecule {
                Input::Tokens(ids) => sequences.push(ids.as_slice()),
                Input::Graph(graph) => graphs.push(graph),
                Input::Refined(graph) => refined.push(graph),
            }
        }
        match layout {
            Layout::Padded { pad_id } => Self::Tokens(TokenBatch::pad(sequences.into_iter(), pad_id)),
            Layout::Packed if refined.is_empty() => Self::Graphs(GraphBatch::pack(graphs)),
            Layout::Packed => Self::Refined(RefinedBatch::pack(refined)),
        }
    }

    /// How many there are.
    pub fn molecules(&self) -> usize {
        match self {
            Self::Tokens(batch) => batch.rows,
            Self::Graphs(batch) => batch.size.len(),
            Self::Refined(batch) => batch.size.len(),
        }
    }

    /// What the network computes: tokens, padding included, or atoms and directed bonds, or the classes of them.
    pub fn cost(&self) -> usize {
        match self {
            Self::Tokens(batch) => batch.rows * batch.length,
            Self::Graphs(batch) => batch.all.length(),
            Self::Refined(batch) => batch.all.length(),
        }
    }

    /// Fraction of the batch that is padding, 0 to 1.
    pub fn padding_ratio(&self) -> f64 {
        match self {
            Self::Tokens(batch) => batch.padding_ratio(),
            Self::Graphs(_) | Self::Refined(_) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Rows;

    fn hydrogen() -> Input {
        let rows = Rows { values: vec![1.0; 6], width: 3 };
        Input::Graph(Graph { atoms: rows.clone(), bonds: rows, connectivity: vec![[0, 1], [1, 0]] })
    }

    #[test]
    fn a_graph_costs_its_atoms_and_bonds_and_a_batch_of_graphs_their_sum() {
        let (small, large) = (hydrogen(), hydrogen().repeated(13));
        assert_eq!((small.length(), large.length()), (4, 12));
        let batch = Batch::of(&[&small, &large], Layout::Packed);
        assert_eq!((batch.molecules(), batch.cost()), (2, 16));
    }

    #[test]
    fn a_batch_of_sequences_costs_its_padding_too() {
        let (short, long) = (Input::Tokens(vec![1]), Input::Tokens(vec![1, 2, 3]));
        let batch = Batch::of(&[&short, &long], Layout::Padded { pad_id: 0 });
        assert_eq!((batch.molecules(), batch.cost()), (2, 6));
    }

    #[test]
    fn copies_of_a_graph_are_bound_to_none_of_the_others() {
        let Input::Graph(graph) = hydrogen().repeated(11) else { panic!("no graph") };
        assert_eq!(graph.connectivity, [[0, 1], [1, 0], [2, 3], [3, 2]]);
        assert_eq!(hydrogen().repeated(1), hydrogen());
        assert_eq!(Input::Tokens(vec![1, 2]).repeated(3), Input::Tokens(vec![1, 2, 1]));
    }
}
