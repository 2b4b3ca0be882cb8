//! Text for the tokenizer. What it makes of it is never empty, and never more than the network takes.
#![no_main]

use std::sync::LazyLock;

use chemmodel_fuzz::tokenizer;
use chemmodel_inference::preprocess::sequence::SequencePreprocessor;
use libfuzzer_sys::fuzz_target;

static TOKENIZER: LazyLock<SequencePreprocessor> = LazyLock::new(tokenizer);

fuzz_target!(|smiles: &str| {
    if let Ok(tokens) = TOKENIZER.encode(smiles) {
        assert!(!tokens.ids.is_empty() && tokens.ids.len() <= TOKENIZER.max_tokens());
    }
});
