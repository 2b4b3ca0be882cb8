//! The main job: `kubectl apply`, and a real answer; `kubectl delete`, and nothing left.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chemmodel_tests::model::{changed, manifest};
use chemmodel_tests::program::kubectl_ok;
use chemmodel_tests::{Bundle, Model, Outcome, Scene};
use serde_json::json;

use crate::setting::{ETHANOL, exclusive, shared, stable};

/// With the images on the node.
const FROM_APPLY_TO_READY: Duration = Duration::from_secs(25);
/// Of a golden molecule's answer, relative.
const TOLERANCE: f64 = 1e-4;

#[test]
fn apply_is_followed_by_ready_and_kubectl_wait_sees_it() -> Outcome {
    exclusive("ready", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        let two = json!({"spec": {"replicas": 2}});
        let began = Instant::now();
        let model = Model::apply(scene, &changed(manifest("boiling-point", &bucket.uri("v1"), "v1")?, &two)).await?;
        scene.kubectl(&["wait", "--for=condition=Ready", "chemmodel/boiling-point", "--timeout=120s"]).await?;
        let took = began.elapsed();
        scene.say(&format!("FIGURE apply to Ready: {:.1} s", took.as_secs_f64()));
        model.until_it_answers().await?;
        scene.say(&format!("FIGURE apply to the first answer: {:.1} s", began.elapsed().as_secs_f64()));
        let answer = model.ask(&json!({"smiles": ETHANOL})).await?;
        ensure!(answer["version"] == "v1" && answer["unit"] == "K", "{answer}");
        ensure!(took <= FROM_APPLY_TO_READY, "apply to Ready took {:.1} s", took.as_secs_f64());
        Ok(())
    })
}

#[test]
fn every_golden_molecule_gets_the_reference_answer_through_the_service() -> Outcome {
    shared("golden", async |scene| {
        let bucket = scene.bucket().await?;
        let bundle = Bundle::example("v1")?;
        bucket.upload("v1", &bundle).await?;
        let model = stable(scene, &bucket, &json!({})).await?;
        let golden = bundle.golden()?;
        ensure!(golden.len() >= 64, "only {} golden molecules", golden.len());
        let smiles: Vec<&str> = golden.iter().map(|(smiles, _)| smiles.as_str()).collect();
        let together = model.predict(&smiles).await?;
        let mut worst = 0.0_f64;
        for ((smiles, reference), predicted) in golden.iter().zip(together) {
            let off = (predicted - reference).abs() / reference.abs();
            ensure!(off <= TOLERANCE, "{smiles}: {predicted} instead of {reference}");
            worst = worst.max(off);
        }
        scene.say(&format!("FIGURE {} golden molecules, worst relative difference {worst:.1e}", golden.len()));
        let (alone, reference) = golden.first().context("no golden molecule")?;
        let answer = model.ask(&json!({"smiles": alone})).await?;
        let predicted = answer["prediction"].as_f64().context("no prediction")?;
        ensure!((predicted - reference).abs() / reference.abs() <= TOLERANCE, "{answer} instead of {reference}");
        Ok(())
    })
}

#[test]
fn a_pod_reaches_it_by_name() -> Outcome {
    shared("by-name", async |scene| {
        let bucket = scene.bucket().await?;
        bucket.upload("v1", &Bundle::example("v1")?).await?;
        stable(scene, &bucket, &json!({})).await?;
        let host = format!("boiling-point.{}", scene.namespace);
        // The shell is all there is in the image; it speaks TCP.
        let script = format!(
            "exec 3<>/dev/tcp/{host}/80 && printf 'POST /predict HTTP/1.1\\r\\nHost: {host}\\r\\nContent-Type: application/json\\r\\n\
             Content-Length: 16\\r\\nConnection: close\\r\\n\\r\\n{{\"smiles\":\"CCO\"}}' >&3 && cat <&3"
        );
        scene.apply(&client_pod(&script)).await?;
        let done = ["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=60s"];
        scene.kubectl(&done).await?;
        let answer = scene.kubectl(&["logs", "client"]).await?;
        ensure!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"version\":\"v1\""), "{answer}");
        Ok(())
    })
}

#[test]
fn kubectl_get_tells_the_story_in_a_line() -> Outcome {
    shared("columns", async |scene| {
        let bucket = scene.bucket().await?;
        let bundle = Bundle::example("v1")?;
        bucket.upload("v1", &bundle).await?;
        stable(scene, &bucket, &json!({})).await?;
        let table = scene.kubectl(&["get", "chemmodels", "--output=wide"]).await?;
        let row: Vec<&str> = table.lines().nth(1).context("an empty table")?.split_whitespace().collect();
        ensure!(row.starts_with(&["boiling-point", "v1", "Stable", "True", "blue", "1/1"]), "{table}");
        let url = format!("http://boiling-point.{}", scene.namespace);
        for word in [bundle.digest()?.to_string(), url] {
            ensure!(table.contains(&word), "{word} is not in {table}");
        }
        Ok(())
    })
}

#[test]
fn after_delete_nothing_is_left_but_the_data_in_s3() -> Outcome {
    shared("delete", async |scene| {
        let bucket = scene.bucket().await?;
        let bundle = Bundle::example("v1")?;
        bucket.upload("v1", &bundle).await?;
        stable(scene, &bucket, &json!({"spec": {"replicas": null, "autoscaling": {"maxReplicas": 2}}})).await?;
        ensure!(!leftovers(scene).await?.is_empty(), "the list of kinds misses what a ChemModel owns");
        scene.kubectl(&["delete", "chemmodel/boiling-point", "--timeout=30s"]).await?;
        scene
            .until("everything of the ChemModel is gone", Duration::from_secs(90), async || {
                let left = leftovers(scene).await?;
                ensure!(left.is_empty(), "left: {left}");
                Ok(Some(()))
            })
            .await?;
        for (path, content) in &bundle.files {
            ensure!(bucket.get(&format!("v1/{path}")).await? == content, "{path} in S3 was touched");
        }
        Ok(())
    })
}

/// Names of all that belongs to the ChemModel, and of volumes that were claimed in the namespace.
async fn leftovers(scene: &Scene) -> Result<String> {
    const KINDS: &str = "chemmodels,deployments,replicasets,pods,jobs,services,endpointslices,persistentvolumeclaims,\
                         controllerrevisions,horizontalpodautoscalers,poddisruptionbudgets,serviceaccounts";
    let ours = ["get", KINDS, "--selector=chemmodel.io/model=boiling-point", "--output=name"];
    let mut left = scene.kubectl(&ours).await?;
    left.push_str(&scene.kubectl(&["get", "chemmodels", "--output=name"]).await?);
    let columns = "--output=custom-columns=NAME:.metadata.name,CLAIM:.spec.claimRef.namespace";
    let volumes = kubectl_ok(&["get", "persistentvolumes", "--no-headers", columns], "").await?;
    left.extend(volumes.lines().filter(|line| line.ends_with(&scene.namespace)));
    Ok(left)
}

fn client_pod(script: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"},
        "spec": {
            "restartPolicy": "Never", "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "client", "image": "chemmodel-inference:dev-cpu", "command": ["bash", "-c", script],
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
            }]
        }
    })
}
