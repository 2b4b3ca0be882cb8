//! The tokenizer does what it did when the weights were trained, whatever else `tokenizer.json` asks for.

use serde_json::json;

use crate::support::fixture::{preprocessor, tokenizer};

#[test]
fn special_tokens_surround_the_molecule_and_unknown_text_is_counted() {
    let tokens = preprocessor(&tokenizer(), 64, 64).encode("C?O?").unwrap();
    assert_eq!(tokens.ids, [2, 4, 1, 6, 1, 3]);
    assert_eq!(tokens.unknown, 2);
}

#[test]
fn truncation_and_padding_of_the_file_are_ignored() {
    let mut file = tokenizer();
    file["truncation"] = json!({"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0});
    file["padding"] = json!({
        "strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 9, "pad_type_id": 0, "pad_token": "="
    });
    let preprocessor = preprocessor(&file, 64, 64);
    assert_eq!(preprocessor.encode("CCCCC").unwrap().ids, [2, 4, 4, 4, 4, 4, 3]);
    assert_eq!(preprocessor.pad_id(), 9, "the pad token of the file still fills the batches");
}

#[test]
fn the_pad_token_is_found_by_name_when_the_file_has_no_padding() {
    let mut file = tokenizer();
    assert_eq!(preprocessor(&file, 64, 64).pad_id(), 0);
    file["added_tokens"][0]["content"] = json!("<pad>");
    file["model"]["vocab"]["<pad>"] = json!(0);
    file["model"]["vocab"].as_object_mut().unwrap().remove("[PAD]");
    assert_eq!(preprocessor(&file, 64, 64).pad_id(), 0);
}
