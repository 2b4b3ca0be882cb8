//! The steady state costs nothing: no write, little memory.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chemmodel_tests::operator::pods;
use chemmodel_tests::process::{of_pod, resident_bytes};
use chemmodel_tests::program::kubectl_ok;
use chemmodel_tests::{Bundle, Outcome, Scene};
use kube::ResourceExt as _;
use serde_json::json;

use crate::setting::{exclusive, stable};

/// Kinds that we write, as the API server's metrics call them.
const OURS: [&str; 11] = [
    "chemmodels",
    "serviceaccounts",
    "persistentvolumeclaims",
    "jobs",
    "controllerrevisions",
    "deployments",
    "services",
    "horizontalpodautoscalers",
    "poddisruptionbudgets",
    "networkpolicies",
    "events",
];
const QUIET: Duration = Duration::from_mins(1);
const MOST_MEMORY: u64 = 40 * 1024 * 1024;

#[test]
fn a_settled_chemmodel_is_not_written_to_for_a_minute_and_the_operator_is_small() -> Outcome {
    exclusive("quiet", async |scene| {
        nobody_else(scene).await?;
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        stable(scene, &bucket, &json!({"spec": {"replicas": 2}})).await?;
        settled(scene).await?;

        let (writes, versions) = (writes().await?, versions(scene).await?);
        // The claim is about time itself: this is the one place that must let it pass.
        tokio::time::sleep(QUIET).await;
        let more: BTreeMap<_, _> = self::writes()
            .await?
            .into_iter()
            .map(|(kind, count)| (kind.clone(), count - writes.get(&kind).copied().unwrap_or(0.0)))
            .filter(|(_, more)| *more > 0.0)
            .collect();
        let changed: Vec<_> = self::versions(scene).await?.difference(&versions).cloned().collect();
        ensure!(changed.is_empty(), "objects were written to: {changed:#?}");
        ensure!(more.is_empty(), "writes within {} s: {more:#?}", QUIET.as_secs());
        scene.say("FIGURE writes in 60 s: 0");

        for pod in pods(&scene.client).await? {
            let bytes = resident_bytes(of_pod(&pod)?)?;
            scene.say(&format!("FIGURE memory of {}: {} KiB", pod.name_any(), bytes / 1024));
            ensure!(bytes <= MOST_MEMORY, "{} has {bytes} bytes resident", pod.name_any());
        }
        Ok(())
    })
}

/// Waits until the namespaces of tests before have gone, and with them their last writes.
async fn nobody_else(scene: &Scene) -> Result<()> {
    scene
        .until("the namespaces of other tests are gone", Duration::from_mins(3), async || {
            let list = ["get", "namespaces", "--selector=chemmodel.io/test=true", "--output=name"];
            let namespaces = kubectl_ok(&list, "").await?;
            Ok((namespaces.lines().count() == 1).then_some(()))
        })
        .await
}

/// Waits until two looks, a few seconds apart, show the same: the last status of a child has arrived.
async fn settled(scene: &Scene) -> Result<()> {
    let mut before = None;
    let mut since = std::time::Instant::now();
    scene
        .until("nothing changes for 10 s", Duration::from_secs(90), async || {
            let now = Some(versions(scene).await?);
            if now != before {
                before = now;
                since = std::time::Instant::now();
            }
            Ok((since.elapsed() >= Duration::from_secs(10)).then_some(()))
        })
        .await
}

/// Requests that write to our kinds, by kind and verb, since the API server started. Requests to leases are none of these.
async fn writes() -> Result<BTreeMap<String, f64>> {
    let metrics = kubectl_ok(&["get", "--raw=/metrics"], "").await?;
    let mut writes = BTreeMap::new();
    for line in metrics.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
        let (labels, count) = line.rsplit_once(' ').context("a metric without value")?;
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value)
        };
        let (kind, verb) = (label("resource").unwrap_or_default(), label("verb").unwrap_or_default());
        // By Kubernetes' own controllers: the operator replaces no status.
        if verb == "PUT" && label("subresource") == Some("status") {
            continue;
        }
        if OURS.contains(&kind) && ["APPLY", "PATCH", "PUT", "POST", "DELETE"].contains(&verb) {
            *writes.entry(format!("{verb} {kind}")).or_default() += count.parse::<f64>()?;
        }
    }
    ensure!(!writes.is_empty(), "the API server's metrics count no writes at all");
    Ok(writes)
}

/// Every object of the namespace with its resourceVersion.
async fn versions(scene: &Scene) -> Result<std::collections::BTreeSet<String>> {
    const KINDS: &str = "chemmodels,deployments,replicasets,pods,jobs,services,endpointslices,persistentvolumeclaims,\
                         controllerrevisions,horizontalpodautoscalers,poddisruptionbudgets,serviceaccounts,events";
    let columns = "--output=custom-columns=KIND:.kind,NAME:.metadata.name,VERSION:.metadata.resourceVersion";
    let text = scene.kubectl(&["get", KINDS, "--no-headers", columns]).await?;
    Ok(text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
}
