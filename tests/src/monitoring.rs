//! Prometheus, and an adapter that answers `custom.metrics.k8s.io` from it: what autoscalers ask. Both run on this machine for as long as
//! [`Monitoring`] lives.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::environment::{repository, variable};
use crate::node::{self, free_port};
use crate::program::kubectl_ok;

const NAME: &str = "custom-metrics";
const NAMESPACE: &str = "kube-system";
/// The list of those whom Prometheus asks.
const TARGETS: &str = "targets.json";
const API: &str = "v1beta2.custom.metrics.k8s.io";
/// The heading over the rule that users are told to give their adapter.
const HEADING: &str = "## Scaling by the length of the queue";

/// See the module.
pub struct Monitoring {
    directory: TempDir,
    _prometheus: Child,
    _adapter: Child,
    /// Ends the discovery when it is dropped.
    _discovery: JoinSet<()>,
}

impl Monitoring {
    /// Starts both, and tells the API server of the adapter.
    pub async fn start(client: &Client) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let (prometheus, address) = prometheus(directory.path())?;
        let rules = directory.path().join("rules.yaml");
        fs::write(&rules, documented_rule()?)?;
        let node = node::address(client).await?;
        let port = free_port(node)?;
        let kubeconfig = variable("KUBECONFIG")?;
        let adapter = Command::new(variable("CUSTOM_METRICS")?)
            .arg(format!("--prometheus-url=http://{address}"))
            .arg(format!("--config={}", rules.display()))
            .args(["lister", "authentication", "authorization"].map(|who| format!("--{who}-kubeconfig={kubeconfig}")))
            .arg(format!("--bind-address={node}"))
            .arg(format!("--secure-port={port}"))
            .arg(format!("--cert-dir={}", directory.path().display()))
            .stdout(Stdio::null())
            .stderr(fs::File::create(directory.path().join("adapter.log"))?)
            .kill_on_drop(true)
            .spawn()?;
        kubectl_ok(&["apply", "--filename=-"], &registration(node, port)).await?;
        let mut discovery = JoinSet::new();
        discovery.spawn(discover(Api::all(client.clone()), directory.path().to_owned()));
        Ok(Self { directory, _prometheus: prometheus, _adapter: adapter, _discovery: discovery })
    }

    /// Takes the adapter's API away again.
    pub async fn stop(self) -> Result<()> {
        kubectl_ok(&["delete", "apiservice", API], "").await?;
        kubectl_ok(&["--namespace", NAMESPACE, "delete", "service", NAME], "").await?;
        Ok(())
    }

    /// The last words of both, for a test that fails.
    pub fn last_words(&self) -> String {
        let logs = ["prometheus.log", "adapter.log"].map(|name| {
            let text = fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().rev().take(20).collect();
            format!("{name}:\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        });
        logs.join("\n")
    }
}

/// A Prometheus that asks whoever is on the list, and where it listens. Debian's, which this is, cannot ask the API server for pods.
fn prometheus(directory: &Path) -> Result<(Child, String)> {
    let configuration = directory.join("prometheus.yaml");
    let text = json!({
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s"},
        "scrape_configs": [{"job_name": "pods", "file_sd_configs": [{"files": [directory.join(TARGETS)]}]}]
    });
    fs::write(&configuration, text.to_string())?;
    let address = format!("127.0.0.1:{}", free_port(IpAddr::from([127, 0, 0, 1]))?);
    let child = Command::new(variable("PROMETHEUS")?)
        .arg(format!("--config.file={}", configuration.display()))
        .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(fs::File::create(directory.join("prometheus.log"))?)
        .kill_on_drop(true)
        .spawn()?;
    Ok((child, address))
}

/// Keeps the list: the pods with the usual annotations.
async fn discover(pods: Api<Pod>, directory: PathBuf) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let Ok(pods) = pods.list(&ListParams::default()).await else { continue };
        let targets: Vec<Value> = pods.items.iter().filter_map(target).collect();
        // By one rename: Prometheus may be reading. What fails now is done a second later.
        let draft = directory.join("targets.new");
        let _ =
            fs::write(&draft, json!(targets).to_string()).and_then(|()| fs::rename(&draft, directory.join(TARGETS)));
    }
}

fn target(pod: &Pod) -> Option<Value> {
    let annotation = |name: &str| pod.annotations().get(&format!("prometheus.io/{name}"));
    annotation("scrape").filter(|scrape| *scrape == "true")?;
    let address = format!("{}:{}", pod.status.as_ref()?.pod_ip.as_ref()?, annotation("port")?);
    Some(json!({"targets": [address], "labels": {"namespace": pod.namespace(), "pod": pod.name_any()}}))
}

/// The rule as the chart's page has it.
fn documented_rule() -> Result<String> {
    let page = fs::read_to_string(repository("charts/chemmodel-operator/README.md"))?;
    let rule = page.split_once(HEADING).and_then(|(_, section)| section.split("```yaml\n").nth(1)?.split("```").next());
    rule.map(str::to_owned).context("the chart's README has no rule for the adapter")
}

/// A Service without pods that leads to the adapter, and the API that it answers.
fn registration(address: IpAddr, port: u16) -> String {
    let metadata =
        |name: &str| json!({"name": name, "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": NAME}});
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata(NAME), "spec": {"ports": [{"name": "https", "port": 443}]}},
        {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata("custom-metrics-node"),
            "addressType": "IPv4", "endpoints": [{"addresses": [address], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": port}]
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": API},
            "spec": {
                "group": "custom.metrics.k8s.io", "version": "v1beta2", "groupPriorityMinimum": 100, "versionPriority": 100,
                "insecureSkipTLSVerify": true, "service": {"name": NAME, "namespace": NAMESPACE}
            }
        }
    ]});
    objects.to_string()
}
