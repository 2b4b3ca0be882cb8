//! The tokenizers of most chemistry models split a SMILES by a regular expression, look each piece up, and put special tokens around: a table.
//! Read as one they are some ten times as fast as in the `tokenizers` library, which also keeps offsets and much else that nobody here asks for.
//! A tokenizer of any other form, and a text that holds a special token, is left to the library. The ids are the same.

use std::collections::HashMap;

use regex::Regex;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// See the module.
#[derive(Debug)]
pub(super) struct TokenTable {
    pieces: Regex,
    vocabulary: HashMap<String, u32>,
    unknown: u32,
    before: Vec<u32>,
    after: Vec<u32>,
    /// They are found in a text before anything else is.
    added: Vec<String>,
}

impl TokenTable {
    /// Reads a `tokenizer.json`; none when it is of another form.
    pub(super) fn read(json: &str) -> Option<Self> {
        let form: Form = serde_json::from_str(json).ok()?;
        let Form {
            added_tokens,
            normalizer: None,
            pre_tokenizer: PreTokenizer::Split(split),
            post_processor,
            model,
            ..
        } = form
        else {
            return None;
        };
        let Model::WordLevel { vocab, unk_token } = model;
        let Pattern::Regex(pattern) = split.pattern;
        if split.invert || split.behavior != "Isolated" {
            return None;
        }
        // What this library cannot read (looking around, references back) is left to the other one, too.
        let pieces = Regex::new(&pattern).ok().filter(|pieces| !pieces.is_match(""))?;
        let (before, after) = match post_processor {
            None => (Vec::new(), Vec::new()),
            Some(PostProcessor::TemplateProcessing(template)) => template.around()?,
        };
        let unknown = *vocab.get(&unk_token)?;
        let added = added_tokens.into_iter().map(|token| token.content).collect();
        Some(Self { pieces, vocabulary: vocab, unknown, before, after, added })
    }

    /// The ids of a text; none when the library must read it.
    pub(super) fn encode(&self, text: &str) -> Option<Vec<u32>> {
        if self.added.iter().any(|token| text.contains(token)) {
            return None;
        }
        let mut ids = Vec::with_capacity(self.before.len() + text.len() + self.after.len());
        ids.extend(&self.before);
        let mut end = 0;
        for piece in self.pieces.find_iter(text) {
            // What lies between two pieces is one as well.
            if piece.start() > end {
                ids.push(self.id(&text[end..piece.start()]));
            }
            ids.push(self.id(piece.as_str()));
            end = piece.end();
        }
        if end < text.len() {
            ids.push(self.id(&text[end..]));
        }
        ids.extend(&self.after);
        Some(ids)
    }

    fn id(&self, piece: &str) -> u32 {
        self.vocabulary.get(piece).copied().unwrap_or(self.unknown)
    }
}

/// The form that is known. Fields without a meaning for ids are named, so that one that is new is noticed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(rename = "version")]
    _version: IgnoredAny,
    /// Both are turned off before, and done elsewhere.
    #[serde(rename = "truncation")]
    _truncation: Option<IgnoredAny>,
    #[serde(rename = "padding")]
    _padding: Option<IgnoredAny>,
    added_tokens: Vec<AddedToken>,
    normalizer: Option<IgnoredAny>,
    pre_tokenizer: PreTokenizer,
    post_processor: Option<PostProcessor>,
    /// For the way back.
    #[serde(rename = "decoder")]
    _decoder: Option<IgnoredAny>,
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    content: String,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum PreTokenizer {
    Split(Split),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Split {
    pattern: Pattern,
    behavior: String,
    invert: bool,
}

#[derive(Deserialize)]
enum Pattern {
    Regex(String),
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum PostProcessor {
    TemplateProcessing(Template),
}

#[derive(Deserialize)]
struct Template {
    single: Vec<Part>,
    special_tokens: HashMap<String, Special>,
}

#[derive(Deserialize)]
enum Part {
    SpecialToken { id: String },
    Sequence {},
}

#[derive(Deserialize)]
struct Special {
    ids: Vec<u32>,
}

impl Template {
    /// The ids before the text, and those after it; none when it stands there more than once, or not at all.
    fn around(self) -> Option<(Vec<u32>, Vec<u32>)> {
        let (mut before, mut after, mut texts) = (Vec::new(), Vec::new(), 0);
        for part in self.single {
            match part {
                Part::Sequence {} => texts += 1,
                Part::SpecialToken { id } => {
                    let ids = &self.special_tokens.get(&id)?.ids;
                    if texts == 0 { &mut before } else { &mut after }.extend(ids);
                }
            }
        }
        (texts == 1).then_some((before, after))
    }
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Model {
    WordLevel { vocab: HashMap<String, u32>, unk_token: String },
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
