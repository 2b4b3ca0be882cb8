//! What is taken off the volume with `--collect`, and what never is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use chemmodel_bundle::report::SyncReason;
use chemmodel_bundle::{BundleDigest, Sha256Hex};

use crate::bundle::{Bundle, files_below};
use crate::gateway::Gateway;
use crate::job::{Ended, Job};
use crate::space::{RUN, on_small_volume};

/// Three bundles, the last of which is uploaded as v3 and not on the volume yet.
struct Volume {
    gateway: Gateway,
    target: tempfile::TempDir,
    old: Bundle,
    kept: Bundle,
    next: Bundle,
}

impl Volume {
    fn with_two_bundles() -> Self {
        let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
        let [old, kept, next] = [1000, 2000, 3000].map(Bundle::with_weights);
        for (prefix, bundle) in [("bp/v1", &old), ("bp/v2", &kept), ("bp/v3", &next)] {
            gateway.upload(prefix, bundle);
        }
        for prefix in ["bp/v1", "bp/v2"] {
            Job::sync(&gateway.endpoint(), prefix, target.path()).run().succeeded();
        }
        Self { gateway, target, old, kept, next }
    }

    fn path(&self) -> &Path {
        self.target.path()
    }

    fn sync(&self, args: &[&str]) -> Ended {
        Job::sync(&self.gateway.endpoint(), "bp/v3", self.path()).args(args).run()
    }

    /// Which of the three are there, whole.
    fn published(&self) -> [bool; 3] {
        [&self.old, &self.kept, &self.next].map(|bundle| bundle.is_published(self.path()))
    }

    fn assert_nothing_staged(&self) {
        assert_eq!(files_below(&self.path().join(".staging")), [""; 0], "something is left in .staging");
        let left = fs::read_dir(self.path().join(".staging")).unwrap().count();
        assert_eq!(left, 0, "something is left in .staging");
    }
}

#[test]
fn nothing_is_removed_unless_asked_for() {
    let volume = Volume::with_two_bundles();
    volume.sync(&[]).succeeded();
    assert_eq!(volume.published(), [true, true, true]);
}

#[test]
fn bundles_that_are_not_kept_are_removed_and_no_others() {
    let volume = Volume::with_two_bundles();
    let absent = BundleDigest::of(b"never synced").to_string();
    volume.sync(&["--collect", "--keep", &volume.kept.digest().to_string(), "--keep", &absent]).succeeded();
    assert_eq!(volume.published(), [false, true, true]);
    volume.assert_nothing_staged();
    // A run that finds its bundle there collects, too: with its digest known before and after the listing.
    volume.sync(&["--collect", "--digest", &volume.next.digest().to_string()]).succeeded();
    assert_eq!(volume.published(), [false, false, true]);
    Job::sync(&volume.gateway.endpoint(), "bp/v1", volume.path()).run().succeeded();
    volume.sync(&["--collect"]).succeeded();
    assert_eq!(volume.published(), [false, false, true]);
    volume.assert_nothing_staged();
}

#[test]
fn what_is_no_bundle_is_never_touched() {
    let volume = Volume::with_two_bundles();
    let models = volume.path().join("models");
    let hex = |name: &str| Sha256Hex::of(name.as_bytes()).to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("precious"), "data").unwrap();
    symlink(elsewhere.path(), models.join(hex("link"))).unwrap();
    fs::write(models.join(hex("file")), "a file").unwrap();
    for name in
        ["lost+found".to_owned(), hex("upper").to_uppercase(), hex("longer") + "0", hex("shorter")[1..].to_owned()]
    {
        fs::create_dir(models.join(&name)).unwrap();
        fs::write(models.join(&name).join("file"), "content").unwrap();
    }
    let strangers = || -> Vec<_> {
        files_below(&models).into_iter().filter(|path| !path.contains(".json") && !path.contains(".onnx")).collect()
    };
    let before = strangers();
    assert_eq!(before.len(), 6);
    volume.sync(&["--collect"]).succeeded();
    assert_eq!(strangers(), before);
    assert!(elsewhere.path().join("precious").exists());
    assert_eq!(volume.published(), [false, false, true]);
}

