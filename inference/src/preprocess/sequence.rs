//! SMILES to token ids, by the tokenizer that was exported with the weights. Nothing is repaired or cut here: a model
//! that was trained on another reading of a text answers for another molecule.

use std::collections::HashSet;
use std::path::Path;

use tokenizers::{ModelWrapper, Tokenizer};

use super::table::TokenTable;
use super::{MoleculeError, Tokens, text};

/// See [`Preprocessor::inline_bytes`](super::Preprocessor::inline_bytes): a tokenizer reads some 10 MB/s.
pub(super) const INLINE_BYTES: usize = 8 * 1024;
/// Names that tokenizers give to the token that fills a batch, when `tokenizer.json` has no padding section.
const PAD_TOKENS: [&str; 2] = ["[PAD]", "<pad>"];

/// The tokenizer of one bundle and its limits.
#[derive(Debug)]
pub struct SequencePreprocessor {
    tokenizer: Tokenizer,
    /// The same, where it is of a form that can be read faster.
    table: Option<TokenTable>,
    unknown_id: Option<u32>,
    special_ids: HashSet<u32>,
    pad_id: u32,
    max_tokens: usize,
    max_characters: usize,
}

impl SequencePreprocessor {
    /// Loads `tokenizer.json`. `max_tokens` is the manifest's `maxLength`, `max_characters` the server's own limit.
    pub fn from_file(path: &Path, max_tokens: usize, max_characters: usize) -> Result<Self, String> {
        let tokenizer = Tokenizer::from_file(path).map_err(|e| format!("it cannot be read: {e}"))?;
        Self::new(tokenizer, max_tokens, max_characters)
    }

    /// As [`from_file`](Self::from_file), from a tokenizer in memory.
    pub fn new(mut tokenizer: Tokenizer, max_tokens: usize, max_characters: usize) -> Result<Self, String> {
        let pad_id = match tokenizer.get_padding() {
            Some(padding) => padding.pad_id,
            // The mask hides whatever stands there, so any id of the vocabulary would do.
            None => PAD_TOKENS.iter().find_map(|t| tokenizer.token_to_id(t)).unwrap_or(0),
        };
        // A batch is padded where it is formed, and a molecule that is too long is refused.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|e| format!("its truncation cannot be turned off: {e}"))?;
        let unknown_id = unknown_token(tokenizer.get_model()).and_then(|t| tokenizer.token_to_id(&t));
        let added = tokenizer.get_added_vocabulary().get_added_tokens_decoder();
        let special_ids = added.iter().filter(|(_, token)| token.special).map(|(id, _)| *id).collect();
        let table = tokenizer.to_string(false).ok().as_deref().and_then(TokenTable::read);
        Ok(Self { tokenizer, table, unknown_id, special_ids, pad_id, max_tokens, max_characters })
    }

    /// The id that fills the rows of a batch up to its longest.
    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    /// The longest sequence that [`encode`](Self::encode) returns.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The longest SMILES that [`encode`](Self::encode) takes, in characters.
    pub fn max_characters(&self) -> usize {
        self.max_characters
    }

    /// Tokenises one SMILES.
    pub fn encode(&self, smiles: &str) -> Result<Tokens, MoleculeError> {
        text::check(smiles, self.max_characters)?;
        let ids = self.ids(smiles)?;
        if ids.len() > self.max_tokens {
            return Err(MoleculeError::new(format!(
                "the SMILES has {} tokens, but the model accepts at most {}; send a smaller molecule",
                ids.len(),
                self.max_tokens
            )));
        }
        // Some vocabularies drop what they do not know. An answer for nothing would look like an answer.
        if ids.iter().all(|id| self.special_ids.contains(id) && self.unknown_id != Some(*id)) {
            return Err(MoleculeError::new("the model's vocabulary knows no part of the SMILES; check the notation"));
        }
        let unknown = ids.iter().filter(|id| self.unknown_id == Some(**id)).count();
        Ok(Tokens { ids, unknown })
    }

    fn ids(&self, smiles: &str) -> Result<Vec<u32>, MoleculeError> {
        if let Some(ids) = self.table.as_ref().and_then(|table| table.encode(smiles)) {
            return Ok(ids);
        }
        let encoding = self.tokenizer.encode_fast(smiles, true);
        let encoding = encoding.map_err(|e| MoleculeError::new(format!("the tokenizer refuses the SMILES: {e}")))?;
        Ok(encoding.get_ids().to_vec())
    }
}

fn unknown_token(model: &ModelWrapper) -> Option<String> {
    match model {
        ModelWrapper::BPE(bpe) => bpe.unk_token.clone(),
        ModelWrapper::WordPiece(word_piece) => Some(word_piece.unk_token.clone()),
        ModelWrapper::WordLevel(word_level) => Some(word_level.unk_token.clone()),
        // Its unknown token is not readable from outside the crate; no chemistry model in use has this kind.
        ModelWrapper::Unigram(_) => None,
    }
}
