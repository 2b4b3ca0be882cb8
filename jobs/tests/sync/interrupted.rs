//! Ends at the worst moment: no incomplete bundle is ever visible, and the next run ends right.

use std::path::Path;

use chemmodel_bundle::report::SyncReason;

use crate::bundle::{Bundle, assert_nothing_published, files_below};
use crate::gateway::Gateway;
use crate::job::{Job, wait_for};
use crate::proxy::Proxy;

/// Kills a run after each of `kills` evenly spaced numbers of answer bytes, then lets the next run finish.
fn kill_and_resume(kills: u64) {
    let (gateway, bundle) = (Gateway::start(), Bundle::with_weights(300_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    let sync = |target: &Path| Job::sync(&proxy.endpoint(), "bp/v1", target);
    sync(tempfile::tempdir().unwrap().path()).run().succeeded();
    let total = proxy.passed();
    for kill in 1..=kills {
        let target = tempfile::tempdir().unwrap();
        // The last one is the last byte of all: hashing, flushing and renaming may have begun.
        proxy.allow(total * kill / kills);
        let job = sync(target.path()).start();
        proxy.wait_until_used_up();
        job.kill();
        bundle.is_published(target.path());
        proxy.cut();
        proxy.allow_all();
        sync(target.path()).run().succeeded();
        bundle.assert_published(target.path());
    }
}

#[test]
fn a_run_killed_at_any_byte_leaves_nothing_half_done() {
    kill_and_resume(32);
}

#[test]
#[ignore = "a soak of a minute; the 32 kills above take its place in every build"]
fn a_run_killed_at_any_of_200_bytes_leaves_nothing_half_done() {
    kill_and_resume(200);
}

/// Starts a run and stops it once some of the large file is on the disk; says how much.
fn stop_half_way(proxy: &Proxy, bundle: &Bundle, target: &Path, stop: impl FnOnce(crate::job::Running)) -> u64 {
    proxy.allow(bundle.bytes() / 2);
    let job = Job::sync(&proxy.endpoint(), "bp/v1", target).stall_seconds(60).start();
    proxy.wait_until_used_up();
    let staged = target.join(".staging").join(bundle.digest().hex()).join("model.onnx");
    let length = || staged.metadata().map_or(0, |file| file.len());
    wait_for("bytes on the disk", || length() > 1_000_000);
    stop(job);
    assert_nothing_published(target);
    proxy.cut();
    proxy.allow_all();
    length()
}

#[test]
fn the_next_run_fetches_only_what_is_missing() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(8_000_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    let staged = stop_half_way(&proxy, &bundle, target.path(), crate::job::Running::kill);
    let before = proxy.passed();
    Job::sync(&proxy.endpoint(), "bp/v1", target.path()).run().succeeded();
    let fetched = proxy.passed() - before;
    assert!(fetched < bundle.bytes() - staged + 20_000, "{fetched} bytes fetched although {staged} were staged");
    bundle.assert_published(target.path());
}

#[test]
fn a_run_told_to_stop_says_so_and_can_be_resumed() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(8_000_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    stop_half_way(&proxy, &bundle, target.path(), |job| {
        job.terminate();
        let ended = job.wait();
        ended.assert_failed(SyncReason::Unavailable, &["SIGTERM", "resumes"]);
        assert_eq!(ended.code, 10);
    });
    let before = proxy.passed();
    Job::sync(&proxy.endpoint(), "bp/v1", target.path()).run().succeeded();
    assert!(proxy.passed() - before < bundle.bytes() - 1_000_000);
    bundle.assert_published(target.path());
}

#[test]
fn a_spoiled_beginning_is_thrown_away_and_fetched_again() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(2_000_000));
    gateway.upload("bp/v1", &bundle);
    let staging = target.path().join(".staging").join(bundle.digest().hex());
    std::fs::create_dir_all(&staging).unwrap();
    // What a crash of the node may leave: the right length, and zeros.
    std::fs::write(staging.join("model.onnx"), vec![0; 700_000]).unwrap();
    std::fs::write(staging.join("golden.json"), vec![0; bundle.files["golden.json"].len()]).unwrap();
    std::fs::write(staging.join("stranger"), "not of this bundle").unwrap();
    Job::sync(&gateway.endpoint(), "bp/v1", target.path()).run().succeeded();
    bundle.assert_published(target.path());
}

#[test]
fn what_dead_runs_of_other_bundles_left_is_removed_and_live_ones_are_not_touched() {
    let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
    let (dead, live, next) = (Bundle::with_weights(3_000_000), Bundle::with_weights(4_000_000), Bundle::small());
    let staged = |bundle: &Bundle| target.path().join(".staging").join(bundle.digest().hex());
    gateway.upload("bp/v1", &dead);
    let proxy = Proxy::before(gateway.port());
    stop_half_way(&proxy, &dead, target.path(), crate::job::Running::kill);
    assert!(staged(&dead).exists());

    gateway.upload("bp/v1", &live);
    proxy.allow(live.bytes() / 2);
    let running = Job::sync(&proxy.endpoint(), "bp/v1", target.path()).stall_seconds(60).start();
    proxy.wait_until_used_up();
    gateway.upload("bp/v2", &next);
    Job::sync(&gateway.endpoint(), "bp/v2", target.path()).run().succeeded();
    assert!(!staged(&dead).exists(), "the dead run's files are still there");
    assert!(staged(&live).exists(), "the live run's files were removed");

    proxy.allow_all();
    running.wait().succeeded();
    assert!(live.is_published(target.path()) && next.is_published(target.path()));
    assert_eq!(files_below(&target.path().join(".staging")), [""; 0]);
}