#[test]
fn space_is_made_before_it_is_asked_for() {
    let gateway = Gateway::start();
    let (old, next) = (Bundle::with_weights(1_000_000), Bundle::with_weights(1_000_001));
    gateway.upload("bp/v1", &next);
    let full = tempfile::tempdir().unwrap();
    let directory = old.directory(full.path());
    for (path, content) in &old.files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let run = |args: &[&str]| {
        let target = tempfile::tempdir().unwrap();
        let script = format!("cp -r '{}/models' '{}' && {RUN}", full.path().display(), target.path().display());
        on_small_volume(2, &script, &gateway.endpoint(), target.path()).args(args).run()
    };
    run(&[]).assert_failed(SyncReason::NoSpace, &["bytes free"]);
    run(&["--collect", "--keep", &old.digest().to_string()]).assert_failed(SyncReason::NoSpace, &["bytes free"]);
    run(&["--collect"]).succeeded();
}

#[test]
fn what_a_run_killed_while_removing_left_behind_is_removed_by_the_next() {
    let volume = Volume::with_two_bundles();
    let aside = volume.path().join(".staging").join(format!("collected-{}", volume.old.digest().hex()));
    let crash = || {
        fs::rename(volume.old.directory(volume.path()), &aside).unwrap();
        fs::remove_file(aside.join("model.onnx")).unwrap();
    };
    crash();
    // A run that has nothing to fetch and prepares no staging directory.
    Job::sync(&volume.gateway.endpoint(), "bp/v2", volume.path()).args(&["--collect"]).run().succeeded();
    assert_eq!(volume.published(), [false, true, false]);
    volume.assert_nothing_staged();
    // Also without --collect, and by a run that wants the bundle back.
    Job::sync(&volume.gateway.endpoint(), "bp/v1", volume.path()).run().succeeded();
    crash();
    Job::sync(&volume.gateway.endpoint(), "bp/v1", volume.path()).run().succeeded();
    assert_eq!(volume.published(), [true, true, false]);
    volume.assert_nothing_staged();
}

#[test]
fn a_bundle_that_cannot_be_removed_is_never_seen_half_removed_and_fails_nothing() {
    let gateway = Gateway::start();
    let (old, next) = (Bundle::with_weights(1000), Bundle::with_weights(2000));
    gateway.upload("bp/v1", &next);
    // What is mounted cannot be removed: a directory between two files of the bundle, then the bundle itself.
    let mounts =
        ["touch model.onnx && mkdir members && mount -t tmpfs tmpfs members", "mount -t tmpfs tmpfs $PWD && cd $PWD"];
    for mount in mounts {
        let target = tempfile::tempdir().unwrap();
        let directory = old.directory(target.path());
        // The mount lives as long as the script, so the script looks what is left.
        let script = format!(
            "mkdir -p '{0}' && (cd '{0}' && {mount} && touch model.onnx chemmodel.json) && {RUN}; code=$?; find '{0}' >&2; exit $code",
            directory.display()
        );
        let ended = on_small_volume(2, &script, &gateway.endpoint(), target.path()).args(&["--collect"]).run();
        ended.succeeded();
        assert!(ended.stderr.contains("could not be removed"), "{}", ended.stderr);
        let seen = ["model.onnx", "chemmodel.json"]
            .map(|file| ended.stderr.contains(&format!("models/{}/{file}", old.digest().hex())));
        assert!(seen == [true; 2] || seen == [false; 2], "half a bundle is visible: {}", ended.stderr);
    }
}

#[test]
fn an_export_without_a_manifest_is_never_collected_by_its_own_run() {
    let (gateway, target) = (Gateway::start(), tempfile::tempdir().unwrap());
    let config = br#"{"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}"#;
    for (path, content) in [("config.json", &config[..]), ("tokenizer.json", b"{}"), ("model.onnx", b"weights")] {
        gateway.put(&format!("plain/{path}"), content);
    }
    gateway.upload("bp/v1", &Bundle::small());
    let sync = |prefix: &str| Job::sync(&gateway.endpoint(), prefix, target.path()).args(&["--collect"]).run();
    sync("bp/v1").succeeded();
    let first = sync("plain").succeeded().clone();
    let inode = |digest: BundleDigest| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(target.path().join("models").join(digest.hex())).unwrap().ino()
    };
    let before = inode(first.digest);
    assert!(sync("plain").succeeded().reused);
    assert_eq!(inode(first.digest), before, "the bundle was taken off the volume and published again");
    assert_eq!(fs::read_dir(target.path().join("models")).unwrap().count(), 1);
}

#[test]
fn keeping_without_collecting_is_a_wrong_configuration() {
    let digest = BundleDigest::of(b"").to_string();
    let output = std::process::Command::new(crate::process::program())
        .args(["sync", "--uri", "s3://b/p", "--target", "/tmp", "--keep", &digest])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(26));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--collect"));
}
