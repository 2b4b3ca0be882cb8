//! SMILES to graphs of atoms and bonds, as the original framework's chemistry makes them. Nothing is repaired or cut here.

use std::collections::{BTreeMap, HashSet};

use chemmodel_bundle::{Domain, DomainScheme, FEATURES_FILE, Features, NfpVersion};
use chemmodel_chem::features::nfp::NfpVocabulary;
use chemmodel_chem::features::{chemprop, morgan};
use chemmodel_chem::{Limits, Molecule, Stereo};

use super::refine::refine;
use super::{Encoded, MoleculeError, text};
use crate::engine::{Graph, Input, Network};
use crate::error::StartError;

/// See [`Preprocessor::inline_bytes`](super::Preprocessor::inline_bytes): the chemistry reads some 2 MB/s.
pub(super) const INLINE_BYTES: usize = 1024;

/// The features of one bundle and its limits.
#[derive(Debug)]
pub struct GraphPreprocessor {
    reader: Reader,
    /// Environments that training had.
    domain: Option<HashSet<u32>>,
    /// Atoms and directed bonds.
    max_length: usize,
    max_characters: usize,
}

/// What a scheme needs to describe a molecule.
#[derive(Debug)]
enum Reader {
    Nfp {
        vocabulary: NfpVocabulary,
        /// Of atoms and of bonds.
        largest_ids: [u32; 2],
        messages: usize,
    },
    Chemprop {
        stereo: Stereo,
    },
}

impl GraphPreprocessor {
    /// `max_length` is the manifest's `maxLength`, `max_characters` the server's own limit.
    pub fn new(
        features: &Features,
        domain: Option<Domain>,
        max_length: usize,
        max_characters: usize,
    ) -> Result<Self, StartError> {
        let reader = match features {
            Features::Nfp { version, atoms, bonds, messages } => Reader::Nfp {
                vocabulary: vocabulary(*version, atoms, bonds)
                    .map_err(|why| StartError::Preprocessor { file: FEATURES_FILE, why })?,
                largest_ids: [atoms, bonds].map(largest),
                messages: usize::from(*messages),
            },
            Features::ChempropV2 { stereo } => Reader::Chemprop {
                stereo: match stereo {
                    chemmodel_bundle::Stereo::Ignored => Stereo::Ignored,
                    chemmodel_bundle::Stereo::Read => Stereo::Perceived,
                },
            },
        };
        let domain = domain
            .map(|Domain { scheme: DomainScheme::MorganR2, environments, .. }| environments.into_iter().collect());
        Ok(Self { reader, domain, max_length, max_characters })
    }

    /// What the bundle's networks read.
    pub fn network(&self) -> Network {
        match self.reader {
            Reader::Nfp { messages, .. } => Network::Refined { messages },
            Reader::Chemprop { .. } => Network::Graphs,
        }
    }

    /// The longest SMILES that [`encode`](Self::encode) takes, in characters.
    pub fn max_characters(&self) -> usize {
        self.max_characters
    }

    /// Whether the bundle says what training had.
    pub fn has_domain(&self) -> bool {
        self.domain.is_some()
    }

    /// Makes the graph of one SMILES.
    pub fn encode(&self, smiles: &str) -> Result<Encoded, MoleculeError> {
        text::check(smiles, self.max_characters)?;
        let molecule = self.molecule(smiles)?;
        let (input, tokens, unknown) = match &self.reader {
            Reader::Nfp { vocabulary, messages, .. } => {
                let graph = vocabulary.graph(&molecule);
                let tokens = self.check(graph.atoms.len(), graph.bonds.len())?;
                (Input::Refined(refine(&graph, *messages)), tokens, graph.unknown)
            }
            Reader::Chemprop { .. } => {
                let graph = Graph::from(chemprop::graph(&molecule));
                let tokens = self.check(graph.atoms.count(), graph.bonds.count())?;
                (Input::Graph(graph), tokens, 0)
            }
        };
        let unseen = self.domain.as_ref().map(|seen| {
            let environments = morgan::environments(&molecule);
            let unseen = environments.iter().filter(|(id, _)| !seen.contains(id)).count();
            u32::try_from(unseen).unwrap_or(u32::MAX)
        });
        Ok(Encoded { input, tokens, unknown, unseen })
    }

    fn molecule(&self, smiles: &str) -> Result<Molecule, MoleculeError> {
        // A graph has fewer atoms than atoms and bonds; the exact limit is checked when both are known.
        let (atoms, stereo) = match &self.reader {
            Reader::Nfp { vocabulary, .. } => (self.max_length, vocabulary.stereo()),
            // Hydrogens are no atoms of these graphs, and the text bounds the others.
            Reader::Chemprop { stereo } => (usize::MAX, *stereo),
        };
        Molecule::read(smiles, Limits { characters: self.max_characters, atoms }, stereo)
            .map_err(|why| MoleculeError { message: why.message, position: why.position })
    }

    /// Both together, if they are what the model accepts.
    fn check(&self, atoms: usize, bonds: usize) -> Result<usize, MoleculeError> {
        let hydrogens = match self.reader {
            Reader::Nfp { .. } if bonds == 0 => {
                return Err(MoleculeError::new(
                    "the molecule has no bond, and the model's answer is a mean over bonds; send a molecule with a bond",
                ));
            }
            Reader::Nfp { .. } => "hydrogens counted",
            Reader::Chemprop { .. } => "hydrogens not counted",
        };
        if atoms + bonds > self.max_length {
            return Err(MoleculeError::new(format!(
                "the molecule has {atoms} atoms ({hydrogens}) and {bonds} directed bonds, but the model accepts at \
                 most {} of both together; send a smaller molecule",
                self.max_length
            )));
        }
        Ok(atoms + bonds)
    }

    /// A graph of the full size, whose tokens are the last ones of the vocabulary: a network that has fewer cannot take it.
    pub(super) fn longest(&self, small: &Input) -> Input {
        let mut longest = small.repeated(self.max_length);
        if let (Input::Refined(graph), Reader::Nfp { largest_ids, .. }) = (&mut longest, &self.reader)
            && let Some(first) = graph.levels.first_mut()
        {
            first.atom.fill(i64::from(largest_ids[0]));
            first.bond.fill(i64::from(largest_ids[1]));
        }
        longest
    }
}

fn vocabulary(
    version: NfpVersion,
    atoms: &BTreeMap<String, u32>,
    bonds: &BTreeMap<String, u32>,
) -> Result<NfpVocabulary, String> {
    let vocabulary = NfpVocabulary::new(atoms, bonds)?;
    let (found, scheme) = match vocabulary.stereo() {
        Stereo::Perceived => (NfpVersion::V2, "nfp-v2"),
        Stereo::Marked | Stereo::Ignored => (NfpVersion::V1, "nfp-v1"),
    };
    // A server that knows only the first scheme cannot read keys of the second.
    if found != version {
        return Err(format!("its keys are those of the scheme {scheme}, but it says another one"));
    }
    Ok(vocabulary)
}

fn largest(vocabulary: &BTreeMap<String, u32>) -> u32 {
    vocabulary.values().copied().max().unwrap_or_default()
}
