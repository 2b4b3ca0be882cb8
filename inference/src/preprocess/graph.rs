//! SMILES to graphs of atoms and bonds, as the original framework's chemistry makes them. Nothing is repaired or cut here.

use std::collections::{BTreeMap, HashSet};

use chemmodel_bundle::{Domain, DomainScheme, FEATURES_FILE, Features, Scheme};
use chemmodel_chem::features::morgan;
use chemmodel_chem::features::nfp::NfpVocabulary;
use chemmodel_chem::{Limits, Molecule};

use super::{Encoded, MoleculeError, text};
use crate::engine::Input;
use crate::error::StartError;

/// See [`Preprocessor::inline_bytes`](super::Preprocessor::inline_bytes): the chemistry reads some 2 MB/s.
pub(super) const INLINE_BYTES: usize = 1024;

/// The features of one bundle and its limits.
#[derive(Debug)]
pub struct GraphPreprocessor {
    vocabulary: NfpVocabulary,
    /// Of atoms and of bonds.
    largest_ids: (u32, u32),
    /// Environments that training had.
    domain: Option<HashSet<u32>>,
    /// Atoms and directed bonds.
    max_length: usize,
    max_characters: usize,
}

impl GraphPreprocessor {
    /// `max_length` is the manifest's `maxLength`, `max_characters` the server's own limit.
    pub fn new(
        features: &Features,
        domain: Option<Domain>,
        max_length: usize,
        max_characters: usize,
    ) -> Result<Self, StartError> {
        let (atoms, bonds) = match features {
            Features::NfpV1 { atoms, bonds } => (atoms, bonds),
            Features::ChempropV2 => return Err(StartError::Scheme(Scheme::ChempropV2)),
        };
        let domain = domain
            .map(|Domain { scheme: DomainScheme::MorganR2, environments, .. }| environments.into_iter().collect());
        let vocabulary = NfpVocabulary::new(atoms, bonds);
        Ok(Self {
            vocabulary: vocabulary.map_err(|why| StartError::Preprocessor { file: FEATURES_FILE, why })?,
            largest_ids: (largest(atoms), largest(bonds)),
            domain,
            max_length,
            max_characters,
        })
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
        // A graph has fewer atoms than atoms and bonds; the exact limit is checked when both are known.
        let limits = Limits { characters: self.max_characters, atoms: self.max_length };
        let molecule = Molecule::from_smiles(smiles, limits)
            .map_err(|why| MoleculeError { message: why.message, position: why.position })?;
        let graph = self.vocabulary.graph(&molecule);
        let (atoms, bonds) = (graph.atoms.len(), graph.bonds.len());
        if bonds == 0 {
            return Err(MoleculeError::new(
                "the molecule has no bond, and the model's answer is a mean over bonds; send a molecule with a bond",
            ));
        }
        if atoms + bonds > self.max_length {
            return Err(MoleculeError::new(format!(
                "the molecule has {atoms} atoms (hydrogens counted) and {bonds} directed bonds, but the model accepts at \
                 most {} of both together; send a smaller molecule",
                self.max_length
            )));
        }
        let unseen = self.domain.as_ref().map(|seen| {
            let environments = morgan::environments(&molecule);
            let unseen = environments.iter().filter(|(id, _)| !seen.contains(id)).count();
            u32::try_from(unseen).unwrap_or(u32::MAX)
        });
        Ok(Encoded { unknown: graph.unknown, input: Input::Graph(graph), unseen })
    }

    /// A graph of the full size, whose tokens are the last ones of the vocabulary: a network that has fewer cannot take it.
    pub(super) fn longest(&self, small: &Input) -> Input {
        let mut longest = small.repeated(self.max_length);
        if let Input::Graph(graph) = &mut longest {
            let (atom, bond) = self.largest_ids;
            graph.atoms.fill(atom);
            graph.bonds.fill(bond);
        }
        longest
    }
}

fn largest(vocabulary: &BTreeMap<String, u32>) -> u32 {
    vocabulary.values().copied().max().unwrap_or_default()
}
