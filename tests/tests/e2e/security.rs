//! Who may ask: pods that the network lets through, callers with a key, a certificate or a token. A version is verified through the same door.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use chemmodel_bundle::BundleDigest;
use chemmodel_tests::caller::Caller;
use chemmodel_tests::model::{changed, manifest};
use chemmodel_tests::{Model, Outcome, Scene};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::setting::{SOON, bucket_with_both, shared, switch_to};

/// The kubelet looks at Secrets about once a minute.
const KUBELET: Duration = Duration::from_mins(3);

/// A model behind a door, verified through it: `v1`, and then `v2` blue/green.
async fn guarded<'a>(scene: &'a Scene, change: &Value) -> Result<Model<'a>> {
    let bucket = bucket_with_both(scene).await?;
    let model = Model::apply(scene, &changed(manifest("boiling-point", &bucket.uri("v1"), "v1")?, change)).await?;
    model.until_stable("v1").await?;
    model.patch(&switch_to(&bucket, "v2")).await?;
    model.until_stable("v2").await?;
    Ok(model)
}

/// Waits until a caller gets this answer: the node's proxy and the rules of its network hear of pods a moment later.
async fn expect(scene: &Scene, caller: &Caller, url: &str, arguments: &[&str], status: u16) -> Result<()> {
    let what = format!("{url} with {arguments:?} answers {status}");
    let look = async || {
        let seen = caller.status(url, arguments).await?;
        ensure!(seen == status, "it answers {seen}");
        Ok(Some(()))
    };
    scene.until(&what, SOON, look).await
}

#[test]
fn only_a_caller_with_a_key_in_an_allowed_pod_gets_an_answer() -> Outcome {
    shared("keys", async |scene| {
        let hash = |key: &str| BundleDigest::of(key.as_bytes()).to_string();
        let callers = |entries: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "callers"}, "stringData": entries});
        let verifier = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "verifier"}, "stringData": {"key": "the verifier's"}});
        scene.apply(&callers(json!({"lab": hash("the lab's"), "verifier": hash("the verifier's")}))).await?;
        scene.apply(&verifier).await?;
        let model = guarded(
            scene,
            &json!({"spec": {
                "security": {
                    "networkPolicy": {"enabled": true, "allowFrom": [
                        {"podSelector": {"matchLabels": {"may": "ask"}}},
                        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"may": "ask-from-afar"}}}
                    ]},
                    "auth": {"apiKeys": {"secretRef": {"name": "callers"}}}
                },
                "rollout": {"verification": {"access": {"credentialsSecretRef": {"name": "verifier", "key": "key"}}}}
            }}),
        )
        .await?;
        let url = format!("http://{}/predict", model.address().await?);
        let (right, wrong) = ("authorization: Bearer the lab's", "authorization: Bearer a guess");

        let may = Caller::pod(scene, "may", &json!({"may": "ask"})).await?;
        expect(scene, &may, &url, &["--header", right], 200).await?;
        expect(scene, &may, &url, &["--header", "x-api-key: the lab's"], 200).await?;
        expect(scene, &may, &url, &["--header", wrong], 401).await?;
        expect(scene, &may, &url, &[], 401).await?;
        let may_not = Caller::pod(scene, "may-not", &json!({"may": "nothing"})).await?;
        expect(scene, &may_not, &url, &["--header", right], 0).await?;
        Scene::part("keys-afar", async |afar| {
            let may = Caller::pod(afar, "may", &json!({"may": "ask-from-afar"})).await?;
            expect(scene, &may, &url, &["--header", right], 200).await?;
            let may_not = Caller::pod(afar, "may-not", &json!({"may": "ask"})).await?;
            expect(scene, &may_not, &url, &["--header", right], 0).await
        })
        .await?;

        // Without a restart, the lab gets another key.
        scene.apply(&callers(json!({"lab": hash("the lab's new one"), "verifier": hash("the verifier's")}))).await?;
        let new = ["--header", "x-api-key: the lab's new one"];
        let taken = async || Ok((may.status(&url, &new).await? == 200).then_some(()));
        scene.until("the new key is taken", KUBELET, taken).await?;
        expect(scene, &may, &url, &["--header", right], 401).await
    })
}

