//! kubectl, helm and other programs: run to the end, and told what went wrong.

use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::environment::program;

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Whether its exit code was 0.
    pub success: bool,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

/// Runs a program with `input` as its standard input.
pub async fn run(program: &str, arguments: &[&str], input: &str) -> Result<Ended> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{program} cannot be started"))?;
    let mut stdin = child.stdin.take().context("the program has no standard input")?;
    // Beside reading: a program that answers before it has read everything must not block both sides.
    let written = async {
        let outcome = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        outcome
    };
    let (_, ended) = tokio::join!(written, child.wait_with_output());
    let ended = ended?;
    Ok(Ended {
        success: ended.status.success(),
        output: String::from_utf8_lossy(&ended.stdout).into_owned(),
        errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
    })
}

/// kubectl, which may fail.
pub async fn kubectl(arguments: &[&str], input: &str) -> Result<Ended> {
    run(&program("KUBECTL", "kubectl"), arguments, input).await
}

/// kubectl's output, or what it complained about.
pub async fn kubectl_ok(arguments: &[&str], input: &str) -> Result<String> {
    succeed("kubectl", arguments, kubectl(arguments, input).await?)
}

/// helm's output, or what it complained about.
pub async fn helm_ok(arguments: &[&str]) -> Result<String> {
    succeed("helm", arguments, run(&program("HELM", "helm"), arguments, "").await?)
}

fn succeed(program: &str, arguments: &[&str], ended: Ended) -> Result<String> {
    if !ended.success {
        bail!("{program} {} failed: {}", arguments.join(" "), ended.errors.trim());
    }
    Ok(ended.output)
}
