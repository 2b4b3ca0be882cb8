//! Storage that stalls, breaks off, slows down, changes or is not there.

use std::sync::atomic::{AtomicU32, Ordering};

use chemmodel_bundle::report::SyncReason;

use crate::bundle::{Bundle, assert_nothing_published};
use crate::fake::{self, Fake, Response};
use crate::gateway::Gateway;
use crate::job::{Job, wait_for};
use crate::proxy::Proxy;

#[test]
fn an_unreachable_endpoint_is_worth_another_try_later() {
    let target = tempfile::tempdir().unwrap();
    let ended = Job::sync("http://127.0.0.1:1", "bp/v1", target.path()).run();
    ended.assert_failed(SyncReason::Unavailable, &["http://127.0.0.1:1", "refused", "model.s3.endpoint"]);
    assert_eq!(ended.code, 10);
    let ended = Job::sync("http://s3.invalid:9000", "bp/v1", target.path()).run();
    ended.assert_failed(SyncReason::Unavailable, &["s3.invalid"]);
}

#[test]
fn an_object_replaced_in_the_middle_is_not_mixed_with_its_successor() {
    let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
    // Larger than one range, so that a later request meets the new object.
    let (old, new) = (Bundle::with_weights(20 * 1024 * 1024), Bundle::with_weights(20 * 1024 * 1024 + 1));
    gateway.upload("bp/v1", &old);
    let proxy = Proxy::before(gateway.port());
    proxy.allow(old.bytes() / 4);
    let job = Job::sync(&proxy.endpoint(), "bp/v1", target.path()).stall_seconds(60).start();
    proxy.wait_until_used_up();
    gateway.upload("bp/v1", &new);
    proxy.allow_all();
    let ended = job.wait();
    ended.assert_failed(SyncReason::ChangedDuringSync, &["model.onnx", "replaced"]);
    assert_eq!(ended.code, 10);
    assert_nothing_published(target.path());

    Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run().succeeded();
    new.assert_published(target.path());
}

#[test]
fn a_removed_object_counts_as_changed() {
    let (gateway, target, bundle) =
        (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(20 * 1024 * 1024));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    proxy.allow(bundle.bytes() / 4);
    let job = Job::sync(&proxy.endpoint(), "bp/v1", target.path()).stall_seconds(60).start();
    proxy.wait_until_used_up();
    gateway.delete("bp/v1/model.onnx");
    proxy.allow_all();
    job.wait().assert_failed(SyncReason::ChangedDuringSync, &["model.onnx", "removed"]);
}

#[test]
fn broken_connections_are_made_anew_where_they_broke() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(4_000_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    let job = Job::sync(&proxy.endpoint(), "bp/v1", target.path()).stall_seconds(60).retry_seconds(30).start();
    for _ in 0..5 {
        proxy.allow(bundle.bytes() / 8);
        proxy.wait_until_used_up();
        proxy.cut();
    }
    proxy.allow_all();
    job.wait().succeeded();
    bundle.assert_published(target.path());
}

#[test]
fn a_connection_that_brought_something_is_worth_a_new_one_even_without_retries() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(4_000_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    let staging = target.path().join(".staging").join(bundle.digest().hex());
    // Only the large file is left to fetch, so that no other one can break without having brought anything.
    for (path, content) in bundle.files.iter().filter(|(path, _)| *path != "model.onnx") {
        std::fs::create_dir_all(staging.join("members")).unwrap();
        std::fs::write(staging.join(path), content).unwrap();
    }
    proxy.allow(bundle.bytes() / 2);
    let job = Job::sync(&proxy.endpoint(), "bp/v1", target.path()).stall_seconds(60).retry_seconds(0).start();
    proxy.wait_until_used_up();
    wait_for("bytes on the disk", || staging.join("model.onnx").metadata().is_ok_and(|file| file.len() > 0));
    proxy.cut();
    proxy.allow_all();
    job.wait().succeeded();
    bundle.assert_published(target.path());
}

#[test]
fn a_server_that_falls_silent_does_not_hang_the_job() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(4_000_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    proxy.allow(bundle.bytes() / 2);
    let ended = Job::sync(&proxy.endpoint(), "bp/v1", target.path()).stall_seconds(1).run();
    ended.assert_failed(SyncReason::Unavailable, &["failed"]);
    assert_nothing_published(target.path());
    proxy.allow_all();
    Job::sync(&proxy.endpoint(), "bp/v1", target.path()).run().succeeded();
    bundle.assert_published(target.path());
}

#[test]
fn a_slow_server_is_waited_for_as_long_as_bytes_come() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(1_000_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    proxy.allow(0);
    let mut job = Job::sync(&proxy.endpoint(), "bp/v1", target.path()).retry_seconds(0).start();
    // Far slower than the retries would allow if they were counted from the beginning.
    while !job.has_ended() {
        proxy.allow(30_000);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    job.wait().succeeded();
    bundle.assert_published(target.path());
}

#[test]
fn a_storage_that_slows_down_is_asked_again() {
    let (bundle, target) = (Bundle::small(), tempfile::tempdir().unwrap());
    let (served, refusals) = (bundle.clone(), AtomicU32::new(0));
    let fake = Fake::start(move |request| {
        // Every second answer is "slow down".
        if refusals.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return Response::error(503, "SlowDown");
        }
        fake::serve(&served, "bp/v1", request)
    });
    Job::sync(&fake.endpoint(), "bp/v1", target.path()).retry_seconds(30).run().succeeded();
    bundle.assert_published(target.path());
}
