//! Candidates whose pods are in perfect health, and whose answers are not those of the original framework.

use anyhow::Result;
use chemmodel_tests::{Bundle, Outcome};
use serde_json::{Value, json};

use super::given_up;

/// The last layer, of one number for each of 32 inputs.
const LAST_LAYER: &str = "network.dnn_head.3.weight";
/// 384 numbers for each token.
const EMBEDDINGS: &str = "network.chemberta_model.embeddings.word_embeddings.weight";
const NUMBERS_PER_TOKEN: usize = 384;
/// The token of oxygen, and that of benzene's carbon.
const OXYGEN: usize = 9;

#[test]
fn weights_that_are_one_per_cent_off_are_a_mismatch() -> Outcome {
    let altered = Bundle::example("v2")?.with_weights(LAST_LAYER, |_, weight| weight * 1.01)?.sealed()?;
    given_up("weights", &altered, &json!({}), &["GoldenMismatch"], &["answered", "computed", "weights"])
}

#[test]
fn a_tokenizer_with_two_ids_exchanged_is_a_mismatch() -> Outcome {
    let swapped = Bundle::example("v2")?.edited("tokenizer.json", swap_oxygen_and_nitrogen)?.sealed()?;
    given_up("tokenizer", &swapped, &json!({}), &["GoldenMismatch"], &["answered", "computed", "tokenizer"])
}

#[test]
fn no_number_for_some_molecules_is_no_answer() -> Outcome {
    // Methane, which the server tries at its start, has no oxygen.
    let row = OXYGEN * NUMBERS_PER_TOKEN..(OXYGEN + 1) * NUMBERS_PER_TOKEN;
    let spoilt = |at: usize, weight: f32| if row.contains(&at) { f32::NAN } else { weight };
    let broken = Bundle::example("v2")?.with_weights(EMBEDDINGS, spoilt)?.sealed()?;
    given_up("not-a-number", &broken, &json!({}), &["NotAnswered"], &["CCO"])
}

#[test]
fn a_manifest_that_calls_kelvin_celsius_has_wrong_outputs() -> Outcome {
    let wrong = outputs_of_the_framework()?
        .edited("chemmodel.json", |manifest| manifest["outputs"][0]["unit"] = json!("°C"))?;
    given_up("unit", &wrong.sealed()?, &json!({}), &["WrongOutputs"], &["K", "°C", "chemmodel.json"])
}

#[test]
fn a_manifest_that_calls_boiling_melting_has_wrong_outputs() -> Outcome {
    let rename = |manifest: &mut Value| manifest["outputs"][0]["name"] = json!("melting_point");
    let wrong = outputs_of_the_framework()?.edited("chemmodel.json", rename)?;
    given_up("name", &wrong.sealed()?, &json!({}), &["WrongOutputs"], &["boiling_point", "melting_point"])
}

#[test]
fn no_molecule_to_ask_is_no_proof() -> Outcome {
    let nothing = Bundle::example("v2")?.edited("golden.json", |golden| golden["molecules"] = json!([]))?;
    given_up("no-molecules", &nothing.sealed()?, &json!({}), &["NoMolecules"], &["golden.json"])
}

#[test]
fn answers_that_take_too_long_are_too_slow() -> Outcome {
    // A fifth of a processor: no molecule is answered within a millisecond.
    let slow = json!({"spec": {
        "pod": {"resources": {"limits": {"cpu": "200m"}}}, "rollout": {"verification": {"maxP95Milliseconds": 1}}
    }});
    given_up("slow", &Bundle::example("v2")?, &slow, &["TooSlow"], &["maxP95Milliseconds", "1 ms"])
}

/// The example with a golden.json that says what the framework computed.
fn outputs_of_the_framework() -> Result<Bundle> {
    let outputs = json!([{"name": "boiling_point", "unit": "K"}]);
    Bundle::example("v2")?.edited("golden.json", |golden| golden["outputs"] = outputs)
}

fn swap_oxygen_and_nitrogen(tokenizer: &mut Value) {
    let vocabulary = &mut tokenizer["model"]["vocab"];
    let oxygen = vocabulary["O"].take();
    vocabulary["O"] = vocabulary["N"].take();
    vocabulary["N"] = oxygen;
}
