//! Wrong specs: `kubectl apply` says no at once, and names the field and the rule.

use anyhow::ensure;
use chemmodel_tests::Outcome;
use chemmodel_tests::model::changed;
use chemmodel_tests::program::kubectl;

use crate::definition::{minimal, with_api, yaml};

/// What is wrong, the change of a right spec that makes it so, and words that the refusal must have.
type Row = (&'static str, &'static str, &'static [&'static str]);

const WRONG: &[Row] = &[
    ("uri missing", "spec: {model: {uri: null}}", &["spec.model.uri", "Required value"]),
    ("version missing", "spec: {model: {version: null}}", &["spec.model.version", "Required value"]),
    ("model missing", "spec: {model: null}", &["spec.model", "Required value"]),
    ("another scheme", "spec: {model: {uri: 'https://models/x'}}", &["spec.model.uri must start with s3://"]),
    ("no prefix", "spec: {model: {uri: 's3://models'}}", &["spec.model.uri must be s3://bucket/prefix"]),
    ("an empty prefix", "spec: {model: {uri: 's3://models/'}}", &["spec.model.uri must be s3://bucket/prefix"]),
    ("a bucket in capitals", "spec: {model: {uri: 's3://Models/x'}}", &["spec.model.uri", "valid bucket name"]),
    ("a way upwards", "spec: {model: {uri: 's3://models/../x'}}", &["spec.model.uri must not contain '.', '..'"]),
    ("an empty segment", "spec: {model: {uri: 's3://models/a//b'}}", &["spec.model.uri", "empty path segments"]),
    ("a version in capitals", "spec: {model: {version: V1}}", &["spec.model.version must be lower-case"]),
    ("a version with a blank", "spec: {model: {version: 'v 1'}}", &["spec.model.version must be lower-case"]),
    ("a short digest", "spec: {model: {digest: 'sha256:abc'}}", &["spec.model.digest must be sha256:"]),
    ("an endpoint without scheme", "spec: {model: {s3: {endpoint: minio}}}", &["spec.model.s3.endpoint must be a URL"]),
    (
        "keys and web identity",
        "spec: {model: {s3: {credentialsSecretRef: {name: a}, serviceAccountName: b}}}",
        &["credentialsSecretRef", "serviceAccountName", "exclusive"],
    ),
    (
        "a Secret without name",
        "spec: {model: {s3: {credentialsSecretRef: {}}}}",
        &["credentialsSecretRef.name", "Required"],
    ),
    (
        "an unknown accelerator",
        "spec: {runtime: {accelerator: Tpu}}",
        &["spec.runtime.accelerator", "Unsupported value"],
    ),
    (
        "GPUs for the processor",
        "spec: {runtime: {accelerator: Cpu, gpu: {count: 1}}}",
        &["spec.runtime.gpu must be absent when spec.runtime.accelerator is Cpu"],
    ),
    ("no GPU", "spec: {runtime: {gpu: {count: 0}}}", &["spec.runtime.gpu.count", "greater than or equal to 1"]),
    (
        "a GPU resource without domain",
        "spec: {runtime: {gpu: {resourceName: gpu}}}",
        &["spec.runtime.gpu.resourceName must be an extended resource"],
    ),
    ("no thread", "spec: {runtime: {threads: 0}}", &["spec.runtime.threads", "greater than or equal to 1"]),
    (
        "an empty batch",
        "spec: {runtime: {batching: {maxBatchItems: 0}}}",
        &["maxBatchItems", "greater than or equal to 1"],
    ),
    (
        "no molecule",
        "spec: {runtime: {limits: {maxItemsPerRequest: 0}}}",
        &["maxItemsPerRequest", "greater than or equal"],
    ),
    ("a word for a number", "spec: {runtime: {threads: many}}", &["spec.runtime.threads", "must be of type integer"]),
    (
        "a label of the operator",
        "spec: {pod: {labels: {chemmodel.io/colour: green}}}",
        &["spec.pod.labels", "the operator sets those"],
    ),
    ("a size that is none", "spec: {storage: {size: big}}", &["spec.storage.size must be a quantity"]),
    ("an unknown storage mode", "spec: {storage: {mode: Memory}}", &["spec.storage.mode", "Unsupported value"]),
    (
        "a class for a folder of the pod",
        "spec: {storage: {mode: Ephemeral, storageClassName: fast}}",
        &["spec.storage.storageClassName", "must be absent when spec.storage.mode is Ephemeral"],
    ),
    (
        "an access mode for a folder of the pod",
        "spec: {storage: {mode: Ephemeral, accessMode: ReadWriteMany}}",
        &["spec.storage.accessMode must be absent"],
    ),
    ("no replica", "spec: {replicas: 0}", &["spec.replicas", "greater than or equal to 1"]),
    (
        "a number and a range",
        "spec: {replicas: 2, autoscaling: {maxReplicas: 3}}",
        &["spec.replicas and spec.autoscaling are exclusive"],
    ),
    (
        "a range upside down",
        "spec: {autoscaling: {minReplicas: 5, maxReplicas: 3}}",
        &["spec.autoscaling.minReplicas must not exceed spec.autoscaling.maxReplicas"],
    ),
    (
        "a range from zero",
        "spec: {autoscaling: {minReplicas: 0, maxReplicas: 3}}",
        &["minReplicas", "greater than or equal"],
    ),
    (
        "a range without end",
        "spec: {autoscaling: {minReplicas: 1}}",
        &["spec.autoscaling.maxReplicas", "Required value"],
    ),
    ("a hasty deadline", "spec: {rollout: {progressDeadlineSeconds: 1}}", &["progressDeadlineSeconds", "equal to 10"]),
    ("a delay into the past", "spec: {rollout: {scaleDownDelaySeconds: -1}}", &["scaleDownDelaySeconds", "equal to 0"]),
    (
        "a wait for a promotion that never comes by itself",
        "spec: {rollout: {autoPromote: false, autoPromoteAfterSeconds: 60}}",
        &["spec.rollout.autoPromoteAfterSeconds has no meaning with spec.rollout.autoPromote: false"],
    ),
    (
        "a version to promote and to abort",
        "spec: {rollout: {promote: v2, abort: v2}}",
        &["spec.rollout.promote and spec.rollout.abort name the same version"],
    ),
    ("no wait", "spec: {rollout: {autoPromoteAfterSeconds: 0}}", &["autoPromoteAfterSeconds", "equal to 1"]),
    ("an empty approval", "spec: {rollout: {promote: ''}}", &["spec.rollout.promote", "at least 1 chars"]),
    ("an unknown capacity", "spec: {rollout: {capacity: Evict}}", &["spec.rollout.capacity", "Unsupported value"]),
    ("an observation of the past", "spec: {rollout: {observeSeconds: -1}}", &["observeSeconds", "equal to 0"]),
    (
        "no time to approve",
        "spec: {rollout: {promotionDeadlineSeconds: 9}}",
        &["promotionDeadlineSeconds", "equal to 10"],
    ),
    ("no history", "spec: {rollout: {historyLimit: 0}}", &["historyLimit", "equal to 1"]),
    (
        "a tolerance below zero",
        "spec: {rollout: {verification: {absTolerance: -0.1}}}",
        &["spec.rollout.verification.absTolerance", "equal to 0"],
    ),
    (
        "a tolerance that accepts everything",
        "spec: {rollout: {verification: {relTolerance: 1.5}}}",
        &["spec.rollout.verification.relTolerance", "less than or equal to 1"],
    ),
    (
        "no time to answer",
        "spec: {rollout: {verification: {maxP95Milliseconds: 0}}}",
        &["maxP95Milliseconds", "equal to 1"],
    ),
    ("no time to verify", "spec: {rollout: {verification: {timeoutSeconds: 5}}}", &["timeoutSeconds", "equal to 10"]),
    (
        "molecules without a name",
        "spec: {rollout: {verification: {goldenConfigMapRef: {key: a.json}}}}",
        &["goldenConfigMapRef.name", "Required value"],
    ),
    ("a port beyond the last", "spec: {service: {port: 70000}}", &["spec.service.port", "less than or equal to 65535"]),
    (
        "two ports that are one",
        "spec: {service: {port: 9000}}",
        &["spec.service.port", "spec.service.grpcPort", "different"],
    ),
    ("int8 on a GPU", "spec: {runtime: {precision: Int8}}", &["spec.runtime.precision", "accelerator: Cpu"]),
    ("an unknown precision", "spec: {runtime: {precision: Fp8}}", &["spec.runtime.precision", "Unsupported value"]),
    ("a cache of less than nothing", "spec: {runtime: {cache: {maxEntries: -1}}}", &["spec.runtime.cache.maxEntries"]),
    (
        "a Redis without an address",
        "spec: {runtime: {cache: {redis: {}}}}",
        &["spec.runtime.cache.redis.urlSecretRef", "Required value"],
    ),
    ("access by nothing", "spec: {security: {auth: {}}}", &["spec.security.auth", "either apiKeys or tokenReview"]),
    (
        "access by two means",
        "spec: {security: {auth: {apiKeys: {secretRef: {name: a}}, tokenReview: {serviceAccountName: b}}}}",
        &["spec.security.auth", "either apiKeys or tokenReview"],
    ),
    (
        "keys that nobody has who verifies",
        "spec: {security: {auth: {apiKeys: {secretRef: {name: a}}}}}",
        &["spec.security.auth.apiKeys", "spec.rollout.verification.access.credentialsSecretRef"],
    ),
    (
        "certificates that nobody has who verifies",
        "spec: {security: {tls: {secretRef: {name: a}, clientAuthoritySecretRef: {name: b}}}}",
        &["clientAuthoritySecretRef", "spec.rollout.verification.access.clientCertificateSecretRef"],
    ),
    ("an unknown Service", "spec: {service: {type: Headless}}", &["spec.service.type", "Unsupported value"]),
    (
        "a name too long",
        "metadata: {name: a2345678901234567890123456789012345678901}",
        &["metadata.name", "at most 40"],
    ),
    ("a name with a dot", "metadata: {name: boiling.point}", &["metadata.name must be a DNS label"]),
    ("a name of a digit", "metadata: {name: 1st}", &["metadata.name must be a DNS label"]),
    ("a misspelt field", "spec: {replica: 3}", &["unknown field", "spec.replica"]),
    ("a field at the wrong place", "spec: {accelerator: Cpu}", &["unknown field", "spec.accelerator"]),
];

