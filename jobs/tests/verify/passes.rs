//! What is proved before a candidate passes.

use std::collections::BTreeSet;
use std::fs;

use axum::http::StatusCode;
use chemmodel_bundle::{GOLDEN_FILE, Golden};
use serde_json::{Value, json};

use crate::bundle::{Bundle, committed, digest, golden};
use crate::fleet::{CPU, Fleet, Reply, changing, honest};
use crate::run::Verify;

#[test]
fn the_committed_bundles_answers_pass_and_the_report_has_the_figures_of_the_contract() {
    for version in ["v1", "v2"] {
        let bundle = committed(version);
        let fleet = Fleet::start(&bundle, vec![(honest(), CPU), (honest(), CPU)], honest());
        let ended = Verify::of(&bundle, &fleet).run();
        let figures = ended.passed();
        let molecules = Golden::parse(&fs::read(bundle.join(GOLDEN_FILE)).unwrap(), 1).unwrap().molecules.len() as u64;
        assert!(molecules > 100);
        // Each pod alone and in a list, and six through the Service.
        assert_eq!((figures.pods, figures.molecules, figures.answers), (2, molecules, 4 * molecules + 6));
        assert_eq!((figures.passed, figures.provider.as_deref()), (figures.answers, Some("CPU")));
        assert_eq!((figures.digest, figures.revision.as_str()), (digest(&bundle), "7f9c"));
        assert!(figures.p50_milliseconds <= figures.p95_milliseconds && figures.seconds > 0.0);
        assert_eq!((figures.worst.len(), figures.worst[0].expected), (3, figures.worst[0].answered));
        assert!(ended.message.starts_with("{\"outcome\":\"Passed\"") && !ended.message.contains('\n'));
    }
}

#[test]
fn every_pod_is_asked_every_molecule_alone_and_in_a_list_and_the_service_on_new_connections() {
    let bundle = Bundle::default();
    let fleet = Fleet::start(bundle.path(), vec![(honest(), CPU), (honest(), CPU), (honest(), CPU)], honest());
    assert_eq!(Verify::of(bundle.path(), &fleet).run().passed().answers, 3 * 3 * 2 + 3);
    for pod in &fleet.pods {
        let (alone, lists): (Vec<_>, Vec<_>) = pod.seen().into_iter().partition(|asked| asked.alone);
        let alone: Vec<_> = alone.iter().flat_map(|asked| &asked.molecules).collect();
        assert_eq!(alone, ["CCO", "C", "c1ccccc1"]);
        assert_eq!((lists.len(), lists[0].molecules.len()), (1, 3));
    }
    let connections: BTreeSet<_> = fleet.service.seen().iter().map(|asked| asked.client).collect();
    assert_eq!(connections.len(), 3, "the Service was asked twice on one connection");
}

#[test]
fn a_list_has_at_most_256_molecules_and_fewer_where_the_server_takes_no_more() {
    let mut bundle = Bundle::default();
    let molecules: Vec<_> = (1..=600).map(|n| json!({"smiles": "C".repeat(n), "predictions": [n]})).collect();
    bundle.golden["molecules"] = json!(molecules);
    let bundle = bundle.written();
    let lists = |fleet: &Fleet| -> Vec<usize> {
        fleet.pods[0].seen().iter().filter(|asked| !asked.alone).map(|asked| asked.molecules.len()).collect()
    };
    let fleet = Fleet::of(bundle.path(), honest());
    assert_eq!(Verify::of(bundle.path(), &fleet).run().passed().answers, 600 * 2 + 6);
    assert_eq!(lists(&fleet), [256, 256, 88]);

    let picky = Fleet::of(
        bundle.path(),
        Box::new(|asked, answer| match asked.molecules.len() {
            ..=100 => answer.into(),
            _ => Reply::Send(StatusCode::PAYLOAD_TOO_LARGE, json!({"error": "at most 100"}).to_string()),
        }),
    );
    assert_eq!(Verify::of(bundle.path(), &picky).run().passed().answers, 600 * 2 + 6);
    assert_eq!(lists(&picky)[..4], [256, 128, 64, 64]);
}

#[test]
fn several_outputs_are_compared_by_name() {
    let bundle = Bundle::with_two_outputs();
    let fleet = Fleet::of(bundle.path(), honest());
    let ended = Verify::of(bundle.path(), &fleet).run();
    assert_eq!((ended.passed().answers, ended.passed().molecules), (9, 3));
}

#[test]
fn what_an_answer_has_beside_its_prediction_is_not_judged() {
    let bundle = Bundle::default();
    let ensemble = changing(|asked, answer| {
        let answer = if asked.alone { answer } else { &mut answer["predictions"][0] };
        answer["std"] = json!(4.2);
        answer["members"] = json!([370.0, 371.2, 378.1]);
        answer["domain"] = json!({"unseenEnvironments": 3, "inside": false});
    });
    let fleet = Fleet::of(bundle.path(), ensemble);
    assert_eq!(Verify::of(bundle.path(), &fleet).run().passed().answers, 9);
}

#[test]
fn the_users_molecules_are_asked_too() {
    let with = |molecules: &[Value]| {
        let mut file = golden();
        file["molecules"] = json!(molecules);
        file
    };
    let all = golden();
    let (of_bundle, of_user) = all["molecules"].as_array().unwrap().split_at(1);
    let mut bundle = Bundle::default();
    bundle.golden = with(of_bundle);
    let bundle = bundle.written();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), with(of_user).to_string()).unwrap();
    let fleet = Fleet::of(bundle.path(), honest());
    let ended = Verify::of(bundle.path(), &fleet).args(&["--golden", file.path().to_str().unwrap()]).run();
    assert_eq!((ended.passed().molecules, ended.passed().answers), (3, 9));
}

#[test]
fn a_tolerance_of_the_user_takes_the_place_of_the_bundles() {
    let bundle = Bundle::default();
    let off_by_one = || {
        changing(|asked, answer| {
            if asked.alone {
                answer["prediction"] = json!(answer["prediction"].as_f64().unwrap() + 1.0);
            }
        })
    };
    for (args, passes) in [
        (&[][..], false),
        (&["--abs-tolerance", "0.9"], false),
        (&["--abs-tolerance", "1.1"], true),
        (&["--rel-tolerance", "0.001"], false),
        (&["--rel-tolerance", "0.01"], true),
    ] {
        let fleet = Fleet::of(bundle.path(), off_by_one());
        assert_eq!(Verify::of(bundle.path(), &fleet).args(args).run().code == 0, passes, "{args:?}");
    }
}
