//! Full volumes, on a real file system of one or two megabytes.
//!
//! It is mounted in a namespace of the job's own (`unshare`), which needs no privileges, and which takes the mount with
//! it when the job ends. The test reaches into it through `/proc/<pid>/root`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chemmodel_bundle::report::SyncReason;

use crate::bundle::Bundle;
use crate::gateway::Gateway;
use crate::job::{Job, wait_for};
use crate::proxy::Proxy;

/// The run itself, as a script of the shell has it.
pub const RUN: &str = "\"$@\"";

/// A run on a volume of so many megabytes, inside of a script.
pub fn on_small_volume(megabytes: u32, script: &str, endpoint: &str, target: &Path) -> Job {
    let script = format!("mount -t tmpfs -o size={megabytes}m tmpfs '{}' && {script}", target.display());
    let mut outer = Command::new("unshare");
    outer.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"]);
    Job::below(outer, endpoint, "bp/v1", target)
}

#[test]
fn a_bundle_that_cannot_fit_is_refused_before_any_download() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(1_000_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    let ended = on_small_volume(1, RUN, &proxy.endpoint(), target.path()).run();
    ended.assert_failed(SyncReason::NoSpace, &["bytes free", "storage.size"]);
    assert!(proxy.passed() < 10_000, "{} bytes were fetched", proxy.passed());
}

#[test]
fn a_volume_that_fills_up_in_the_middle_leaves_nothing_visible() {
    let (gateway, target, bundle) = (Gateway::start(), tempfile::tempdir().unwrap(), Bundle::with_weights(1_500_000));
    gateway.upload("bp/v1", &bundle);
    let proxy = Proxy::before(gateway.port());
    proxy.allow(bundle.bytes() / 2);
    let job = on_small_volume(2, RUN, &proxy.endpoint(), target.path()).stall_seconds(60).start();
    proxy.wait_until_used_up();
    let inside = PathBuf::from(format!("/proc/{}/root", job.id())).join(target.path().strip_prefix("/").unwrap());
    wait_for("staged bytes", || inside.join(".staging").join(bundle.digest().hex()).join("model.onnx").exists());
    fill(&inside.join("filler"));
    // Keeps the mount reachable after the job has ended.
    let models = fs::File::open(inside.join("models")).unwrap();
    proxy.allow_all();
    job.wait().assert_failed(SyncReason::NoSpace, &["No space left on device", "storage.size"]);
    let kept = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&models)));
    assert_eq!(fs::read_dir(kept).unwrap().count(), 0, "something is published on the full volume");
}

/// Writes ever smaller files until not one byte fits.
fn fill(path: &Path) {
    let mut size = 4 * 1024 * 1024;
    while size > 0 {
        if fs::write(path.with_extension(size.to_string()), vec![1; size]).is_err() {
            size /= 2;
        }
    }
}