/// The same for changes of a ChemModel that exists: it, the change, the words.
const WRONG_CHANGES: &[(&str, &str, &str, &[&str])] = &[
    (
        "another digest for one version",
        "spec: {model: {digest: 'sha256:0000000000000000000000000000000000000000000000000000000000000000'}}",
        "spec: {model: {digest: 'sha256:1111111111111111111111111111111111111111111111111111111111111111'}}",
        &["spec.model.digest must not change while spec.model.version stays the same"],
    ),
    (
        "a volume that shrinks",
        "spec: {storage: {size: 10Gi}}",
        "spec: {storage: {size: 1Gi}}",
        &["spec.storage.size must not shrink"],
    ),
    (
        "another class for a volume",
        "spec: {storage: {storageClassName: slow}}",
        "spec: {storage: {storageClassName: fast}}",
        &["spec.storage.storageClassName is immutable"],
    ),
    (
        "another access mode for a volume",
        "spec: {storage: {accessMode: ReadWriteMany}}",
        "spec: {storage: {accessMode: ReadWriteOnce}}",
        &["spec.storage.accessMode is immutable"],
    ),
];

#[test]
fn wrong_specs_are_refused_with_the_field_and_the_rule() -> Outcome {
    with_api("refused", async |scene| {
        for (what, change, words) in WRONG {
            let manifest = changed(minimal(), &yaml(change)?);
            let answer =
                kubectl(&["--namespace", &scene.namespace, "apply", "--filename=-"], &manifest.to_string()).await?;
            ensure!(!answer.success, "{what}: was accepted");
            for word in *words {
                ensure!(answer.errors.contains(word), "{what}: the refusal lacks {word:?}: {}", answer.errors);
            }
        }
        Ok(())
    })
}

#[test]
fn wrong_changes_are_refused_with_the_field_and_the_rule() -> Outcome {
    with_api("refused-changes", async |scene| {
        for (number, (what, before, change, words)) in WRONG_CHANGES.iter().enumerate() {
            let named = yaml(&format!("metadata: {{name: model-{number}}}"))?;
            let present = changed(changed(minimal(), &named), &yaml(before)?);
            scene.apply(&present).await?;
            let manifest = changed(present, &yaml(change)?).to_string();
            let answer = kubectl(&["--namespace", &scene.namespace, "apply", "--filename=-"], &manifest).await?;
            ensure!(!answer.success, "{what}: was accepted");
            for word in *words {
                ensure!(answer.errors.contains(word), "{what}: the refusal lacks {word:?}: {}", answer.errors);
            }
        }
        Ok(())
    })
}
