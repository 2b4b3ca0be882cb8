use serde_json::{Value, json};

use super::*;
use crate::MAX_TERMINATION_MESSAGE_BYTES;

fn figures() -> Figures {
    let worst = WorstMolecule { smiles: "CCO".to_owned(), output: None, expected: 352.1, answered: 352.2 };
    Figures {
        digest: BundleDigest::of(b"manifest"),
        revision: "7f9c".to_owned(),
        pods: 2,
        molecules: 138,
        answers: 558,
        passed: 558,
        provider: Some("CPU".to_owned()),
        p50_milliseconds: Some(1.8),
        p95_milliseconds: Some(2.5),
        worst: vec![worst],
        seconds: 1.9,
    }
}

fn json_of_figures() -> Value {
    json!({
        "digest": BundleDigest::of(b"manifest").to_string(), "revision": "7f9c", "pods": 2, "molecules": 138,
        "answers": 558, "passed": 558, "provider": "CPU", "p50Milliseconds": 1.8, "p95Milliseconds": 2.5,
        "worst": [{"smiles": "CCO", "expected": 352.1, "answered": 352.2}], "seconds": 1.9
    })
}

fn with(mut json: Value, more: &Value) -> Value {
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json
}

#[test]
fn the_json_is_the_contract_with_the_operator() {
    let passed = with(json_of_figures(), &json!({"outcome": "Passed"}));
    assert_eq!(serde_json::to_value(VerifyReport::Passed(figures())).unwrap(), passed);

    let head = json!({"outcome": "Failed", "reason": "GoldenMismatch", "message": "why", "retryable": false});
    let failed = |figures| VerifyReport::failed(VerifyReason::GoldenMismatch, "why", figures);
    assert_eq!(serde_json::to_value(failed(None)).unwrap(), head);
    assert_eq!(serde_json::to_value(failed(Some(figures()))).unwrap(), with(json_of_figures(), &head));
}

#[test]
fn a_report_survives_the_termination_log_with_its_figures() {
    let early = Figures { answers: 0, passed: 0, provider: None, p50_milliseconds: None, worst: vec![], ..figures() };
    let reports = [
        VerifyReport::Passed(figures()),
        VerifyReport::failed(VerifyReason::TooSlow, "slow", Some(figures())),
        VerifyReport::failed(VerifyReason::Unreachable, "no route", Some(early)),
        VerifyReport::failed(VerifyReason::InvalidBundle, "unreadable", None),
    ];
    for report in reports {
        assert_eq!(VerifyReport::parse(&report.to_termination_message().unwrap()).unwrap(), report);
    }
}

#[test]
fn a_pass_without_evidence_is_an_error_and_not_a_verdict() {
    let passed = with(json_of_figures(), &json!({"outcome": "Passed"}));
    assert!(VerifyReport::parse(&passed.to_string()).is_ok());
    for lacking in [
        json!({"pods": 0}),
        json!({"molecules": 0}),
        json!({"answers": 275, "passed": 275}),
        json!({"passed": 557}),
        json!({"provider": ""}),
        json!({"provider": null}),
        json!({"p50Milliseconds": null}),
        json!({"p95Milliseconds": null}),
        json!({"digest": "sha256:12"}),
        json!({"revision": null}),
    ] {
        let message = with(passed.clone(), &lacking).to_string();
        assert!(VerifyReport::parse(&message).is_err(), "a pass with {lacking} was accepted");
    }
    for message in ["", "{}", "{\"outcome\":\"Passed\"}", "{\"outcome\":\"passed\"}", "null"] {
        assert!(VerifyReport::parse(message).is_err(), "{message:?} was accepted");
    }
}

#[test]
fn long_texts_are_cut_to_the_kubelets_limit_and_the_figures_stay() {
    let long = |c: &str| c.repeat(2500 / c.len());
    for text in [long("é"), long("x"), long("\""), long("\u{1}"), long("模型")] {
        let mut figures = figures();
        figures.worst = vec![WorstMolecule { smiles: text.clone(), ..figures.worst[0].clone() }; 3];
        let report = VerifyReport::failed(VerifyReason::GoldenMismatch, text.as_str(), Some(figures.clone()));
        let sent = report.to_termination_message().unwrap();
        assert!(sent.len() <= MAX_TERMINATION_MESSAGE_BYTES, "{} bytes", sent.len());
        assert!(sent.len() > 4000, "{} bytes: more was cut than needed", sent.len());
        let VerifyReport::Failed(read) = VerifyReport::parse(&sent).unwrap() else { panic!("not a failure") };
        assert_eq!(read.reason, VerifyReason::GoldenMismatch);
        assert!(text.starts_with(read.message.trim_end_matches('…')));
        let read = read.figures.unwrap();
        assert_eq!((read.digest, read.answers, read.seconds), (figures.digest, 558, 1.9));

        let passed = VerifyReport::Passed(figures).to_termination_message().unwrap();
        assert!(passed.len() <= MAX_TERMINATION_MESSAGE_BYTES && VerifyReport::parse(&passed).is_ok());
    }
}

#[test]
fn only_the_first_code_is_retryable_and_words_match_json() {
    for reason in VerifyReason::ALL {
        assert_eq!(reason.retryable(), reason.exit_code() == 10, "{reason}");
        assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.as_str()));
        assert_eq!(VerifyReport::failed(reason, "", None).exit_code(), reason.exit_code());
    }
    assert_eq!(VerifyReason::ALL.map(VerifyReason::exit_code), [10, 25, 26, 30, 31, 32, 33, 34, 35]);
    assert_eq!(VerifyReport::Passed(figures()).exit_code(), 0);
}
