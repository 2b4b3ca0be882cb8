//! One wrong answer of one pod, and the candidate does not pass.

use axum::http::StatusCode;
use chemmodel_bundle::verification::{Figures, VerifyReason};
use serde_json::{Value, json};

use crate::bundle::{Bundle, committed};
use crate::fleet::{CPU, Character, Fleet, Reply, changing, honest};
use crate::run::{Ended, Verify};

fn verify(pod: Character) -> Ended {
    let bundle = Bundle::default();
    Verify::of(bundle.path(), &Fleet::of(bundle.path(), pod)).run()
}

fn figures(ended: &Ended) -> &Figures {
    ended.failed().figures.as_ref().unwrap()
}

/// Changes the prediction of one molecule, alone and in lists.
fn lying_about(smiles: &'static str, prediction: &'static Value) -> Character {
    changing(move |asked, answer| {
        for (index, molecule) in asked.molecules.iter().enumerate() {
            if molecule == smiles {
                let place = if asked.alone {
                    &mut answer["prediction"]
                } else {
                    &mut answer["predictions"][index]["prediction"]
                };
                *place = prediction.clone();
            }
        }
    })
}

#[test]
fn a_number_off_by_more_than_the_tolerance_is_named_with_pod_molecule_and_reference() {
    static WRONG: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!(352.7));
    let ended = verify(lying_about("CCO", &WRONG));
    ended.assert_failed(
        VerifyReason::GoldenMismatch,
        &["pod bp-0 answered 352.7 for \"CCO\"", "computed 352.1", "an error of 0.5", "2 of 6 answers"],
    );
    assert_eq!((ended.code, ended.failed().retryable), (30, false));
    let figures = figures(&ended);
    assert_eq!((figures.pods, figures.molecules, figures.answers, figures.passed), (1, 3, 6, 4));
    assert_eq!((figures.worst[0].smiles.as_str(), figures.worst[0].answered), ("CCO", 352.7));
}

#[test]
fn a_number_that_is_wrong_only_in_a_list_is_found() {
    let ended = verify(changing(|asked, answer| {
        if !asked.alone {
            answer["predictions"].as_array_mut().unwrap().reverse();
        }
    }));
    ended.assert_failed(VerifyReason::GoldenMismatch, &["pod bp-0, asked for a list of 3, answered 352.1", "2 of 6"]);
}

#[test]
fn one_bad_pod_of_three_is_enough_and_is_named() {
    let bundle = committed("v1");
    let bad =
        || changing(|_, answer| answer["prediction"] = json!(answer["prediction"].as_f64().unwrap_or_default() + 0.5));
    for place in 0..3 {
        let pods = (0..3).map(|index| (if index == place { bad() } else { honest() }, CPU)).collect();
        let fleet = Fleet::start(&bundle, pods, honest());
        let ended = Verify::of(&bundle, &fleet).run();
        ended.assert_failed(VerifyReason::GoldenMismatch, &[&format!("pod bp-{place} answered")]);
        assert_eq!(figures(&ended).worst.len(), 3);
        for later in &fleet.pods[place + 1..] {
            assert_eq!(later.seen().len(), 0, "a pod was asked although the verdict was certain");
        }
    }
}

#[test]
fn a_service_that_leads_to_another_model_is_found() {
    let bundle = Bundle::default();
    let elsewhere = changing(|_, answer| answer["digest"] = json!(format!("sha256:{}", "0".repeat(64))));
    let fleet = Fleet::start(bundle.path(), vec![(honest(), CPU)], elsewhere);
    let ended = Verify::of(bundle.path(), &fleet).run();
    ended.assert_failed(VerifyReason::WrongIdentity, &["the Service http://127.0.0.1", "sha256:0000", "digest"]);
    assert_eq!((ended.code, figures(&ended).answers), (32, 6));
}

#[test]
fn an_answer_of_another_digest_revision_or_version_is_refused() {
    for (field, value) in
        [("digest", json!("sha256:1")), ("revision", json!("old")), ("version", json!("v3")), ("revision", Value::Null)]
    {
        let words = field;
        let ended = verify(changing(move |_, answer| answer[field] = value.clone()));
        ended.assert_failed(VerifyReason::WrongIdentity, &["pod bp-0, asked for \"CCO\"", words]);
    }
}

