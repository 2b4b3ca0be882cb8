//! What the operator says to the other programs is what they understand. No cluster needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper that cannot go on fails its test")]

use std::num::NonZeroUsize;
use std::sync::Arc;

use chemmodel_bundle::report::SyncReason;
use chemmodel_bundle::verification::VerifyReason;
use chemmodel_bundle::{BundleDigest, Precision};
use chemmodel_crds::ChemModel;
use chemmodel_crds::spec::StorageMode;
use chemmodel_inference::http::{App, ops, router};
use chemmodel_jobs::args::Command;
use chemmodel_operator::build::{Keep, RecordedRevision, build_pod_template, build_sync_job, build_verify_job};
use chemmodel_operator::model::{Settings, ValidatedModel, validate};
use chemmodel_tests::environment::repository;
use clap::Parser as _;
use http::{Method, Request, StatusCode};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[test]
fn the_server_understands_the_arguments_of_its_pod() {
    let mut spec = full_spec();
    for accelerator in ["Cpu", "Cuda"] {
        spec["runtime"]["accelerator"] = json!(accelerator);
        let args = server_args(&spec);
        assert_eq!(args.name, "boiling-point");
        assert_eq!(args.version, "v7");
        assert_eq!(args.digest, Some(digest()));
        assert!(args.bundle.ends_with(format!("models/{}", digest().hex())), "{}", args.bundle.display());
        assert_eq!(format!("{:?}", args.accelerator), accelerator);
    }
}

#[test]
fn every_setting_of_spec_runtime_reaches_the_server() {
    let args = server_args(&full_spec());
    assert_eq!(args.threads.unwrap().get(), 3);
    assert_eq!(args.max_batch_tokens.get(), 1001);
    assert_eq!(args.max_batch_items.get(), 102);
    assert_eq!(args.max_queue_items.get(), 1003);
    assert_eq!(args.max_smiles_length.get(), 104);
    assert_eq!(args.max_items_per_request.get(), 105);
    assert_eq!(args.cache_entries, 106);
    assert_eq!(args.precision, Precision::Int8);
}

#[test]
fn what_the_spec_says_of_a_gpu_reaches_the_server() {
    let mut spec = full_spec();
    spec["runtime"] =
        json!({"accelerator": "Cuda", "precision": "Fp16", "gpu": {"memoryLimitMebibytes": 2048, "tf32": true}});
    let args = server_args(&spec);
    assert_eq!(args.gpu_memory_limit.map(NonZeroUsize::get), Some(2048));
    assert!(args.tf32);
    assert_eq!(args.precision, Precision::Fp16);
}

#[test]
fn defaults_of_the_spec_are_defaults_of_the_server() {
    let silent = server_args(&json!({"model": {"uri": "s3://models/boiling-point/v7", "version": "v7"}}));
    let own = chemmodel_inference::args::Args::parse_from(["server", "--bundle=b", "--name=n", "--version=v"]);
    assert_eq!(silent.threads, own.threads);
    assert_eq!(silent.max_batch_tokens, own.max_batch_tokens);
    assert_eq!(silent.max_batch_items, own.max_batch_items);
    assert_eq!(silent.max_queue_items, own.max_queue_items);
    assert_eq!(silent.max_smiles_length, own.max_smiles_length);
    assert_eq!(silent.max_items_per_request, own.max_items_per_request);
    assert_eq!(silent.cache_entries, own.cache_entries);
    assert_eq!(silent.precision, own.precision);
    assert_eq!((silent.gpu_memory_limit, silent.tf32), (own.gpu_memory_limit, own.tf32));
}

#[test]
fn the_job_understands_the_arguments_of_its_pod() {
    let model = validated(&full_spec());
    let pinned = digest();
    for pin in [None, Some(&pinned)] {
        let container = container_of(build_sync_job(&model, 1, pin, Keep::Everything));
        let sync = sync_args(&container);
        assert_eq!(sync.uri.to_string(), "s3://models/boiling-point/v7");
        assert_eq!(sync.digest.as_ref(), pin);
        assert_eq!(sync.endpoint.unwrap().as_str(), "https://minio.storage:9000/");
        assert_eq!(sync.region.as_deref(), Some("eu-central-1"));
        assert!(sync.path_style);
        assert!(has_mount(&container, &sync.target), "{container:#?}");
        assert!(has_mount(&container, sync.ca_bundle.unwrap().parent().unwrap()), "{container:#?}");
        assert_eq!(container.termination_message_path, None, "the kubelet must read the default termination log");
        assert_eq!(sync.reporting.termination_log.to_str().unwrap(), "/dev/termination-log");
    }
}

