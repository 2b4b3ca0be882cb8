//! One test: a namespace of its own, a body, a diagnosis when it fails, and a clean-up in any case.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use serde_json::{Value, json};

use crate::environment::variable;
use crate::program::{kubectl, kubectl_ok};
use crate::s3::{Access, Bucket};

/// Tests that measure time or count writes are alone; all others share the cluster.
static STAGE: RwLock<()> = RwLock::new(());
/// Between two looks.
const PERIOD: Duration = Duration::from_millis(200);

/// What a test has.
pub struct Scene {
    /// Its namespace, where the strictest Pod Security Standard is enforced.
    pub namespace: String,
    /// A client of the cluster.
    pub client: Client,
    began: Instant,
}

/// How a test ended.
pub type Outcome = Result<(), Failure>;

/// Why a test failed, in words. An [`anyhow::Error`] would print where in the harness it was made, which nobody asked.
pub struct Failure(String);

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// Runs a test that may share the cluster with others.
pub fn beside_others(name: &str, body: impl AsyncFnOnce(&Scene) -> Result<()>) -> Outcome {
    let _shared = STAGE.read().unwrap_or_else(PoisonError::into_inner);
    Ok(perform(name, body)?)
}

/// Runs a test that must have the cluster for itself.
pub fn alone(name: &str, body: impl AsyncFnOnce(&Scene) -> Result<()>) -> Outcome {
    let _exclusive = STAGE.write().unwrap_or_else(PoisonError::into_inner);
    Ok(perform(name, body)?)
}

impl Scene {
    /// A part of a test in a namespace of its own, so that parts can run beside each other.
    pub async fn part<T>(name: &str, body: impl AsyncFnOnce(&Self) -> Result<T>) -> Result<T> {
        let scene = Self::open(name).await?;
        let outcome = body(&scene).await;
        if outcome.is_err() {
            scene.diagnose().await;
        }
        scene.close().await;
        outcome
    }
}

fn perform(name: &str, body: impl AsyncFnOnce(&Scene) -> Result<()>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let scene = runtime.block_on(Scene::open(name))?;
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(body(&scene))));
    runtime.block_on(async {
        if !matches!(outcome, Ok(Ok(()))) {
            scene.diagnose().await;
        }
        scene.close().await;
    });
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Scene {
    async fn open(name: &str) -> Result<Self> {
        variable("KUBECONFIG")?;
        // Refused when another test of this process was first: then it is in place.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::try_default().await.context("no connection to the cluster that KUBECONFIG names")?;
        let namespace = format!("e2e-{name}-{:x}", std::process::id());
        let labels = json!({"chemmodel.io/test": "true", "pod-security.kubernetes.io/enforce": "restricted"});
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}});
        kubectl_ok(&["create", "--filename=-"], &object.to_string()).await?;
        Ok(Self { namespace, client, began: Instant::now() })
    }

    async fn close(&self) {
        // A test without a bucket finds none to empty.
        if let Ok(bucket) = Access::from_environment().and_then(|access| access.bucket(&self.namespace)) {
            let _ = bucket.empty().await;
        }
        self.say("the end");
        // In the background: nobody waits for it, and the next test has another namespace.
        let _ = kubectl(&["delete", "namespace", &self.namespace, "--wait=false"], "").await;
    }

    /// The objects of a kind in the namespace.
    pub fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// kubectl in the namespace; it must succeed.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        kubectl_ok(&[&["--namespace", &self.namespace], arguments].concat(), "").await
    }

    /// Applies an object in the namespace.
    pub async fn apply(&self, object: &Value) -> Result<()> {
        kubectl_ok(&["--namespace", &self.namespace, "apply", "--filename=-"], &object.to_string()).await?;
        Ok(())
    }

    /// A bucket of this test's own, and a Secret `s3` with the keys to it.
    pub async fn bucket(&self) -> Result<Bucket> {
        let access = Access::from_environment()?;
        self.apply(&secret("s3", &access.key, &access.secret)).await?;
        access.create(&self.namespace).await
    }

    /// Says something about this test, with the seconds since it began; past the test runner, which keeps to itself what a good test prints.
    pub fn say(&self, words: &str) {
        let line = format!("[{:6.1} s] {}: {words}\n", self.began.elapsed().as_secs_f64(), self.namespace);
        // Nobody listens: nothing is lost.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    /// Looks until there is something, at most for `limit`.
    pub async fn until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl AsyncFnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let began = Instant::now();
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            let seen = look().await;
            if let Ok(Some(found)) = seen {
                return Ok(found);
            }
            if began.elapsed() >= limit {
                let error = seen.err().unwrap_or_else(|| anyhow!("it is not so"));
                return Err(error.context(format!("waited {} s in vain: {what}", limit.as_secs())));
            }
        }
    }

    /// Everything that somebody needs who reads this at 3 a.m.
    #[allow(clippy::print_stderr, reason = "the output of a test")]
    async fn diagnose(&self) {
        let here = ["--namespace", self.namespace.as_str()];
        let looks: [&[&str]; 5] = [
            &["get", "chemmodels", "--output=yaml"],
            &["get", "pods,deployments,jobs,services,pvc,hpa,controllerrevisions", "--output=wide"],
            &["get", "events", "--sort-by=.lastTimestamp"],
            &["logs", "--selector=app.kubernetes.io/name=chemmodel", "--all-containers", "--prefix", "--tail=30"],
            &["describe", "pods"],
        ];
        for look in looks {
            self.show(&[&here, look].concat()).await;
        }
        let logs = ["logs", "--selector=app.kubernetes.io/name=chemmodel-operator", "--prefix", "--tail=60"];
        self.show(&[&["--namespace", crate::operator::NAMESPACE], &logs[..]].concat()).await;
    }

    #[allow(clippy::print_stderr, reason = "the output of a test")]
    async fn show(&self, arguments: &[&str]) {
        eprintln!("\n$ kubectl {}", arguments.join(" "));
        match kubectl(arguments, "").await {
            Ok(ended) => eprintln!("{}{}", ended.output, ended.errors),
            Err(error) => eprintln!("{error:#}"),
        }
    }
}

/// A Secret with AWS keys.
pub fn secret(name: &str, key: &str, secret: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
        "stringData": {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}})
}
