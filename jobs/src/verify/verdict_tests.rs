use chemmodel_bundle::{GoldenOutput, Tolerance};

use super::super::golden::Question;
use super::*;

fn candidate() -> Candidate {
    Candidate { digest: BundleDigest::of(b"manifest"), revision: "7f9c".to_owned(), pods: 1, max_p95: None }
}

/// One pod that was asked one molecule (352.1 ± 0.5) alone and in a list.
fn tally(answers: &[f64]) -> Tally {
    let mut tally = Tally::new(1);
    let tolerance = Tolerance { absolute: 0.5, relative: 0.0 };
    let question = Question { smiles: "CCO".to_owned(), expected: vec![352.1], tolerance };
    let outputs = [GoldenOutput { name: "boiling_point".to_owned(), unit: None }];
    for answer in answers {
        tally.record("pod bp-0", 0, &question, &[*answer], &outputs);
    }
    tally.record_times("bp-0", vec![Duration::from_micros(1_234)]);
    tally.providers.insert("CPU".to_owned());
    tally
}

fn ended(candidate: &Candidate, asked: Result<(), Failure>, tally: &Tally) -> VerifyReport {
    conclude(candidate, asked, tally, Duration::from_millis(1_900))
}

fn assert_failed(report: &VerifyReport, reason: VerifyReason, words: &[&str]) {
    let VerifyReport::Failed(failure) = report else { panic!("{report:?}") };
    assert_eq!(failure.reason, reason, "{}", failure.message);
    for word in words {
        assert!(failure.message.contains(word), "\"{word}\" is not in \"{}\"", failure.message);
    }
}

fn unreachable() -> Result<(), Failure> {
    Err(Failure::new(VerifyReason::Unreachable, "nobody is there"))
}

#[test]
fn right_answers_pass_with_their_figures() {
    let VerifyReport::Passed(figures) = ended(&candidate(), Ok(()), &tally(&[352.1, 352.4])) else { panic!("failed") };
    assert_eq!((figures.pods, figures.molecules, figures.answers, figures.passed), (1, 1, 2, 2));
    assert_eq!((figures.p50_milliseconds, figures.p95_milliseconds, figures.seconds), (Some(1.234), Some(1.234), 1.9));
    assert_eq!(figures.provider.as_deref(), Some("CPU"));
    assert_eq!((figures.worst[0].expected, figures.worst[0].answered), (352.1, 352.4));
}

#[test]
fn a_wrong_answer_decides_whatever_else_happened() {
    let words = ["pod bp-0 answered 400.5", "\"CCO\"", "352.1", "0.5", "1 of 2 answers"];
    for asked in [Ok(()), unreachable()] {
        let report = ended(&candidate(), asked, &tally(&[352.1, 400.5]));
        assert_failed(&report, VerifyReason::GoldenMismatch, &words);
    }
}

#[test]
fn what_ended_the_asking_is_told_with_what_came_before() {
    let report = ended(&candidate(), unreachable(), &tally(&[352.1]));
    assert_failed(&report, VerifyReason::Unreachable, &["nobody is there"]);
    let VerifyReport::Failed(failure) = report else { panic!("passed") };
    assert_eq!(failure.figures.unwrap().answers, 1);
}

#[test]
fn right_answers_that_come_too_late_do_not_pass() {
    let slow = |max| Candidate { max_p95: Some(Duration::from_micros(max)), ..candidate() };
    let answers = tally(&[352.1, 352.1]);
    assert_failed(&ended(&slow(1_000), Ok(()), &answers), VerifyReason::TooSlow, &["bp-0", "1.234 ms", "1 ms"]);
    assert!(matches!(ended(&slow(1_234), Ok(()), &answers), VerifyReport::Passed(_)));
}

#[test]
fn an_end_without_failure_and_without_evidence_is_no_pass() {
    let nothing = Tally::new(0);
    assert_failed(&ended(&candidate(), Ok(()), &nothing), VerifyReason::NotAnswered, &["proves nothing"]);
    let two_pods = Candidate { pods: 2, ..candidate() };
    assert_failed(
        &ended(&two_pods, Ok(()), &tally(&[352.1])),
        VerifyReason::NotAnswered,
        &["1 answers to 1 molecules"],
    );
    let mut unknown = tally(&[352.1]);
    unknown.providers.clear();
    assert_failed(&ended(&candidate(), Ok(()), &unknown), VerifyReason::NotAnswered, &["what runs its network"]);
}

#[test]
fn pods_that_run_on_different_hardware_are_not_hidden() {
    let mut mixed = tally(&[352.1]);
    mixed.providers.insert("CUDA".to_owned());
    let VerifyReport::Passed(figures) = ended(&candidate(), Ok(()), &mixed) else { panic!("failed") };
    assert_eq!(figures.provider.as_deref(), Some("CPU,CUDA"));
}