#[test]
fn a_job_that_collects_bundles_is_told_which_ones_stay() {
    let kept = [digest(), BundleDigest::of(b"another manifest")];
    let job = |keep| sync_args(&container_of(build_sync_job(&validated(&full_spec()), 1, None, keep)));
    let collecting = job(Keep::Only(&kept));
    assert!(collecting.collect);
    assert_eq!(collecting.keep, kept);
    let careful = job(Keep::Everything);
    assert!(!careful.collect && careful.keep.is_empty(), "{careful:?}");
}

#[test]
fn the_job_understands_the_arguments_of_a_verification() {
    let mut spec = full_spec();
    spec["service"] = json!({"port": 8000});
    spec["rollout"] = json!({"verification": {
        "goldenConfigMapRef": {"name": "molecules", "key": "more.json"}, "absTolerance": 0.5, "relTolerance": 0.001,
        "maxP95Milliseconds": 250, "timeoutSeconds": 77
    }});
    let model = validated(&spec);
    let container = container_of(build_verify_job(&model, &recorded(), 1, &pods()));
    let verify = verify_args(&container);
    assert_eq!((verify.digest, verify.version.as_str()), (digest(), "v7"));
    let server = server_args(&spec);
    assert_eq!(Some(verify.revision.as_str()), Some(server.revision.as_str()), "the server answers with its revision");
    assert_eq!(verify.bundle, server.bundle);
    let asked: Vec<_> = verify.pods.iter().map(|pod| (pod.name.as_str(), pod.address.to_string())).collect();
    assert_eq!(asked, [("a", "10.0.0.1:8080".to_owned()), ("b", "[fd00::1]:8080".to_owned())]);
    assert_eq!(verify.ops_port, server.ops_address.port());
    assert_eq!(verify.service.as_str(), "http://boiling-point-preview:8000/");
    assert_eq!((verify.abs_tolerance, verify.rel_tolerance), (Some(0.5), Some(0.001)));
    assert_eq!(verify.max_p95_milliseconds, Some(250));
    assert!((50..77).contains(&verify.timeout_seconds), "a fifth is left for the start and the report: {verify:?}");
    let golden = verify.golden.unwrap();
    assert_eq!(golden.file_name().unwrap(), "more.json");
    assert!(has_mount(&container, golden.parent().unwrap()), "{container:#?}");
    assert!(container.volume_mounts.iter().flatten().any(|mount| verify.bundle.starts_with(&mount.mount_path)));
    assert_eq!(container.termination_message_path, None, "the kubelet must read the default termination log");
    assert_eq!(verify.reporting.termination_log.to_str().unwrap(), "/dev/termination-log");
}

#[test]
fn a_verification_without_wishes_uses_the_tolerances_of_the_bundle() {
    let container = container_of(build_verify_job(&validated(&full_spec()), &recorded(), 1, &pods()));
    let verify = verify_args(&container);
    assert_eq!((verify.abs_tolerance, verify.rel_tolerance, verify.max_p95_milliseconds), (None, None, None));
    assert_eq!(verify.golden, None);
}

#[test]
fn server_and_verification_go_through_the_same_door() {
    let mut spec = full_spec();
    spec["security"] = json!({
        "auth": {"apiKeys": {"secretRef": {"name": "callers"}}},
        "tls": {"secretRef": {"name": "certificate"}, "clientAuthoritySecretRef": {"name": "clients"}},
    });
    spec["rollout"] = json!({"verification": {"access": {
        "credentialsSecretRef": {"name": "verifier", "key": "key"}, "clientCertificateSecretRef": {"name": "own"},
    }}});
    let server = server_container(&spec);
    let args = parse_server(&server);
    assert!(has_mount(&server, &args.api_keys.unwrap()));
    for file in [args.tls_certificate, args.tls_key, args.tls_client_authority] {
        assert!(has_mount(&server, file.unwrap().parent().unwrap()), "{server:#?}");
    }
    let container = container_of(build_verify_job(&validated(&spec), &recorded(), 1, &pods()));
    let verify = verify_args(&container);
    assert_eq!(verify.tls_name.as_deref(), Some("boiling-point.chem.svc"));
    assert!(has_mount(&container, &verify.tls_client.unwrap()), "{container:#?}");
    for file in [verify.credentials, verify.tls_authority] {
        assert!(has_mount(&container, file.unwrap().parent().unwrap()), "{container:#?}");
    }
}

