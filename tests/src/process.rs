//! What runs in a pod, as the node sees it. The node must be this machine, and the test root on it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use crate::program::run;

/// The process in a pod with one container: the one whose control group has the container's id. The node must be this machine.
pub fn of_pod(pod: &Pod) -> Result<u32> {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let id = statuses.into_iter().flatten().find_map(|status| status.container_id.clone());
    let id = id.with_context(|| format!("pod {} has no container yet", pod.name_any()))?;
    let id = id.rsplit('/').next().unwrap_or_default().to_owned();
    ensure!(id.len() >= 32, "the container of pod {} has the odd id {id:?}", pod.name_any());
    let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let of_container =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|text| text.contains(&id));
    processes
        .into_iter()
        .find(of_container)
        .with_context(|| format!("no process of pod {}: does the node run on this machine?", pod.name_any()))
}

/// Resident memory of a process, in bytes.
pub fn resident_bytes(process: u32) -> Result<u64> {
    let path = PathBuf::from(format!("/proc/{process}/status"));
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the process has no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

/// Sends a signal to a process that [`of_pod`] found.
pub async fn signal(process: u32, signal: &str) -> Result<()> {
    let ended = run("kill", &["-s", signal, &process.to_string()], "").await?;
    ensure!(ended.success, "process {process} got no {signal}: {}", ended.errors.trim());
    Ok(())
}
