//! A plain Hugging Face / Optimum export gets its manifest here. The manifest depends on the files' content alone, so
//! equal exports have equal digests wherever they lie.

use std::collections::BTreeMap;

use chemmodel_bundle::report::SyncReason;
use chemmodel_bundle::{BundlePath, FileEntry, MANIFEST_FILE, Manifest, TOKENIZER_FILE};
use serde::Deserialize;

use super::error::SyncError;
use super::hint;
use super::list::Listing;
use super::pinned::Pinned;

/// The network's configuration in an export.
pub const CONFIG_FILE: &str = "config.json";
const MAX_CONFIG_BYTES: u64 = 1024 * 1024;
const MODEL_FILE: &str = "model.onnx";

/// Architectures that number positions from `pad_token_id + 1`, so that many of `max_position_embeddings` are never
/// used (`create_position_ids_from_input_ids` in transformers).
const OFFSET_POSITIONS: [&str; 3] = ["camembert", "roberta", "xlm-roberta"];
/// What transformers takes for `pad_token_id` of these when the file does not say.
const DEFAULT_PAD_TOKEN_ID: u32 = 1;

/// The part of `config.json` that decides the manifest.
#[derive(Debug, Deserialize)]
struct Config {
    model_type: String,
    max_position_embeddings: u32,
    pad_token_id: Option<u32>,
}

/// The objects of an export, or which of them is missing.
pub fn required(place: &str, listing: &Listing) -> Result<Vec<Pinned>, SyncError> {
    if let Some(weights) = listing.paths().find(|path| path.starts_with("model.onnx") && *path != MODEL_FILE) {
        let message =
            format!("the export at {place} keeps weights in \"{weights}\"; export the network as one model.onnx");
        return Err(SyncError::new(SyncReason::InvalidBundle, message));
    }
    let find = |path: &str| {
        listing.get(path).cloned().ok_or_else(|| {
            let similar = hint::similar(path, listing.paths().map(str::to_owned));
            let message = format!(
                "there is neither \"{MANIFEST_FILE}\" nor \"{path}\" below {place}{similar}; a bundle has {MANIFEST_FILE}, a \
                 plain export has {CONFIG_FILE}, {TOKENIZER_FILE} and {MODEL_FILE}"
            );
            SyncError::new(SyncReason::NotFound, message)
        })
    };
    let config = find(CONFIG_FILE)?;
    if config.size > MAX_CONFIG_BYTES {
        let message = format!(
            "\"{}\" has {} bytes, too many for a configuration; export the network again",
            config.key, config.size
        );
        return Err(SyncError::new(SyncReason::InvalidBundle, message));
    }
    Ok(vec![config, find(TOKENIZER_FILE)?, find(MODEL_FILE)?])
}

/// Writes the manifest of an export with this `config.json` and these files.
pub fn manifest(
    place: &str,
    config: &[u8],
    files: BTreeMap<BundlePath, FileEntry>,
) -> Result<(Vec<u8>, Manifest), SyncError> {
    let invalid = |why: String| {
        SyncError::new(SyncReason::InvalidBundle, format!("the export at {place} cannot be served: {why}"))
    };
    let config: Config = serde_json::from_slice(config).map_err(|why| invalid(format!("{CONFIG_FILE}: {why}")))?;
    let length = config.max_length().ok_or_else(|| {
        let positions = config.max_position_embeddings;
        invalid(format!("{CONFIG_FILE}: max_position_embeddings is {positions}, which leaves no room for a token"))
    })?;
    let member = MODEL_FILE.parse().map_err(|why| invalid(format!("{MODEL_FILE}: {why}")))?;
    Manifest::for_plain_sequence(&config.model_type, &config.model_type, member, files, length)
        .map_err(|why| invalid(why.to_string()))
}

impl Config {
    fn max_length(&self) -> Option<u32> {
        let unused = if OFFSET_POSITIONS.contains(&self.model_type.as_str()) {
            self.pad_token_id.unwrap_or(DEFAULT_PAD_TOKEN_ID).checked_add(1)?
        } else {
            0
        };
        self.max_position_embeddings.checked_sub(unused).filter(|length| *length > 0)
    }
}

#[cfg(test)]
mod tests {
    use chemmodel_bundle::Sha256Hex;

    use super::*;

    fn adopt(config: &str) -> Result<Manifest, SyncError> {
        let entry =
            |path: &str| (path.parse().unwrap(), FileEntry { sha256: Sha256Hex::of(path.as_bytes()), bytes: 9 });
        let files = [CONFIG_FILE, TOKENIZER_FILE, MODEL_FILE].map(entry).into();
        manifest("s3://b/p", config.as_bytes(), files).map(|(_, manifest)| manifest)
    }

    #[test]
    fn the_longest_sequence_follows_from_the_position_embeddings() {
        let cases = [
            (r#"{"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}"#, 512),
            (r#"{"model_type": "roberta", "max_position_embeddings": 515}"#, 513),
            (r#"{"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 0}"#, 513),
            (r#"{"model_type": "bert", "max_position_embeddings": 512, "pad_token_id": 0}"#, 512),
        ];
        for (config, length) in cases {
            assert_eq!(adopt(config).unwrap().max_length, length, "{config}");
        }
    }

    #[test]
    fn a_configuration_that_does_not_say_it_is_refused() {
        for config in [
            "",
            "[]",
            "{}",
            r#"{"model_type": "roberta"}"#,
            r#"{"model_type": "roberta", "max_position_embeddings": 2}"#,
            r#"{"model_type": "bert", "max_position_embeddings": 0}"#,
            r#"{"model_type": "", "max_position_embeddings": 5}"#,
        ] {
            assert_eq!(adopt(config).unwrap_err().reason, SyncReason::InvalidBundle, "{config}");
        }
    }
}
