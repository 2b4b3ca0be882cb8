//! An operator that dies at a write of one's choice: the real program, as a process of the test, killed by SIGKILL.
//!
//! It reaches the API server through a [`proxy`] only, which counts its writes, and decides at which one, and on which side of it, the
//! process dies. Its Lease is in the test's namespace; a process that is started again has the same identity, as a container has
//! that the kubelet restarts in its pod.

mod proxy;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use chemmodel_tests::Scene;
use chemmodel_tests::environment::repository;
use chemmodel_tests::program::run;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

pub use proxy::{Way, Write};

use proxy::Proxy;

/// An operator that looks after a test's namespace.
pub struct Operator {
    proxy: Proxy,
    process: Child,
    namespace: String,
    identity: String,
    folder: TempDir,
}

impl Operator {
    /// Begins to reconcile as soon as it has the Lease of the namespace. Two operators with different identities compete for it.
    pub async fn start(scene: &Scene, identity: &str) -> Result<Self> {
        let proxy = Proxy::start(&scene.namespace).await?;
        let folder = TempDir::new()?;
        let way = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": format!("http://{}", proxy.address)}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}]
        });
        std::fs::write(folder.path().join("kubeconfig"), way.to_string())?;
        let process = spawn(&folder, &scene.namespace, identity).await?;
        Ok(Self { proxy, process, namespace: scene.namespace.clone(), identity: identity.to_owned(), folder })
    }

    /// It dies at a write of its own, of which the next one is number 0.
    pub fn die_at(&self, number: usize, way: Way) {
        self.proxy.die_at(number, way);
    }

    /// It does not die after all.
    pub fn live_on(&self) {
        self.proxy.live_on();
    }

    /// Resolves when it was killed at the write of [`Operator::die_at`]; an error when it ended in another way.
    pub async fn died(&mut self) -> Result<()> {
        tokio::select! {
            () = self.proxy.time_to_die() => Ok(self.process.kill().await?),
            ended = self.process.wait() => bail!("the operator ended by itself ({}): see {}", ended?, log(&self.namespace).display()),
        }
    }

    /// Starts the program again.
    pub async fn start_again(&mut self) -> Result<()> {
        self.proxy.revive();
        self.process = spawn(&self.folder, &self.namespace, &self.identity).await?;
        Ok(())
    }

    /// Its process.
    pub fn process(&self) -> Result<u32> {
        self.process.id().context("the operator has ended")
    }

    /// Resolves when it has ended by itself.
    pub async fn ended(&mut self) -> Result<()> {
        self.process.wait().await?;
        Ok(())
    }

    /// The next write to this object is not sent before [`Operator::release`].
    pub fn hold(&self, object: &str) {
        self.proxy.hold(object);
    }

    /// Resolves when a write is held.
    pub async fn held(&self) {
        self.proxy.held().await;
    }

    /// Sends what is held.
    pub fn release(&self) {
        self.proxy.release();
    }

    /// What was written in all its lives, in this order.
    pub fn writes(&self) -> Vec<Write> {
        self.proxy.writes()
    }
}

async fn spawn(folder: &TempDir, namespace: &str, identity: &str) -> Result<Child> {
    let told = OpenOptions::new().create(true).append(true).open(log(namespace))?;
    Command::new(program().await?)
        .env("KUBECONFIG", folder.path().join("kubeconfig"))
        .args(["--watch-namespace", namespace, "--lease-namespace", namespace, "--identity", identity])
        .args([
            "--server-image-cpu",
            "chemmodel-inference:dev-cpu",
            "--server-image-cuda",
            "chemmodel-inference:dev-cuda",
        ])
        .args(["--job-image", "chemmodel-operator:dev", "--address", "127.0.0.1:0", "--log-format", "text"])
        .stdin(Stdio::null())
        .stdout(told.try_clone()?)
        .stderr(told)
        .kill_on_drop(true)
        .spawn()
        .context("the operator cannot be started")
}

/// What all lives of an operator said.
fn log(namespace: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("operator-{namespace}.log"))
}

/// The operator's program, of this source, built once per run.
async fn program() -> Result<PathBuf> {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    let build = async || {
        let manifest = repository("Cargo.toml");
        let manifest = manifest.to_str().context("the repository's path is not UTF-8")?;
        let arguments =
            ["build", "--locked", "--manifest-path", manifest, "--workspace", "--bin", "chemmodel-operator"];
        let built = run(env!("CARGO"), &arguments, "").await?;
        ensure!(built.success, "the operator cannot be built: {}", built.errors);
        // Beside `deps/`, where this test is.
        let test = std::env::current_exe()?;
        let folder = test.parent().and_then(Path::parent).context("this test has no folder")?;
        Ok(folder.join("chemmodel-operator"))
    };
    BUILT.get_or_try_init(build).await.cloned()
}
