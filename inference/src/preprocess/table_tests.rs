use serde_json::{Value, json};
use tokenizers::Tokenizer;

use super::*;

const TOKENIZER: &str = include_str!("../../../examples/models/boiling-point/v2/tokenizer.json");
const GOLDEN: &str = include_str!("../../../examples/models/boiling-point/v2/golden.json");

/// The ids of the library, which is the reference.
fn expect_same(tokenizer: &Tokenizer, table: &TokenTable, text: &str) {
    let reference = tokenizer.encode_fast(text, true).unwrap();
    if let Some(ids) = table.encode(text) {
        assert_eq!(ids, reference.get_ids(), "{text:?}");
    }
}

fn edited(edit: impl FnOnce(&mut Value)) -> String {
    let mut json = serde_json::from_str(TOKENIZER).unwrap();
    edit(&mut json);
    json.to_string()
}

/// A sequence of numbers without any chance in it (Knuth's constants).
fn numbers() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(1_u64), |n| {
        Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .map(|n| usize::try_from(n >> 33).unwrap())
}

#[test]
fn molecules_have_the_ids_of_the_library() {
    let (tokenizer, table) = (TOKENIZER.parse().unwrap(), TokenTable::read(TOKENIZER).unwrap());
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for molecule in golden["molecules"].as_array().unwrap() {
        let smiles = molecule["smiles"].as_str().unwrap();
        expect_same(&tokenizer, &table, smiles);
        assert_eq!(json!(table.encode(smiles).unwrap()), molecule["ids"], "{smiles}");
    }
}

#[test]
fn any_text_has_the_ids_of_the_library() {
    let (tokenizer, table) = (TOKENIZER.parse().unwrap(), TokenTable::read(TOKENIZER).unwrap());
    let parts = [
        "C", "Cl", "l", "Br", "[", "]", "[C@@H]", "[PAD]", "[CLS]", "%", "%1", "%12", "%(123)", "(", ")", "@", "é",
        "\n", " ", "[[", "1",
    ];
    let mut numbers = numbers();
    for _ in 0..20_000 {
        let count = 1 + numbers.next().unwrap() % 12;
        let text: String = numbers.by_ref().take(count).map(|n| parts[n % parts.len()]).collect();
        expect_same(&tokenizer, &table, &text);
    }
}

#[test]
fn text_between_the_pieces_is_a_piece() {
    let json = edited(|json| json["pre_tokenizer"]["pattern"] = json!({"Regex": "Cl|N"}));
    let (tokenizer, table) = (json.parse().unwrap(), TokenTable::read(&json).unwrap());
    for text in ["ClCCN", "CCl", "C", "NN", "CNC"] {
        expect_same(&tokenizer, &table, text);
        assert!(table.encode(text).is_some());
    }
}

#[test]
fn without_a_template_nothing_stands_around_the_text() {
    let json = edited(|json| json["post_processor"] = json!(null));
    assert_eq!(TokenTable::read(&json).unwrap().encode("CO").unwrap().len(), 2);
}

#[test]
fn a_text_with_a_special_token_is_left_to_the_library() {
    let table = TokenTable::read(TOKENIZER).unwrap();
    assert_eq!(table.encode("C[PAD]C"), None);
}

#[test]
fn tokenizers_of_another_form_are_left_to_the_library() {
    let others = [
        edited(|json| json["normalizer"] = json!({"type": "Lowercase"})),
        edited(|json| json["pre_tokenizer"] = json!({"type": "Whitespace"})),
        edited(|json| json["pre_tokenizer"]["behavior"] = json!("Removed")),
        edited(|json| json["pre_tokenizer"]["invert"] = json!(true)),
        edited(|json| json["pre_tokenizer"]["pattern"] = json!({"String": "C"})),
        edited(|json| json["pre_tokenizer"]["pattern"] = json!({"Regex": "C(?=l)"})),
        edited(|json| json["pre_tokenizer"]["pattern"] = json!({"Regex": "C*"})),
        edited(|json| json["model"]["type"] = json!("WordPiece")),
        edited(|json| json["model"]["unk_token"] = json!("[NONE]")),
        edited(|json| {
            json["post_processor"]["single"][0] = json!({"Sequence": {"id": "A", "type_id": 0}});
        }),
        edited(|json| json["news"] = json!(true)),
    ];
    for (number, other) in others.iter().enumerate() {
        assert!(TokenTable::read(other).is_none(), "number {number}");
    }
}
