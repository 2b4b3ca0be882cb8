use serde_json::json;

use super::*;

const DIGEST: &str = "sha256:d";

fn output(name: &str, unit: Option<&str>) -> GoldenOutput {
    GoldenOutput { name: name.to_owned(), unit: unit.map(str::to_owned) }
}

fn expecting(outputs: &[GoldenOutput]) -> Expectation<'_> {
    Expectation { digest: DIGEST, revision: "7f9c", version: "v4", outputs }
}

fn about(unit: Value) -> About {
    let mut about = json!({"digest": DIGEST, "revision": "7f9c", "version": "v4"});
    if !unit.is_null() {
        about["unit"] = unit;
    }
    serde_json::from_value(about).unwrap()
}

#[test]
fn only_the_candidates_own_answer_is_accepted() {
    let outputs = [output("boiling_point", Some("K"))];
    let right = || about(json!("K"));
    assert_eq!(expecting(&outputs).check(&right()), Ok(()));
    let other = || Some("other".to_owned());
    let wrong = [
        ("digest other", About { digest: other(), ..right() }),
        ("revision other", About { revision: other(), ..right() }),
        ("version other", About { version: other(), ..right() }),
        ("does not say its digest", About { digest: None, ..right() }),
        ("does not say its revision", About { revision: None, ..right() }),
        ("does not say its version", About { version: None, ..right() }),
    ];
    for (words, about) in wrong {
        let fault = expecting(&outputs).check(&about).unwrap_err();
        assert_eq!(fault.reason, VerifyReason::WrongIdentity, "{words}");
        assert!(fault.sentence.contains(words), "{}", fault.sentence);
    }
}

#[test]
fn units_must_be_those_of_the_reference() {
    let (one, two) = ([output("a", Some("K"))], [output("a", Some("K")), output("b", None)]);
    let (bare, three) = ([output("a", None)], [output("a", Some("K")), output("b", Some("%"))]);
    let cases: [(&[GoldenOutput], Value, &[Value]); 4] = [
        (&one, json!("K"), &[Value::Null, json!("degC"), json!({"a": "K"}), json!("k")]),
        (&two, json!({"a": "K"}), &[Value::Null, json!("K"), json!({"a": "K", "b": "%"}), json!({"b": "K"})]),
        (&three, json!({"a": "K", "b": "%"}), &[json!({"a": "%", "b": "K"}), json!({"a": "K"})]),
        (&bare, Value::Null, &[json!("K"), json!({})]),
    ];
    for (outputs, right, wrong) in cases {
        assert_eq!(expecting(outputs).check(&about(right)), Ok(()));
        for unit in wrong {
            let fault = expecting(outputs).check(&about(unit.clone())).unwrap_err();
            assert_eq!(fault.reason, VerifyReason::WrongOutputs, "{unit} was accepted");
        }
    }
}

#[test]
fn one_output_is_a_number_and_several_are_told_by_name() {
    let (one, two) = ([output("a", None)], [output("a", None), output("b", None)]);
    assert_eq!(expecting(&one).values(Some(&json!(1.5))), Ok(vec![1.5]));
    // In the order of the outputs, not in that of the answer.
    assert_eq!(expecting(&two).values(Some(&json!({"b": 2, "a": 1}))), Ok(vec![1.0, 2.0]));
    for (outputs, wrong) in [
        (&one[..], json!({"a": 1})),
        (&two, json!(1)),
        (&two, json!({"a": 1})),
        (&two, json!({"a": 1, "c": 2})),
        (&two, json!({"a": 1, "b": 2, "c": 3})),
    ] {
        let fault = expecting(outputs).values(Some(&wrong)).unwrap_err();
        assert_eq!(fault.reason, VerifyReason::WrongOutputs, "{wrong} was accepted");
    }
}

#[test]
fn what_is_no_number_is_no_answer() {
    let one = [output("a", None)];
    for wrong in [json!(null), json!("NaN"), json!("352.1"), json!([352.1]), json!(true)] {
        let fault = expecting(&one).values(Some(&wrong)).unwrap_err();
        assert_eq!(fault.reason, VerifyReason::NotAnswered, "{wrong} was accepted");
    }
    assert_eq!(expecting(&one).values(None).unwrap_err().reason, VerifyReason::NotAnswered);
}

#[test]
fn an_error_is_measured_in_what_is_allowed_for_its_reference() {
    let tolerance = Tolerance { absolute: 0.5, relative: 0.25 };
    assert!((deviation(10.5, 8.0, tolerance) - 1.0).abs() < 1e-12);
    assert!((deviation(-13.0, -8.0, tolerance) - 2.0).abs() < 1e-12);
    let exact = Tolerance { absolute: 0.0, relative: 0.0 };
    assert_eq!((deviation(8.0, 8.0, exact), deviation(8.1, 8.0, exact)), (0.0, f64::INFINITY));
}
