//! From a molecule's text to what the network reads. Pure: no I/O after construction, no HTTP, no engine.

pub mod graph;
mod refine;
pub mod sequence;
mod table;
mod text;

use chemmodel_bundle::{DOMAIN_FILE, Domain, FEATURES_FILE, Features, Kind, TOKENIZER_FILE};

use crate::bundle::Bundle;
use crate::engine::{Input, Layout, Network};
use crate::error::StartError;

use self::graph::GraphPreprocessor;
use self::sequence::SequencePreprocessor;

/// Why one molecule cannot be predicted, in words for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MoleculeError {
    /// A sentence.
    pub message: String,
    /// Zero-based index of the first wrong character, where one is to blame.
    pub position: Option<usize>,
}

impl MoleculeError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), position: None }
    }

    pub(crate) fn at(position: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), position: Some(position) }
    }
}

/// A molecule as a network of sequences reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Token ids, special tokens included; never empty.
    pub ids: Vec<u32>,
    /// How many of them stand for text that the vocabulary does not know.
    pub unknown: usize,
}

/// A molecule that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// What the network gets.
    pub input: Input,
    /// Its tokens, or its atoms and directed bonds, each counted.
    pub tokens: usize,
    /// Those of them that the vocabulary does not know.
    pub unknown: usize,
    /// Environments of atoms that training had not; nothing when the bundle does not say what it had.
    pub unseen: Option<u32>,
}

/// Reads the molecules of one bundle.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a server has one")]
pub enum Preprocessor {
    /// As sequences of tokens.
    Sequence(SequencePreprocessor),
    /// As graphs of atoms and bonds.
    Graph(GraphPreprocessor),
}

impl Preprocessor {
    /// Loads what the bundle has for its kind. `max_characters` is the server's own limit of a SMILES.
    pub fn load(bundle: &Bundle, max_characters: usize) -> Result<Self, StartError> {
        let max_length = usize::try_from(bundle.manifest.max_length).unwrap_or(usize::MAX);
        match bundle.manifest.kind {
            Kind::Sequence => SequencePreprocessor::from_file(&bundle.path(TOKENIZER_FILE), max_length, max_characters)
                .map(Self::Sequence)
                .map_err(|why| StartError::Preprocessor { file: TOKENIZER_FILE, why }),
            Kind::Graph => {
                let features = Features::parse(&bundle.read(FEATURES_FILE)?)?;
                let domain = if bundle.manifest.files.contains_key(DOMAIN_FILE) {
                    Some(Domain::parse(&bundle.read(DOMAIN_FILE)?)?)
                } else {
                    None
                };
                GraphPreprocessor::new(&features, domain, max_length, max_characters).map(Self::Graph)
            }
        }
    }

    /// Reads one SMILES.
    pub fn encode(&self, smiles: &str) -> Result<Encoded, MoleculeError> {
        match self {
            Self::Sequence(sequence) => {
                let Tokens { ids, unknown } = sequence.encode(smiles)?;
                Ok(Encoded { tokens: ids.len(), input: Input::Tokens(ids), unknown, unseen: None })
            }
            Self::Graph(graph) => graph.encode(smiles),
        }
    }

    /// The file of the bundle that decides how molecules are read.
    pub fn file(&self) -> &'static str {
        match self {
            Self::Sequence(_) => TOKENIZER_FILE,
            Self::Graph(_) => FEATURES_FILE,
        }
    }

    /// What the bundle's networks read.
    pub fn network(&self) -> Network {
        match self {
            Self::Sequence(_) => Network::Sequences,
            Self::Graph(graph) => graph.network(),
        }
    }

    /// How the molecules of a batch lie in its tensors.
    pub fn layout(&self) -> Layout {
        match self {
            Self::Sequence(sequence) => Layout::Padded { pad_id: sequence.pad_id() },
            Self::Graph(_) => Layout::Packed,
        }
    }

    /// The longest SMILES that [`encode`](Self::encode) takes, in characters.
    pub fn max_characters(&self) -> usize {
        match self {
            Self::Sequence(sequence) => sequence.max_characters(),
            Self::Graph(graph) => graph.max_characters(),
        }
    }

    /// What the network must be able to take, if the bundle is right, made of copies of a small molecule.
    pub fn longest(&self, small: &Input) -> Input {
        match self {
            Self::Sequence(sequence) => small.repeated(sequence.max_tokens()),
            Self::Graph(graph) => graph.longest(small),
        }
    }

    /// Whether each answer says how the molecule lies to what training had.
    pub fn has_domain(&self) -> bool {
        match self {
            Self::Sequence(_) => false,
            Self::Graph(graph) => graph.has_domain(),
        }
    }

    /// Text that is read on the spot; more goes to a thread that may block. So an HTTP thread is kept for less than a millisecond.
    pub fn inline_bytes(&self) -> usize {
        match self {
            Self::Sequence(_) => sequence::INLINE_BYTES,
            Self::Graph(_) => graph::INLINE_BYTES,
        }
    }
}