#[test]
fn a_server_that_asks_the_cluster_lets_its_own_verification_in() {
    let mut spec = full_spec();
    spec["security"] = json!({"auth": {"tokenReview": {
        "serviceAccountName": "reviewer", "audiences": ["chemmodel"], "allow": ["system:serviceaccounts:lab"],
    }}});
    let pod = build_pod_template(&validated(&spec), &digest()).spec.unwrap();
    assert_eq!(pod.service_account_name.as_deref(), Some("reviewer"));
    assert_eq!(pod.automount_service_account_token, Some(true));
    let args = parse_server(&pod.containers[0]);
    let job = build_verify_job(&validated(&spec), &recorded(), 1, &pods()).spec.unwrap().template.spec.unwrap();
    let verifier = format!("system:serviceaccount:chem:{}", job.service_account_name.unwrap());
    assert!(args.token_review && args.token_audience == ["chemmodel"]);
    assert_eq!(args.token_allow, ["system:serviceaccounts:lab".to_owned(), verifier]);
    let verify = verify_args(&job.containers[0]);
    assert!(has_mount(&job.containers[0], verify.credentials.unwrap().parent().unwrap()));
}

#[test]
fn an_ephemeral_pod_fetches_the_recorded_digest_to_where_its_server_looks() {
    let mut spec = full_spec();
    spec["storage"] = json!({"mode": "Ephemeral"});
    let pod = build_pod_template(&validated(&spec), &digest()).spec.unwrap();
    let sync = sync_args(&pod.init_containers.unwrap()[0]);
    let server = parse_server(&pod.containers[0]);
    assert_eq!(sync.digest, Some(digest()));
    assert_eq!(server.bundle, sync.target.join("models").join(digest().hex()));
}

#[test]
fn ports_are_those_on_which_the_server_listens() {
    let server = server_container(&full_spec());
    let args = parse_server(&server);
    for (name, listens) in [("http", args.http_address), ("grpc", args.grpc_address), ("ops", args.ops_address)] {
        let port = server.ports.as_ref().unwrap().iter().find(|port| port.name.as_deref() == Some(name)).unwrap();
        assert_eq!(port.container_port, i32::from(listens.port()), "{name}");
        assert!(listens.ip().is_unspecified(), "{name} must be reachable from outside of the pod");
    }
}

