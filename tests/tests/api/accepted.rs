//! Right specs, from the shortest to one that says everything.

use anyhow::Context as _;
use chemmodel_tests::Outcome;
use chemmodel_tests::model::changed;

use crate::definition::{minimal, with_api, yaml};

const RIGHT: &[(&str, &str)] = &[
    ("the least", "spec: {}"),
    ("the longest name", "metadata: {name: a234567890123456789012345678901234567890}"),
    ("a deep prefix", "spec: {model: {uri: 's3://my.models-1/a/b.c/d_e=f/v1'}}"),
    ("the processor", "spec: {runtime: {accelerator: Cpu, threads: 4}, replicas: 3}"),
    ("a MIG profile", "spec: {runtime: {gpu: {count: 2, resourceName: nvidia.com/mig-1g.10gb}}}"),
    ("a range", "spec: {autoscaling: {minReplicas: 2, maxReplicas: 8, targetCPUUtilization: 60}}"),
    ("a folder of the pod", "spec: {storage: {mode: Ephemeral, size: 500Mi}}"),
    ("a shared volume", "spec: {storage: {accessMode: ReadWriteMany, storageClassName: nfs, size: 1.5Ti}}"),
    ("web identity", "spec: {model: {s3: {serviceAccountName: models-reader, region: eu-central-1}}}"),
    (
        "a server of one's own",
        "spec: {model: {s3: {endpoint: 'https://minio:9000', forcePathStyle: true, caBundleConfigMapRef: {name: ca}}}}",
    ),
    (
        "placement",
        "spec: {pod: {nodeSelector: {gpu: h100}, tolerations: [{key: gpu, operator: Exists}], priorityClassName: high,
            resources: {requests: {cpu: 2, memory: 4Gi}}, labels: {team: chemistry}}}",
    ),
    (
        "every control of a rollout",
        "spec: {rollout: {autoPromote: true, autoPromoteAfterSeconds: 60, promote: v1, abort: v0, retryToken: again, capacity: Auto,
            observeSeconds: 0, scaleDownDelaySeconds: 0, progressDeadlineSeconds: 10, promotionDeadlineSeconds: 10, historyLimit: 1,
            verification: {required: false, goldenConfigMapRef: {name: molecules}, absTolerance: 0, relTolerance: 1,
                maxP95Milliseconds: 1, timeoutSeconds: 10}}}",
    ),
    ("suspended", "spec: {suspend: true, service: {type: NodePort, port: 8000}}"),
];

#[test]
fn right_specs_are_accepted() -> Outcome {
    with_api("accepted", async |scene| {
        for (number, (what, change)) in RIGHT.iter().enumerate() {
            let named = yaml(&format!("metadata: {{name: model-{number}}}"))?;
            let manifest = changed(changed(minimal(), &named), &yaml(change)?);
            scene.apply(&manifest).await.context(*what)?;
        }
        Ok(())
    })
}

#[test]
fn the_same_digest_and_a_larger_volume_are_no_change_to_refuse() -> Outcome {
    with_api("accepted-changes", async |scene| {
        let digest = format!("spec: {{model: {{digest: 'sha256:{}'}}}}", "0".repeat(64));
        let present = changed(minimal(), &yaml(&digest)?);
        for size in ["1Gi", "1024Mi", "2Gi"] {
            let storage = yaml(&format!("spec: {{storage: {{size: {size}}}}}"))?;
            scene.apply(&changed(present.clone(), &storage)).await?;
        }
        let other =
            format!("spec: {{model: {{version: v2, digest: 'sha256:{}'}}, storage: {{size: 2Gi}}}}", "1".repeat(64));
        scene.apply(&changed(present, &yaml(&other)?)).await
    })
}
