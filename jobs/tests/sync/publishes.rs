//! What a good bundle becomes.

use std::fs;

use chemmodel_bundle::report::SyncReason;

use crate::bundle::{Bundle, files_below, read_manifest};
use crate::gateway::Gateway;
use crate::job::Job;
use crate::proxy::Proxy;

#[test]
fn a_bundle_is_published_whole_and_the_report_says_what_it_is() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(3_000_000));
    gateway.upload("bp/v1", &bundle);
    let ended = Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run();
    let synced = ended.succeeded();
    assert_eq!((synced.digest, synced.name.as_str()), (bundle.digest(), "boiling-point"));
    assert_eq!((synced.files, synced.bytes, synced.reused), (5, bundle.bytes(), false));
    bundle.assert_published(target.path());
}

#[test]
fn only_the_bundles_own_files_are_taken() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::small());
    gateway.upload("bp/v1", &bundle);
    gateway.put("bp/v1/README.md", b"a model card");
    gateway.upload("bp/v10", &Bundle::with_weights(10));
    gateway.put("bp/v1-old/model.onnx", b"another bundle");
    Job::sync(&gateway.endpoint(), "bp/v1/", target.path()).run().succeeded();
    bundle.assert_published(target.path());
}

#[test]
fn a_file_larger_than_one_range_is_put_together_in_order() {
    let (gateway, target, bundle) =
        (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(40 * 1024 * 1024 + 7));
    gateway.upload("bp/v1", &bundle);
    Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run().succeeded();
    bundle.assert_published(target.path());
}

#[test]
fn a_second_sync_fetches_nothing_but_the_manifest() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(1_000_000));
    gateway.upload("bp/v1", &bundle);
    Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run().succeeded();
    let proxy = Proxy::before(gateway.port());
    let again = Job::sync(&proxy.endpoint(), "bp/v1", target.path()).run();
    assert!(again.succeeded().reused);
    assert!(proxy.passed() < 10_000, "{} bytes were fetched", proxy.passed());
    bundle.assert_published(target.path());
}

#[test]
fn a_pinned_bundle_that_is_there_needs_no_storage() {
    let (target, bundle) = (tempfile::tempdir().unwrap(), Bundle::small());
    let pin = bundle.digest().to_string();
    {
        let gateway = Gateway::start();
        gateway.upload("bp/v1", &bundle);
        assert!(
            !Job::sync(&gateway.endpoint(), "bp/v1", target.path()).args(&["--digest", &pin]).run().succeeded().reused
        );
    }
    let ended = Job::sync("http://127.0.0.1:1", "bp/v1", target.path()).args(&["--digest", &pin]).run();
    assert!(ended.succeeded().reused);
    bundle.assert_published(target.path());
}

#[test]
fn a_damaged_bundle_is_replaced_and_its_sound_files_are_kept() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(1_000_000));
    gateway.upload("bp/v1", &bundle);
    Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run().succeeded();
    let directory = bundle.directory(target.path());
    let damages: [(&str, &dyn Fn()); 5] = [
        ("a flipped bit", &|| replace(&directory.join("golden.json"), &flipped(&bundle.files["golden.json"]))),
        ("a file cut short", &|| replace(&directory.join("golden.json"), b"short")),
        ("a file grown", &|| replace(&directory.join("golden.json"), &[7; 5000])),
        ("a missing file", &|| fs::remove_file(directory.join("golden.json")).unwrap()),
        ("another manifest", &|| replace(&directory.join("chemmodel.json"), b"{}")),
    ];
    for (damage, inflict) in damages {
        inflict();
        let proxy = Proxy::before(gateway.port());
        let ended = Job::sync(&proxy.endpoint(), "bp/v1", target.path())
            .args(&["--digest", &bundle.digest().to_string()])
            .run();
        assert!(!ended.succeeded().reused, "{damage} was not seen");
        assert!(proxy.passed() < 20_000, "{damage}: {} bytes were fetched", proxy.passed());
        bundle.assert_published(target.path());
    }
}

#[test]
fn versions_live_side_by_side() {
    let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
    let (old, new) = (Bundle::with_weights(1000), Bundle::with_weights(2000));
    gateway.upload("bp/v1", &old);
    gateway.upload("bp/v2", &new);
    for prefix in ["bp/v1", "bp/v2"] {
        Job::sync(&gateway.endpoint(), prefix, target.path()).run().succeeded();
    }
    assert!(old.is_published(target.path()) && new.is_published(target.path()));
}

#[test]
fn a_plain_export_gets_the_same_manifest_wherever_it_lies() {
    let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
    let config = br#"{"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1, "hidden_size": 384}"#;
    for prefix in ["bp/export", "elsewhere"] {
        gateway.put(&format!("{prefix}/config.json"), config);
        gateway.put(&format!("{prefix}/tokenizer.json"), b"{}");
        gateway.put(&format!("{prefix}/model.onnx"), b"weights");
        gateway.put(&format!("{prefix}/special_tokens_map.json"), b"{}");
    }
    let first = Job::sync(&gateway.endpoint(), "bp/export", target.path()).run().succeeded().clone();
    assert_eq!((first.files, first.reused), (4, false));
    let manifest = read_manifest(target.path(), first.digest);
    assert_eq!(
        (manifest.max_length, manifest.outputs[0].name.as_str(), manifest.architecture.as_str()),
        (512, "prediction", "roberta")
    );
    assert_eq!(files_below(&target.path().join(".staging")), [""; 0]);

    let second = Job::sync(&gateway.endpoint(), "elsewhere", target.path()).run().succeeded().clone();
    assert_eq!((second.digest, second.reused), (first.digest, true));

    let other = tempfile::tempdir().unwrap();
    let pin = ["--digest", "sha256:0000000000000000000000000000000000000000000000000000000000000000"];
    let ended = Job::sync(&gateway.endpoint(), "bp/export", other.path()).args(&pin).run();
    ended.assert_failed(SyncReason::IntegrityMismatch, &[&first.digest.to_string()]);
}

#[test]
fn whoever_comes_second_of_eight_finds_the_work_done() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(2_000_000));
    gateway.upload("bp/v1", &bundle);
    let jobs: Vec<_> = (0..8).map(|_| Job::sync(&gateway.endpoint(), "bp/v1", target.path()).start()).collect();
    let mut watched = true;
    let ended: Vec<_> = jobs
        .into_iter()
        .map(|mut job| {
            while !job.has_ended() {
                watched &=
                    bundle.is_published(target.path()) || !bundle.directory(target.path()).join("model.onnx").exists();
            }
            job.wait()
        })
        .collect();
    let fetched = ended.iter().filter(|ended| !ended.succeeded().reused).count();
    assert_eq!(fetched, 1, "{fetched} of 8 published");
    bundle.assert_published(target.path());
}

fn flipped(content: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    content[10] ^= 1;
    content
}

/// Published files are read-only; damage comes all the same.
fn replace(path: &std::path::Path, content: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}
