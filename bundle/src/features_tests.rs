use serde_json::{Value, json};

use super::*;

fn nfp() -> Value {
    json!({
        "schema": "chemmodel.io/features/v1",
        "scheme": "nfp-v1",
        "atoms": {"('C', 4, 0, 0, False)": 2, "('H', 1, 0, 0, False)": 3},
        "bonds": {"(rdkit.Chem.rdchem.BondType.SINGLE, False, False, ['C', 'H'])": 2},
        "messages": 12
    })
}

fn chemprop(stereo: &str) -> Value {
    json!({"schema": "chemmodel.io/features/v1", "scheme": "chemprop-v2", "stereo": stereo})
}

fn parse(value: &Value) -> Result<Features, FeaturesError> {
    Features::parse(value.to_string().as_bytes())
}

fn with(field: &str, value: Value) -> Value {
    let mut features = nfp();
    features[field] = value;
    features
}

#[test]
fn the_examples_of_the_contract_are_read() {
    let Features::Nfp { version, atoms, bonds, messages } = parse(&nfp()).unwrap() else { panic!("another scheme") };
    assert_eq!(version, NfpVersion::V1);
    assert_eq!(atoms["('H', 1, 0, 0, False)"], 3);
    assert_eq!((bonds.len(), messages), (1, 12));
    assert_eq!(parse(&chemprop("ignored")), Ok(Features::ChempropV2 { stereo: Stereo::Ignored }));
    assert_eq!(parse(&chemprop("read")), Ok(Features::ChempropV2 { stereo: Stereo::Read }));
    let second = parse(&with("scheme", json!("nfp-v2")));
    assert!(matches!(second, Ok(Features::Nfp { version: NfpVersion::V2, .. })), "{second:?}");
}

#[test]
fn every_broken_rule_is_refused_with_the_field_and_the_remedy() {
    let cases = [
        (with("schema", json!("chemmodel.io/features/v2")), "schema \"chemmodel.io/features/v2\" is not known"),
        (with("scheme", json!("nfp-v3")), "unknown variant `nfp-v3`"),
        (with("atoms", json!({})), "atoms has no token"),
        (with("bonds", json!({})), "bonds has no token"),
        (with("atoms", json!({"a": 0})), "atoms[\"a\"]: the id 0 is below 2"),
        (with("bonds", json!({"a": 1})), "bonds[\"a\"]: the id 1 is below 2"),
        (with("atoms", json!({"a": 7, "b": 7})), "atoms[\"b\"]: the id 7 is that of another token too"),
        (with("atoms", json!({"a": -1})), "invalid value: integer `-1`"),
        (with("colours", json!({})), "unknown field `colours`"),
        (with("scheme", json!("chemprop-v2")), "atoms has no meaning for the scheme chemprop-v2"),
        (with("messages", json!(0)), "messages is 0, but the scheme nfp-v1 needs"),
        (with("messages", json!(65)), "messages is 65"),
        (with("messages", json!(256)), "invalid value: integer `256`"),
        (with("messages", Value::Null), "messages is missing"),
        (with("stereo", json!("ignored")), "stereo has no meaning for the scheme nfp-v1"),
        (chemprop("kept"), "unknown variant `kept`"),
        (
            json!({"schema": "chemmodel.io/features/v1", "scheme": "chemprop-v2"}),
            "stereo is missing; the scheme chemprop-v2 needs \"ignored\" or \"read\"",
        ),
        (
            json!({"schema": "chemmodel.io/features/v1", "scheme": "chemprop-v2", "stereo": "ignored", "messages": 3}),
            "messages has no meaning for the scheme chemprop-v2",
        ),
        (json!({"scheme": "nfp-v1"}), "missing field `schema`"),
    ];
    for (features, expected) in cases {
        let error = parse(&features).expect_err(expected).to_string();
        assert!(error.contains(expected), "expected \"{expected}\" in \"{error}\"");
        assert!(error.contains("features.json"), "{error}");
    }
}

#[test]
fn an_atom_and_a_bond_may_have_the_same_id() {
    assert!(parse(&with("bonds", json!({"a": 2, "b": 3}))).is_ok());
}
