//! What a bad bundle, a bad place or a bad command line is answered with.

use chemmodel_bundle::MAX_TERMINATION_MESSAGE_BYTES;
use chemmodel_bundle::report::SyncReason;

use crate::bundle::{Bundle, assert_nothing_published};
use crate::fake::{self, Fake, Response};
use crate::gateway::Gateway;
use crate::job::Job;

#[test]
fn what_is_missing_is_named_with_what_looks_like_it() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::small());
    gateway.upload("bp/v1", &bundle);
    let run = |prefix: &str| Job::sync(&gateway.endpoint(), prefix, target.path()).run();
    run("bp/v2").assert_failed(SyncReason::NotFound, &["s3://models/bp/v2", "\"bp/v1/\""]);
    run("bp").assert_failed(SyncReason::NotFound, &["chemmodel.json", "v1/"]);
    run("bp/v1/model.onnx").assert_failed(SyncReason::NotFound, &["bp/v1/model.onnx"]);

    gateway.delete("bp/v1/members/second.onnx");
    run("bp/v1").assert_failed(SyncReason::NotFound, &["chemmodel.json lists \"members/second.onnx\"", "upload"]);
    assert_nothing_published(target.path());
}

#[test]
fn a_missing_bucket_is_named() {
    let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
    let ended = Job::sync(&gateway.endpoint(), "s3://absent/bp/v1", target.path()).run();
    ended.assert_failed(SyncReason::NotFound, &["create the bucket \"absent\"", "model.uri"]);
}

#[test]
fn wrong_credentials_are_refused_by_their_source_and_never_by_their_value() {
    let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
    gateway.upload("bp/v1", &Bundle::small());
    for (name, value) in [("AWS_SECRET_ACCESS_KEY", "wrong-secret-value"), ("AWS_ACCESS_KEY_ID", "wrong-access-key")] {
        let ended = Job::sync(&gateway.endpoint(), "bp/v1", target.path()).env(name, value).run();
        ended.assert_failed(SyncReason::AccessDenied, &["AWS_ACCESS_KEY_ID", "correct"]);
        assert!(!format!("{ended:?}").contains(value), "{value} was printed");
    }
    let ended =
        Job::sync(&gateway.endpoint(), "bp/v1", target.path()).without_keys().env("AWS_SKIP_SIGNATURE", "true").run();
    ended.assert_failed(SyncReason::AccessDenied, &["no credentials"]);
}

#[test]
fn a_flipped_bit_is_found_in_every_file() {
    let (gateway, bundle) = (Gateway::start(), Bundle::small());
    gateway.upload("bp/v1", &bundle);
    for (path, content) in bundle.files.iter().filter(|(path, _)| *path != "chemmodel.json") {
        for at in [0, content.len() / 2, content.len() - 1] {
            let target = tempfile::tempdir().unwrap();
            let mut flipped = content.clone();
            flipped[at] ^= 0x10;
            gateway.put(&format!("bp/v1/{path}"), &flipped);
            let ended = Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run();
            ended.assert_failed(SyncReason::IntegrityMismatch, &[path, "upload the file again"]);
            assert_nothing_published(target.path());

            gateway.put(&format!("bp/v1/{path}"), content);
            Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run().succeeded();
            bundle.assert_published(target.path());
        }
    }
}

#[test]
fn a_file_of_another_size_is_refused_before_any_download() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::small());
    gateway.upload("bp/v1", &bundle);
    gateway.put("bp/v1/tokenizer.json", b"{ }");
    let ended = Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run();
    ended.assert_failed(SyncReason::IntegrityMismatch, &["tokenizer.json", "has 3 bytes, but chemmodel.json says 2"]);
    assert!(!target.path().join(".staging").join(bundle.digest().hex()).exists());
}

#[test]
fn another_bundle_than_the_pinned_one_is_refused() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::small());
    gateway.upload("bp/v1", &bundle);
    let (pin, found) = (Bundle::with_weights(1).digest().to_string(), bundle.digest().to_string());
    let ended = Job::sync(&gateway.endpoint(), "bp/v1", target.path()).args(&["--digest", &pin]).run();
    ended.assert_failed(SyncReason::IntegrityMismatch, &[&pin, &found]);
    assert_nothing_published(target.path());
}

#[test]
fn a_manifest_that_breaks_the_contract_is_refused_with_the_field() {
    let gateway = Gateway::start();
    let cases = [
        ("no JSON", "weights".to_owned(), "line 1 column 1"),
        (
            "a path out of the bundle",
            manifest().replace("golden.json", "../golden.json"),
            "\"../golden.json\" is not a safe relative path",
        ),
        (
            "an absolute path",
            manifest().replace("golden.json", "/etc/passwd"),
            "\"/etc/passwd\" is not a safe relative path",
        ),
        ("a field of tomorrow", manifest().replace("\"kind\"", "\"colour\":1,\"kind\""), "unknown field `colour`"),
        (
            "no members",
            manifest().replace("[\"model.onnx\",\"members/second.onnx\"]", "[]"),
            "members: the list is empty",
        ),
    ];
    for (name, text, words) in cases {
        let target = tempfile::tempdir().unwrap();
        gateway.upload("bp/v1", &Bundle::small());
        gateway.put("bp/v1/chemmodel.json", text.as_bytes());
        let ended = Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run();
        assert_eq!(ended.failed().reason, SyncReason::InvalidBundle, "{name}");
        ended.assert_failed(SyncReason::InvalidBundle, &[words, "s3://models/bp/v1"]);
        assert_nothing_published(target.path());
    }
}

