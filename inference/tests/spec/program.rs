//! The program as Kubernetes sees it: ports, signals, exit codes, the termination message.

use std::fs;
use std::io::Write;
use std::process::Command;

use chemmodel_bundle::BundleDigest;

use crate::support::bundle::{Copy, committed};
use crate::support::program::{Program, command, connect, post, read_all};

#[test]
fn it_serves_until_sigterm_keeps_serving_while_it_drains_and_exits_with_success() {
    let program = Program::start(&committed(), &["--drain-seconds", "2", "--revision", "7f9c"]);
    program.wait_for_log("ready");
    assert!(program.ops("/readyz").starts_with("HTTP/1.1 200"));
    assert!(program.ops("/livez").starts_with("HTTP/1.1 200"));
    assert!(program.ops("/metrics").contains("chemmodel_server_info{"));
    let answer = program.predict(r#"{"smiles":"CCO"}"#);
    let digest = BundleDigest::of(&fs::read(committed().join("chemmodel.json")).unwrap());
    for word in ["\"prediction\":", "\"version\":\"v1\"", "\"revision\":\"7f9c\"", &format!("\"digest\":\"{digest}\"")]
    {
        assert!(answer.contains(word), "{word} is not in {answer}");
    }

    let mut idle = connect(program.predictions);
    program.signal("TERM");
    program.wait_for_log("draining: still serving");
    assert!(program.ops("/readyz").starts_with("HTTP/1.1 503"));
    let answer = program.predict(r#"{"smiles":"CCO"}"#);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    idle.write_all(post(r#"{"smiles":"CCO"}"#, "keep-alive").as_bytes()).unwrap();
    assert!(read_all(&mut idle).starts_with("HTTP/1.1 200"));
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let program = Program::start(&committed(), &["--drain-seconds", "600"]);
    program.wait_for_log("ready");
    program.signal("TERM");
    program.wait_for_log("draining: still serving");
    program.signal("INT");
    assert_eq!(program.wait().code(), Some(130));
}

#[test]
fn while_it_loads_it_is_live_and_says_what_it_waits_for() {
    // A manifest that nobody writes keeps it loading for as long as the test needs.
    let bundle = tempfile::tempdir().unwrap();
    let manifest = bundle.path().join("chemmodel.json");
    assert!(Command::new("mkfifo").arg(&manifest).status().unwrap().success());
    let program = Program::start(bundle.path(), &["--drain-seconds", "0"]);
    assert!(program.ops("/livez").starts_with("HTTP/1.1 200"));
    let ready = program.ops("/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("loading"), "{ready}");
    let answer = program.predict(r#"{"smiles":"CCO"}"#);
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    program.signal("TERM");
    program.wait_for_log("told to stop: not ready any more");
    fs::write(manifest, "{}").unwrap();
    assert_eq!(program.wait().code(), Some(0), "it was told to go before it had anything to lose");
}

#[test]
fn a_bundle_that_cannot_be_served_ends_it_with_the_reason_in_the_termination_message() {
    let bundle = Copy::new();
    bundle.edit("model.onnx", |bytes| bytes[5000] ^= 1);
    let message = tempfile::NamedTempFile::new().unwrap();
    let output = command(bundle.path(), &["--termination-log", message.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let reason = fs::read_to_string(message.path()).unwrap();
    assert!(reason.contains("model.onnx") && reason.contains("SHA-256"), "{reason}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("model.onnx"));
}

#[test]
fn a_port_that_is_taken_ends_it_with_the_flag_to_change() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command(&committed(), &["--http-address", &address]).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(log.contains(&address) && log.contains("--http-address"), "{log}");
}