#[test]
fn another_unit_or_name_is_refused_even_when_the_numbers_are_right() {
    let ended = verify(changing(|_, answer| answer["unit"] = json!("degC")));
    ended.assert_failed(VerifyReason::WrongOutputs, &["pod bp-0", "\"degC\"", "boiling_point in K"]);
    assert_eq!(ended.code, 31);
    let only_in_lists = changing(|asked, answer| {
        if !asked.alone {
            answer.as_object_mut().unwrap().remove("unit");
        }
    });
    verify(only_in_lists).assert_failed(VerifyReason::WrongOutputs, &["a list of 3", "no unit"]);

    let bundle = Bundle::with_two_outputs();
    let renamed = changing(|asked, answer| {
        if asked.alone {
            answer["prediction"] = json!({"boiling_point": answer["prediction"]["boiling_point"], "tox": 12.5});
        }
    });
    let ended = Verify::of(bundle.path(), &Fleet::of(bundle.path(), renamed)).run();
    ended.assert_failed(VerifyReason::WrongOutputs, &["boiling_point, tox", "toxicity in %"]);
}

#[test]
fn what_is_no_finite_number_is_no_answer() {
    static NULL: Value = Value::Null;
    static TEXT: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!("NaN"));
    verify(lying_about("C", &NULL)).assert_failed(VerifyReason::NotAnswered, &["\"C\"", "no finite number"]);
    verify(lying_about("C", &TEXT)).assert_failed(VerifyReason::NotAnswered, &["\"NaN\""]);
    for body in ["{\"prediction\": NaN}", "{\"prediction\": 1e999}", "", "<html>", "{\"prediction\": 1.0"] {
        let ended = verify(Box::new(move |_, _| Reply::Send(StatusCode::OK, body.to_owned())));
        ended.assert_failed(VerifyReason::NotAnswered, &["pod bp-0, asked for \"CCO\"", "not of the server's form"]);
        assert_eq!(ended.code, 35);
    }
}

#[test]
fn an_error_of_the_server_is_told_in_its_own_words() {
    let failing = Box::new(|_: &_, _| {
        Reply::Send(StatusCode::INTERNAL_SERVER_ERROR, json!({"error": "the engine failed"}).to_string())
    });
    verify(failing).assert_failed(VerifyReason::NotAnswered, &["500", "the engine failed", "\"CCO\""]);
    let one_row = changing(|asked, answer| {
        if !asked.alone {
            answer["predictions"][1] = json!({"error": "the model gave no finite number"});
        }
    });
    verify(one_row).assert_failed(VerifyReason::NotAnswered, &["a list of 3", "\"C\" among them", "no finite number"]);
    let short = changing(|_, answer| {
        if let Some(rows) = answer.get_mut("predictions").and_then(Value::as_array_mut) {
            rows.pop();
        }
    });
    verify(short).assert_failed(VerifyReason::NotAnswered, &["a list of 3", "2 predictions"]);
}

#[test]
fn a_redirect_is_not_followed_to_somebody_elses_answer() {
    let bundle = Bundle::default();
    let honest = Fleet::of(bundle.path(), honest());
    let target = format!("http://{}/predict", honest.pods[0].address);
    let ended = verify(Box::new(move |_, _| Reply::Elsewhere(target.clone())));
    ended.assert_failed(VerifyReason::NotAnswered, &["307"]);
}

#[test]
fn right_answers_that_are_slower_than_allowed_do_not_pass() {
    let bundle = Bundle::default();
    let slow = || -> Character { Box::new(|_, answer| Reply::Late(std::time::Duration::from_millis(500), answer)) };
    let fleet = Fleet::start(bundle.path(), vec![(honest(), CPU), (slow(), CPU)], honest());
    let with = |max| Verify::of(bundle.path(), &fleet).args(&["--max-p95-milliseconds", max]).run();
    let ended = with("499");
    ended.assert_failed(VerifyReason::TooSlow, &["pod bp-1", "499 ms are allowed", "maxP95Milliseconds"]);
    assert_eq!(ended.code, 33);
    assert_eq!(figures(&ended).answers, figures(&ended).passed);
    assert!(figures(&ended).p95_milliseconds.unwrap() > 499.0);
    with("60000").passed();
}

#[test]
fn a_pod_that_does_not_say_what_runs_its_network_proves_nothing() {
    let bundle = Bundle::default();
    for metrics in ["", "chemmodel_panics_total 0\n"] {
        let fleet = Fleet::start(bundle.path(), vec![(honest(), metrics)], honest());
        let ended = Verify::of(bundle.path(), &fleet).run();
        ended.assert_failed(VerifyReason::NotAnswered, &["pod bp-0", "chemmodel_server_info"]);
    }
}
