use chemmodel_bundle::Tolerance;

use super::*;

fn question(smiles: &str, expected: &[f64]) -> Question {
    let tolerance = Tolerance { absolute: 1.0, relative: 0.01 };
    Question { smiles: smiles.to_owned(), expected: expected.to_vec(), tolerance }
}

fn outputs(names: &[&str]) -> Vec<GoldenOutput> {
    names.iter().map(|name| GoldenOutput { name: (*name).to_owned(), unit: None }).collect()
}

/// Asks four molecules with the references 100, 200, 300, 400, each of which allows 1 % and 1.
fn asked(answers: &[(&str, usize, f64)]) -> Tally {
    let mut tally = Tally::new(4);
    for &(who, index, answer) in answers {
        let reference = [100.0, 200.0, 300.0, 400.0][index];
        let question = question(["C", "CC", "CCC", "CCCC"][index], &[reference]);
        tally.record(who, index, &question, &[answer], &outputs(&["a"]));
    }
    tally
}

fn smiles(tally: &Tally) -> Vec<String> {
    tally.worst_molecules().into_iter().map(|worst| worst.smiles).collect()
}

#[test]
fn answers_within_their_tolerance_pass() {
    let tally = asked(&[("a", 0, 102.0), ("a", 0, 98.0), ("a", 1, 203.0), ("a", 0, 102.1), ("a", 3, 394.9)]);
    assert_eq!((tally.answers, tally.passed, tally.molecules()), (5, 3, 4));
}

#[test]
fn the_worst_molecules_are_three_different_ones_in_units_of_their_tolerance() {
    // Allowed are 2, 3, 4 and 5, so the errors are 1.5, 1.4, 1.1 and 1.0 tolerances; in kelvin 405 would be the worst.
    let tally =
        asked(&[("a", 3, 405.0), ("a", 0, 103.0), ("b", 0, 102.9), ("a", 2, 304.4), ("a", 1, 204.2), ("b", 1, 200.0)]);
    assert_eq!(smiles(&tally), ["C", "CC", "CCC"]);
}

#[test]
fn the_worst_answer_to_a_molecule_stays_whatever_comes_later() {
    let tally = asked(&[("a", 0, 100.0), ("b", 0, 150.0), ("c", 0, 100.0), ("c", 1, 210.0)]);
    let worst = tally.worst_mismatch().unwrap();
    assert_eq!((worst.who.as_str(), worst.smiles.as_str(), worst.answered), ("b", "C", 150.0));
    assert_eq!((worst.expected, worst.allowed, worst.passes), (100.0, 2.0, false));
    assert_eq!(smiles(&tally), ["C", "CC"]);
}

#[test]
fn without_a_wrong_answer_there_is_no_mismatch() {
    assert_eq!(asked(&[("a", 0, 101.0)]).worst_mismatch(), None);
    assert_eq!(asked(&[]).worst_mismatch(), None);
}

#[test]
fn an_answer_is_right_only_when_all_its_outputs_are_and_the_wrong_one_is_named() {
    let mut tally = Tally::new(1);
    let names = outputs(&["low", "high"]);
    tally.record("a", 0, &question("C", &[100.0, 0.0]), &[100.0, 1.5], &names);
    assert_eq!((tally.answers, tally.passed), (1, 0));
    assert_eq!(tally.worst_mismatch().unwrap().output.as_deref(), Some("high"));
    assert_eq!(tally.worst_molecules()[0].output.as_deref(), Some("high"));
}

#[test]
fn times_are_told_of_the_pod_that_is_slowest_in_95_of_100() {
    let milliseconds = |range: std::ops::RangeInclusive<u64>| range.rev().map(Duration::from_millis).collect();
    let mut tally = Tally::new(1);
    assert_eq!(tally.slowest(), None);
    tally.record_times("even", milliseconds(1..=100));
    // One outlier is not a slow pod.
    tally.record_times("outlier", [vec![Duration::from_secs(9)], vec![Duration::from_millis(2); 99]].concat());
    let slowest = tally.slowest().unwrap().clone();
    let ms = Duration::from_millis;
    assert_eq!(slowest, Pace { pod: "even".to_owned(), p50: ms(50), p95: ms(95) });
    tally.record_times("single", vec![ms(96)]);
    assert_eq!(tally.slowest().unwrap(), &Pace { pod: "single".to_owned(), p50: ms(96), p95: ms(96) });
}
