//! Bundles, files and arguments with which nothing can be verified.

use std::fs;

use chemmodel_bundle::verification::VerifyReason;
use serde_json::{Value, json};

use crate::bundle::{Bundle, golden};
use crate::fleet::{Fleet, honest};
use crate::run::{Ended, Verify};

/// A run on a bundle whose servers would answer rightly; none of them may be asked.
fn unasked(bundle: &Bundle, args: &[&str]) -> Ended {
    let fleet = Fleet::of(bundle.path(), honest());
    let ended = Verify::of(bundle.path(), &fleet).args(args).run();
    assert!(fleet.pods[0].seen().is_empty(), "a pod was asked");
    ended
}

#[test]
fn no_molecules_is_never_a_pass() {
    let mut empty = Bundle::default();
    empty.golden["molecules"] = json!([]);
    let empty = empty.written();
    let ended = unasked(&empty, &[]);
    ended.assert_failed(VerifyReason::NoMolecules, &["without molecules nothing can be verified"]);
    assert_eq!((ended.code, ended.failed().figures.as_ref().unwrap().molecules), (34, 0));

    let mut without = Bundle::default();
    without.golden = Value::Null;
    let without = without.written();
    unasked(&without, &[]).assert_failed(VerifyReason::NoMolecules, &["no golden.json", "goldenConfigMapRef"]);
    // The user's molecules are enough.
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), golden().to_string()).unwrap();
    let fleet = Fleet::of(without.path(), honest());
    let ended = Verify::of(without.path(), &fleet).args(&["--golden", file.path().to_str().unwrap()]).run();
    assert_eq!(ended.passed().molecules, 3);
}

#[test]
fn only_the_expected_bundle_and_its_pinned_reference_are_evidence() {
    let (bundle, other) = (Bundle::default(), Bundle::with_two_outputs());
    let digest = other.digest().to_string();
    // The later of two arguments would be an error; the bundle is what is exchanged.
    let fleet = Fleet::of(bundle.path(), honest());
    let run = Verify::of(bundle.path(), &fleet);
    fs::copy(other.path().join("chemmodel.json"), bundle.path().join("chemmodel.json")).unwrap();
    run.run().assert_failed(VerifyReason::InvalidBundle, &[&digest, "is expected"]);

    let altered = Bundle::default();
    let mut wider = golden();
    wider["tolerance"]["absolute"] = json!(1000);
    fs::write(altered.path().join("golden.json"), wider.to_string()).unwrap();
    let ended = unasked(&altered, &[]);
    ended.assert_failed(VerifyReason::InvalidBundle, &["golden.json", "not what chemmodel.json says"]);
    assert_eq!(ended.code, 25);

    let lost = Bundle::default();
    fs::remove_file(lost.path().join("golden.json")).unwrap();
    unasked(&lost, &[]).assert_failed(VerifyReason::InvalidBundle, &["golden.json", "No such file"]);
}

#[test]
fn a_manifest_that_serves_other_outputs_than_the_framework_computed_is_refused() {
    for (name, unit) in
        [("boiling_point", json!("degC")), ("melting_point", json!("K")), ("boiling_point", Value::Null)]
    {
        let mut bundle = Bundle::default();
        bundle.golden["outputs"] = json!([{"name": name, "unit": unit}]);
        let ended = unasked(&bundle.written(), &[]);
        ended.assert_failed(VerifyReason::WrongOutputs, &["golden.json", name, "boiling_point in K"]);
    }
    // Files from before outputs were written leave the manifest's word.
    let mut older = Bundle::default();
    older.golden.as_object_mut().unwrap().remove("outputs");
    let older = older.written();
    Verify::of(older.path(), &Fleet::of(older.path(), honest())).run().passed();
}

#[test]
fn a_file_of_the_user_that_cannot_be_used_is_a_wrong_configuration() {
    let bundle = Bundle::default();
    let file = tempfile::NamedTempFile::new().unwrap();
    let args = ["--golden", file.path().to_str().unwrap()];
    for (content, words) in [
        (String::new(), "line 1"),
        (golden().to_string().replace("golden/v1", "golden/v2"), "golden/v2"),
        (golden().to_string().replace("[352.1]", "[352.1, 1.0]"), "2 values"),
    ] {
        fs::write(file.path(), content).unwrap();
        unasked(&bundle, &args).assert_failed(VerifyReason::InvalidConfiguration, &["goldenConfigMapRef", words]);
    }
    fs::write(file.path(), golden().to_string().replace("\"K\"", "\"degC\"")).unwrap();
    unasked(&bundle, &args).assert_failed(VerifyReason::WrongOutputs, &["degC"]);
    let ended = unasked(&bundle, &["--golden", "/does/not/exist"]);
    ended.assert_failed(VerifyReason::InvalidConfiguration, &["/does/not/exist", "goldenConfigMapRef"]);
    assert_eq!(ended.code, 26);
}

#[test]
fn a_pod_that_is_given_twice_would_count_as_two() {
    let bundle = Bundle::default();
    let fleet = Fleet::of(bundle.path(), honest());
    let again = format!("bp-9={}", fleet.pods[0].address);
    let ended = Verify::of(bundle.path(), &fleet).args(&["--pod", &again]).run();
    ended.assert_failed(VerifyReason::InvalidConfiguration, &["bp-9", "once"]);
}

#[test]
fn arguments_that_cannot_be_understood_are_a_wrong_configuration() {
    let bundle = Bundle::default();
    let fleet = Fleet::of(bundle.path(), honest());
    let status = |run: Verify| run.output().status.code();
    assert_eq!(status(Verify::without_pods(bundle.path(), &fleet)), Some(26), "no pod was accepted");
    for wrong in
        [["--pod", "10.0.0.1:8080"], ["--abs-tolerance", "NaN"], ["--timeout-seconds", "0"], ["--unknown", "1"]]
    {
        assert_eq!(status(Verify::of(bundle.path(), &fleet).args(&wrong)), Some(26), "{wrong:?} was accepted");
    }
}
