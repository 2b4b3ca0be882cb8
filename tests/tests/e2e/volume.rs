//! A volume that is full: a tmpfs of a few megabytes, mounted by the test, which must be root on the node.

use std::path::Path;

use anyhow::{Result, ensure};
use chemmodel_tests::program::{kubectl_ok, run};
use chemmodel_tests::{Bundle, Outcome};
use serde_json::json;

use crate::failures::{apply, recovers, refused};
use crate::setting::shared;

#[test]
fn a_full_volume_is_no_space_until_it_grows() -> Outcome {
    shared("full", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let small = SmallVolume::mount(&scene.namespace, "4m").await?;
        let outcome = async {
            let class = json!({"spec": {"storage": {"storageClassName": scene.namespace}}});
            let model = apply(scene, &bucket.uri("v1"), &class).await?;
            refused(&model, "NoSpace", &["bytes"]).await?;
            small.resize("64m").await?;
            recovers(&model).await?;
            // Nothing may use the mount when it goes.
            scene.kubectl(&["delete", "chemmodel/boiling-point"]).await?;
            scene.kubectl(&["wait", "--for=delete", "pods", "--all", "--timeout=90s"]).await?;
            anyhow::Ok(())
        };
        let outcome = outcome.await;
        small.unmount().await?;
        outcome
    })
}

/// A `PersistentVolume` in a folder of its own size.
struct SmallVolume {
    directory: tempfile::TempDir,
    name: String,
}

impl SmallVolume {
    /// `name` becomes its StorageClass too, so that only one claim fits.
    async fn mount(name: &str, size: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let options = format!("size={size},uid=65532,gid=65532,mode=0770");
        succeed("mount", &["-t", "tmpfs", "-o", &options, "chemmodel-test", path(directory.path())]).await?;
        let small = Self { directory, name: name.to_owned() };
        let volume = json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": name,
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": path(small.directory.path()), "type": "Directory"}
            }
        });
        match kubectl_ok(&["create", "--filename=-"], &volume.to_string()).await {
            Ok(_) => Ok(small),
            Err(error) => {
                small.unmount().await?;
                Err(error)
            }
        }
    }

    async fn resize(&self, size: &str) -> Result<()> {
        let options = format!("remount,size={size}");
        succeed("mount", &["-o", &options, path(self.directory.path())]).await
    }

    async fn unmount(self) -> Result<()> {
        kubectl_ok(&["delete", "persistentvolume", &self.name, "--ignore-not-found", "--wait=false"], "").await?;
        // Lazy: a pod of a failed test may still be there.
        succeed("umount", &["--lazy", path(self.directory.path())]).await
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

async fn succeed(program: &str, arguments: &[&str]) -> Result<()> {
    let ended = run(program, arguments, "").await?;
    ensure!(ended.success, "{program} {}: {} (this test needs root)", arguments.join(" "), ended.errors.trim());
    Ok(())
}