/// An authority, and Secrets with what it has signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Result<Self> {
        let mut parameters = named("authority")?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?))
    }

    /// A Secret of type `kubernetes.io/tls` with the authority beside it, as cert-manager makes it.
    fn secret(&self, secret: &str, name: &str) -> Result<Value> {
        let key = KeyPair::generate()?;
        let certificate = named(name)?.signed_by(&key, &self.0)?;
        Ok(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret}, "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": certificate.pem(), "tls.key": key.serialize_pem(), "ca.crt": self.0.pem()}
        }))
    }
}

/// Who signs and who is signed must have different names, or OpenSSL takes a certificate for its own authority.
fn named(name: &str) -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(vec![name.to_owned()])?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    Ok(parameters)
}

#[test]
fn a_server_with_a_certificate_answers_only_clients_with_one() -> Outcome {
    shared("certificates", async |scene| {
        let name = format!("boiling-point.{}.svc", scene.namespace);
        let (ours, theirs) = (Authority::new()?, Authority::new()?);
        let client = theirs.secret("verifier", "verifier")?;
        scene.apply(&ours.secret("server", &name)?).await?;
        scene.apply(&client).await?;
        let model = guarded(scene, &json!({"spec": {
            "security": {"tls": {"secretRef": {"name": "server"}, "clientAuthoritySecretRef": {"name": "verifier"}}},
            "rollout": {"verification": {"access": {"clientCertificateSecretRef": {"name": "verifier"}}}}
        }}))
        .await?;

        let address = model.address().await?;
        let (ip, port) = address.split_once(':').unwrap_or((&address, "443"));
        let url = format!("https://{name}:{port}/predict");
        let directory = tempfile::tempdir()?;
        let file = |file: &str, text: &str| -> Result<String> {
            let path = directory.path().join(file);
            fs::write(&path, text)?;
            Ok(path.display().to_string())
        };
        let field = |field: &str| client["stringData"][field].as_str().unwrap_or_default().to_owned();
        let (authority, certificate, key) =
            (file("ca.crt", &ours.0.pem())?, file("tls.crt", &field("tls.crt"))?, file("tls.key", &field("tls.key"))?);
        let place = format!("{name}:{port}:{ip}");
        let anonymous = ["--resolve", &place, "--cacert", &authority];
        let known = [&anonymous[..], &["--cert", &certificate, "--key", &key]].concat();
        let node = Caller::node();
        expect(scene, &node, &url, &known, 200).await?;
        expect(scene, &node, &url, &anonymous, 0).await?;
        let status = model.get().await?.status.and_then(|status| status.url);
        ensure!(status.as_deref().is_some_and(|url| url.starts_with("https://")), "the status says {status:?}");
        Ok(())
    })
}

#[test]
fn a_token_of_the_cluster_is_known_and_only_those_who_are_allowed_get_an_answer() -> Outcome {
    shared("tokens", async |scene| {
        for account in ["reviewer", "lab", "stranger"] {
            scene.kubectl(&["create", "serviceaccount", account]).await?;
        }
        let binding = format!("reviewer-{}", scene.namespace);
        let account = format!("--serviceaccount={}:reviewer", scene.namespace);
        scene
            .kubectl(&["create", "clusterrolebinding", &binding, "--clusterrole=system:auth-delegator", &account])
            .await?;
        let outcome = tokens(scene).await;
        scene.kubectl(&["delete", "clusterrolebinding", &binding]).await?;
        outcome
    })
}

async fn tokens(scene: &Scene) -> Result<()> {
    let lab = format!("system:serviceaccount:{}:lab", scene.namespace);
    let model = guarded(
        scene,
        &json!({"spec": {"security": {"auth": {"tokenReview": {
            "serviceAccountName": "reviewer", "audiences": ["boiling-point"], "allow": [lab]
        }}}}}),
    )
    .await?;
    let url = format!("http://{}/predict", model.address().await?);
    let token = async |account: &str, audience: &str| -> Result<String> {
        let audience = format!("--audience={audience}");
        Ok(format!("authorization: Bearer {}", scene.kubectl(&["create", "token", account, &audience]).await?.trim()))
    };
    let node = Caller::node();
    expect(scene, &node, &url, &["--header", &token("lab", "boiling-point").await?], 200).await?;
    expect(scene, &node, &url, &["--header", &token("lab", "another-model").await?], 401).await?;
    expect(scene, &node, &url, &["--header", &token("stranger", "boiling-point").await?], 403).await?;
    expect(scene, &node, &url, &["--header", "authorization: Bearer nonsense"], 401).await?;
    expect(scene, &node, &url, &[], 401).await
}
