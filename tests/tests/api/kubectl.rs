//! What people see and do with kubectl.

use anyhow::ensure;
use chemmodel_tests::Outcome;
use chemmodel_tests::program::kubectl_ok;
use serde_json::json;

use crate::definition::{minimal, with_api};

#[test]
fn explain_shows_the_comments_of_the_types() -> Outcome {
    with_api("explain", async |_| {
        for (field, words) in [
            ("chemmodel", "A chemistry model in object storage"),
            ("chemmodel.spec.model.uri", "s3://bucket/prefix"),
            ("chemmodel.spec.model.digest", "the digest that the first sync finds is recorded"),
            ("chemmodel.spec.runtime.accelerator", "never falls back to the processor"),
            ("chemmodel.spec.storage.mode", "each pod its own copy"),
            ("chemmodel.spec.rollout.scaleDownDelaySeconds", "stays warm after the switch"),
            ("chemmodel.status.phase", "Where a ChemModel stands"),
        ] {
            let text = kubectl_ok(&["explain", field], "").await?;
            // kubectl breaks lines where it likes.
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            ensure!(text.contains(words), "kubectl explain {field} does not say {words:?}: {text}");
        }
        Ok(())
    })
}

#[test]
fn it_has_a_short_name_and_is_in_the_category_all() -> Outcome {
    with_api("names", async |scene| {
        scene.apply(&minimal()).await?;
        for kind in ["chem", "chemmodel", "chemmodels", "chemmodels.chemmodel.io", "all"] {
            let text = scene.kubectl(&["get", kind, "--output=name"]).await?;
            ensure!(text.contains("chemmodel.chemmodel.io/boiling-point"), "kubectl get {kind}: {text}");
        }
        Ok(())
    })
}

#[test]
fn get_shows_the_story_in_columns() -> Outcome {
    with_api("columns", async |scene| {
        scene.apply(&minimal()).await?;
        let status = json!({"status": {
            "phase": "Verifying", "reason": "Verifying", "message": "asking 2 pods", "readySummary": "1/2", "url": "http://x",
            "active": {"colour": "blue", "version": "v1", "digest": "sha256:0", "revision": "r", "since": "2026-01-01T00:00:00Z"},
            "candidate": {"version": "v2", "revision": "s", "startedAt": "2026-01-01T00:00:00Z", "deadline": "2026-01-01T00:00:00Z"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "EndpointsReady", "message": "",
                            "lastTransitionTime": "2026-01-01T00:00:00Z"}]
        }})
        .to_string();
        let name = "chemmodel/boiling-point";
        scene.kubectl(&["patch", name, "--subresource=status", "--type=merge", "--patch", &status]).await?;
        let text = scene.kubectl(&["get", "chem"]).await?;
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let columns = ["NAME", "VERSION", "PHASE", "READY", "ACTIVE", "CANDIDATE", "REPLICAS", "REASON", "AGE"];
        ensure!(lines.next().as_deref() == Some(&columns), "{text}");
        let row = lines.next().unwrap_or_default();
        let wanted = ["boiling-point", "v1", "Verifying", "True", "blue", "v2", "1/2", "Verifying"];
        ensure!(row.starts_with(&wanted), "{text}");
        let wide = scene.kubectl(&["get", "chem", "--output=wide"]).await?;
        for word in ["DIGEST", "GPU", "URL", "MESSAGE", "sha256:0", "http://x", "asking 2 pods"] {
            ensure!(wide.contains(word), "kubectl get --output=wide lacks {word}: {wide}");
        }
        Ok(())
    })
}

#[test]
fn kubectl_scale_sets_the_replicas() -> Outcome {
    with_api("scale", async |scene| {
        scene.apply(&minimal()).await?;
        scene.kubectl(&["scale", "chemmodel/boiling-point", "--replicas=5"]).await?;
        let replicas = scene.kubectl(&["get", "chem", "boiling-point", "--output=jsonpath={.spec.replicas}"]).await?;
        ensure!(replicas == "5", "{replicas}");
        Ok(())
    })
}

#[test]
fn a_scale_against_an_autoscaler_is_refused_by_message() -> Outcome {
    with_api("scale-refused", async |scene| {
        let mut manifest = minimal();
        manifest["spec"]["autoscaling"] = json!({"maxReplicas": 3});
        scene.apply(&manifest).await?;
        let arguments = ["--namespace", &scene.namespace, "scale", "chemmodel/boiling-point", "--replicas=5"];
        let answer = chemmodel_tests::program::kubectl(&arguments, "").await?;
        ensure!(!answer.success, "a number was accepted beside a range");
        ensure!(answer.errors.contains("spec.replicas and spec.autoscaling are exclusive"), "{}", answer.errors);
        Ok(())
    })
}

#[test]
fn a_status_is_not_written_with_the_spec() -> Outcome {
    with_api("status", async |scene| {
        let mut manifest = minimal();
        manifest["status"] = json!({"phase": "Stable"});
        scene.apply(&manifest).await?;
        let phase = scene.kubectl(&["get", "chem", "boiling-point", "--output=jsonpath={.status.phase}"]).await?;
        ensure!(phase.is_empty(), "a user made it {phase}");
        Ok(())
    })
}
