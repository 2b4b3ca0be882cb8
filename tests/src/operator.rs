//! The installed operator: once per run, from our chart and our images.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::OnceCell;

use crate::environment::repository;
use crate::process::{of_pod, signal};
use crate::program::{helm_ok, kubectl_ok};

/// Namespace of the release.
pub const NAMESPACE: &str = "chemmodel-system";
/// Name of the release, of its Deployment and of its Lease.
pub const NAME: &str = "chemmodel-operator";

static INSTALLED: OnceCell<Result<(), String>> = OnceCell::const_new();

/// Installs the chart, or brings the release up to date; once per process. When that fails, it fails for every test at once.
pub async fn install() -> Result<()> {
    let installed = INSTALLED.get_or_init(async || upgrade().await.map_err(|error| format!("{error:#}"))).await;
    installed.clone().map_err(|error| anyhow!("the operator could not be installed: {error}"))
}

async fn upgrade() -> Result<()> {
    let chart = repository("charts/chemmodel-operator");
    let chart = chart.to_str().context("the chart's path is not UTF-8")?;
    let namespace = format!(
        r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{NAMESPACE}","labels":{{"pod-security.kubernetes.io/enforce":"restricted"}}}}}}"#
    );
    kubectl_ok(&["apply", "--filename=-"], &namespace).await?;
    // `--take-ownership`: the API may be there from a test of the API server alone.
    let release = ["upgrade", "--install", NAME, chart, "--namespace", NAMESPACE, "--take-ownership"];
    let values = [
        "--set=image.repository=chemmodel-operator",
        "--set=image.tag=dev",
        "--set=serverImages.cpu=chemmodel-inference:dev-cpu",
        "--set=serverImages.cuda=chemmodel-inference:dev-cuda",
    ];
    helm_ok(&[&release[..], &values[..]].concat()).await?;
    let deployment = format!("deployment/{NAME}");
    // A run that was ended in the middle of `crashes` left none.
    kubectl_ok(&["--namespace", NAMESPACE, "scale", &deployment, "--replicas=2"], "").await?;
    // The tag does not change when its image does.
    kubectl_ok(&["--namespace", NAMESPACE, "rollout", "restart", &deployment], "").await?;
    kubectl_ok(&["--namespace", NAMESPACE, "rollout", "status", &deployment, "--timeout=90s"], "").await?;
    Ok(())
}

/// Its running pods.
pub async fn pods(client: &Client) -> Result<Vec<Pod>> {
    let api: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let selector = format!("app.kubernetes.io/name={NAME}");
    let pods = api.list(&ListParams::default().labels(&selector)).await?.items;
    Ok(pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect())
}

/// Its Lease.
pub async fn lease(client: &Client) -> Result<Lease> {
    Ok(Api::<Lease>::namespaced(client.clone(), NAMESPACE).get(NAME).await?)
}

/// The pod that leads, when one does.
pub async fn leader(client: &Client) -> Result<Option<Pod>> {
    let holder = lease(client).await?.spec.and_then(|spec| spec.holder_identity);
    Ok(pods(client).await?.into_iter().find(|pod| Some(pod.name_any()) == holder))
}

/// Whether both replicas run and one of them leads.
pub async fn is_whole(client: &Client) -> Result<bool> {
    let pods = pods(client).await?;
    Ok(pods.len() == 2 && pods.iter().all(|pod| of_pod(pod).is_ok()) && leader(client).await?.is_some())
}

/// Ends all replicas that run by SIGKILL, the leader first; the kubelet starts them again. One that was killed shortly
/// before may still wait for its restart.
pub async fn kill_all(client: &Client) -> Result<()> {
    let holder = leader(client).await?.map(|pod| pod.name_any());
    let mut pods = pods(client).await?;
    pods.sort_by_key(|pod| Some(pod.name_any()) != holder);
    let running: Vec<u32> = pods.iter().filter_map(|pod| of_pod(pod).ok()).collect();
    ensure!(!running.is_empty(), "no replica of the operator runs on this machine");
    for process in running {
        signal(process, "KILL").await?;
    }
    Ok(())
}

/// From SIGKILL to a leader again: the container's restart, and at worst the end of the Lease.
pub const RECOVERY: Duration = Duration::from_mins(1);
