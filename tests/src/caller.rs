//! Somebody who asks: with `curl`, from this machine or from a pod's place in the network. The node must be this machine.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::Scene;
use crate::model::PATIENCE;
use crate::process::of_pod;
use crate::program::run;

/// The image of a program that does nothing; every pod of the cluster has it.
const PAUSE: &str = "docker.io/chemmodel/pause:cluster";
/// Seconds until a connection that nobody refuses counts as closed.
const PATIENCE_SECONDS: &str = "5";

/// A place in the network.
pub struct Caller {
    process: Option<u32>,
}

impl Caller {
    /// The node itself.
    #[must_use]
    pub fn node() -> Self {
        Self { process: None }
    }

    /// A pod of a namespace that does nothing but have labels.
    pub async fn pod(scene: &Scene, name: &str, labels: &Value) -> Result<Self> {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
            "spec": {
                "containers": [{
                    "name": "pause", "image": PAUSE, "imagePullPolicy": "Never",
                    "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
                }],
                "securityContext": {"runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
                "terminationGracePeriodSeconds": 0
            }
        });
        scene.apply(&pod).await?;
        let running = async || Ok(of_pod(&scene.api::<Pod>().get(name).await?).ok());
        let process = scene.until(&format!("the pod {name} runs"), PATIENCE, running).await?;
        Ok(Self { process: Some(process) })
    }

    /// The status of the answer to one molecule; 0 when nobody answers.
    pub async fn status(&self, url: &str, arguments: &[&str]) -> Result<u16> {
        let usual = [
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--max-time",
            PATIENCE_SECONDS,
            "--header",
            "content-type: application/json",
            "--data",
            r#"{"smiles":"CCO"}"#,
        ];
        let curl = [&usual[..], arguments, &[url]].concat();
        let ended = match self.process {
            None => run("curl", &curl, "").await?,
            Some(process) => {
                let network = format!("--net=/proc/{process}/ns/net");
                run("nsenter", &[&[network.as_str(), "curl"], &curl[..]].concat(), "").await?
            }
        };
        // 7: nobody listens; 28: no answer in time; 35 and 56: the server does not like the certificate.
        let status =
            ended.output.trim().parse().with_context(|| format!("curl {}: {}", curl.join(" "), ended.errors))?;
        ensure!(ended.success || status == 0, "curl {}: {}", curl.join(" "), ended.errors);
        Ok(status)
    }
}