#[tokio::test]
async fn probes_ask_for_paths_that_the_server_answers() {
    let server = server_container(&full_spec());
    for probe in [&server.startup_probe, &server.readiness_probe, &server.liveness_probe] {
        let get = probe.as_ref().and_then(|probe: &Probe| probe.http_get.as_ref()).expect("a probe by HTTP");
        assert_eq!(get.port, IntOrString::String("ops".to_owned()));
        let path = get.path.as_deref().unwrap();
        let request = Request::get(path).body(String::new()).unwrap();
        let status = ops::router(app()).oneshot(request).await.unwrap().status();
        assert_ne!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn metrics_are_where_the_pods_annotations_say() {
    let pod = build_pod_template(&validated(&full_spec()), &digest());
    let annotations = pod.metadata.unwrap().annotations.unwrap();
    let args = server_args(&full_spec());
    assert_eq!(annotations["prometheus.io/port"], args.ops_address.port().to_string());
    let request = Request::get(&annotations["prometheus.io/path"]).body(String::new()).unwrap();
    assert_eq!(ops::router(app()).oneshot(request).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn predictions_are_at_the_path_of_the_readme() {
    let request = Request::builder().method(Method::POST).uri("/predict").body(String::new()).unwrap();
    assert_ne!(router(app()).oneshot(request).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_job_ends_at_once_on_exactly_those_exit_codes_that_no_retry_mends() {
    let model = validated(&full_spec());
    let sync = final_codes(build_sync_job(&model, 1, None, Keep::Everything));
    for reason in SyncReason::ALL {
        let ends = sync.contains(&i32::from(reason.exit_code()));
        assert_eq!(ends, !reason.retryable(), "{reason} has exit code {}", reason.exit_code());
    }
    let verify = final_codes(build_verify_job(&model, &recorded(), 1, &pods()));
    for reason in VerifyReason::ALL {
        let ends = verify.contains(&i32::from(reason.exit_code()));
        assert_eq!(ends, !reason.retryable(), "{reason} has exit code {}", reason.exit_code());
    }
    assert!(![sync, verify].concat().iter().any(|code| [0, 1].contains(code)), "a crash may be tried again");
}

#[test]
fn the_installed_definition_is_the_one_of_the_types() {
    let generated = chemmodel_crds::crd::yaml().unwrap();
    for path in ["crds/chemmodel.yaml", "charts/chemmodel-operator/files/chemmodel.yaml"] {
        let written = std::fs::read_to_string(repository(path)).unwrap();
        assert!(written == generated, "{path} is not what the types say: run `make generate`");
    }
}

/// A spec in which every setting that becomes an argument differs from its default.
fn full_spec() -> Value {
    json!({
        "model": {
            "uri": "s3://models/boiling-point/v7", "version": "v7",
            "s3": {"endpoint": "https://minio.storage:9000", "region": "eu-central-1", "forcePathStyle": true,
                   "caBundleConfigMapRef": {"name": "trust", "key": "roots.pem"}}
        },
        "runtime": {
            "accelerator": "Cpu", "precision": "Int8", "threads": 3,
            "batching": {"maxBatchTokens": 1001, "maxBatchItems": 102, "maxQueueItems": 1003},
            "limits": {"maxSmilesLength": 104, "maxItemsPerRequest": 105},
            "cache": {"maxEntries": 106, "redis": {"urlSecretRef": {"name": "redis"}}}
        }
    })
}

fn validated(spec: &Value) -> ValidatedModel {
    let model: ChemModel = serde_json::from_value(json!({
        "apiVersion": "chemmodel.io/v1alpha1", "kind": "ChemModel",
        "metadata": {"name": "boiling-point", "namespace": "chem", "uid": "0b7f", "generation": 1}, "spec": spec
    }))
    .unwrap();
    let settings = Settings {
        server_image_cpu: "server:cpu".to_owned(),
        server_image_cuda: "server:cuda".to_owned(),
        job_image: "job".to_owned(),
    };
    validate(&model, &settings).unwrap()
}

fn digest() -> BundleDigest {
    BundleDigest::of(b"a manifest")
}

fn server_container(spec: &Value) -> Container {
    build_pod_template(&validated(spec), &digest()).spec.unwrap().containers.remove(0)
}

fn server_args(spec: &Value) -> chemmodel_inference::args::Args {
    parse_server(&server_container(spec))
}

/// The bundle of [`full_spec`], synced.
fn recorded() -> RecordedRevision {
    RecordedRevision {
        version: "v7".to_owned(),
        uri: "s3://models/boiling-point/v7".to_owned(),
        digest: digest(),
        storage: StorageMode::Volume,
        template: build_pod_template(&validated(&full_spec()), &digest()),
    }
}

fn pods() -> [(String, String); 2] {
    [("a", "10.0.0.1"), ("b", "fd00::1")].map(|(name, address)| (name.to_owned(), address.to_owned()))
}

fn container_of(job: Job) -> Container {
    job.spec.unwrap().template.spec.unwrap().containers.remove(0)
}

/// The exit codes after which a Job is not tried again.
fn final_codes(job: Job) -> Vec<i32> {
    let rules = job.spec.unwrap().pod_failure_policy.unwrap().rules;
    let rule = rules.into_iter().find(|rule| rule.action == "FailJob").expect("a rule that fails the Job");
    let codes = rule.on_exit_codes.unwrap();
    assert_eq!(codes.operator, "In");
    codes.values
}

fn parse_server(container: &Container) -> chemmodel_inference::args::Args {
    let arguments = container.args.as_ref().unwrap().iter().map(String::as_str);
    chemmodel_inference::args::Args::try_parse_from(std::iter::once("chemmodel-server").chain(arguments)).unwrap()
}

fn job_command(container: &Container) -> Command {
    let words = container.command.iter().chain(&container.args).flatten();
    chemmodel_jobs::args::Args::try_parse_from(words).unwrap().command
}

fn sync_args(container: &Container) -> chemmodel_jobs::args::SyncArgs {
    let Command::Sync(sync) = job_command(container) else { panic!("not a sync: {container:#?}") };
    sync
}

fn verify_args(container: &Container) -> chemmodel_jobs::args::VerifyArgs {
    let Command::Verify(verify) = job_command(container) else { panic!("not a verification: {container:#?}") };
    verify
}

fn has_mount(container: &Container, path: &std::path::Path) -> bool {
    container.volume_mounts.iter().flatten().any(|mount| std::path::Path::new(&mount.mount_path) == path)
}

fn app() -> Arc<App> {
    Arc::new(App::new(Arc::new(chemmodel_inference::metrics::Metrics::new("m", "v", "r").unwrap())))
}