#[test]
fn an_export_in_pieces_or_without_lengths_is_refused() {
    let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
    for (path, content) in
        [("config.json", "{\"model_type\": \"roberta\"}"), ("tokenizer.json", "{}"), ("model.onnx", "w")]
    {
        gateway.put(&format!("plain/{path}"), content.as_bytes());
    }
    let run = || Job::sync(&gateway.endpoint(), "plain", target.path()).run();
    run().assert_failed(SyncReason::InvalidBundle, &["config.json", "max_position_embeddings"]);
    gateway.put("plain/model.onnx_data", b"more weights");
    run().assert_failed(SyncReason::InvalidBundle, &["model.onnx_data", "one model.onnx"]);
    assert_nothing_published(target.path());
}

#[test]
fn more_bytes_than_allowed_are_refused() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::small());
    gateway.upload("bp/v1", &bundle);
    let ended = Job::sync(&gateway.endpoint(), "bp/v1", target.path()).args(&["--max-bytes", "1000"]).run();
    ended.assert_failed(SyncReason::NoSpace, &["at most 1000 are allowed"]);
}

#[test]
fn a_prefix_of_more_than_a_thousand_objects_is_no_bundle() {
    let keys: Vec<_> = (0..1001).map(|i| format!("bp/v1/{i}")).collect();
    let fake = Fake::start(move |_| Response::listing(keys.iter().map(|key| (key.as_bytes(), 1))));
    let target = tempfile::tempdir().unwrap();
    Job::sync(&fake.endpoint(), "bp/v1", target.path())
        .run()
        .assert_failed(SyncReason::InvalidBundle, &["more than 1000 objects"]);
}

#[test]
fn an_endpoint_that_is_not_s3_or_another_region_is_a_wrong_configuration() {
    let target = tempfile::tempdir().unwrap();
    let web = Fake::start(|_| Response::new(200, "<!DOCTYPE html><html><body><p>Welcome!</body></html>"));
    let elsewhere = Fake::start(|_| Response::error(301, "PermanentRedirect").with("x-amz-bucket-region", "eu-west-1"));
    Job::sync(&web.endpoint(), "bp/v1", target.path())
        .run()
        .assert_failed(SyncReason::InvalidConfiguration, &["not an S3 endpoint"]);
    let ended = Job::sync(&elsewhere.endpoint(), "bp/v1", target.path()).run();
    ended.assert_failed(SyncReason::InvalidConfiguration, &["the bucket is in eu-west-1", "model.s3.region"]);
}

#[test]
fn a_target_that_is_no_volume_is_a_wrong_configuration() {
    let target = tempfile::tempdir().unwrap();
    let ended = Job::sync("http://127.0.0.1:1", "bp/v1", &target.path().join("absent")).run();
    ended.assert_failed(SyncReason::InvalidConfiguration, &["absent", "mount the volume"]);
}

#[test]
fn arguments_that_cannot_be_understood_are_a_wrong_configuration() {
    let run =
        |args: &[&str]| std::process::Command::new(env!("CARGO_BIN_EXE_chemmodel-job")).args(args).output().unwrap();
    let complete = ["sync", "--uri", "s3://b/p", "--target", "/tmp"];
    for wrong in [
        &["sync"][..],
        &[&complete[..], &["--digest", "sha256:12"]].concat(),
        &[&complete[..], &["--endpoint", "minio"]].concat(),
    ] {
        let output = run(wrong);
        assert_eq!(output.status.code(), Some(26), "{wrong:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("error:"));
    }
    assert_eq!(run(&["--help"]).status.code(), Some(0));
}

#[test]
fn a_long_message_still_fits_the_termination_log() {
    let key = format!("bp/v1/{}", "ä".repeat(3000));
    let fake = Fake::start(move |_| Response::listing([(key.as_bytes(), 1)]));
    let target = tempfile::tempdir().unwrap();
    let ended = Job::sync(&fake.endpoint(), "bp/v1", target.path()).run();
    ended.assert_failed(SyncReason::UnsafeKey, &["ää"]);
    assert!(ended.report.to_termination_message().unwrap().len() <= MAX_TERMINATION_MESSAGE_BYTES);
}

type Tamper = fn(&mut Response);

#[test]
fn an_answer_with_other_bytes_than_asked_for_never_becomes_a_file() {
    let bundle = Bundle::small();
    let tampers: [(&str, Tamper); 3] = [
        ("more bytes", |answer| answer.body.extend([0; 100])),
        ("another entity tag", |answer| answer.headers[0].1 = "\"2\"".to_owned()),
        ("another range", |answer| {
            answer.headers[2].1 = format!("bytes 1-{}/{}", answer.body.len(), answer.body.len() + 1);
        }),
    ];
    for (name, tamper) in tampers {
        let (served, target) = (bundle.clone(), tempfile::tempdir().unwrap());
        let fake = Fake::start(move |request| {
            let mut answer = fake::serve(&served, "bp/v1", request);
            if request.target.ends_with("model.onnx") {
                tamper(&mut answer);
            }
            answer
        });
        let ended = Job::sync(&fake.endpoint(), "bp/v1", target.path()).run();
        assert!(ended.failed().retryable, "{name}: {}", ended.failed().message);
        assert_nothing_published(target.path());
    }
}

fn manifest() -> String {
    String::from_utf8(Bundle::small().files["chemmodel.json"].clone()).unwrap()
}
