//! Where credentials may come from, and whom the job trusts.

use std::sync::{Arc, Mutex};

use chemmodel_bundle::report::SyncReason;

use crate::bundle::Bundle;
use crate::fake::{self, Fake, Response};
use crate::gateway::Gateway;
use crate::job::Job;

/// A self-signed certificate for 127.0.0.1.
struct Authority {
    directory: tempfile::TempDir,
    key: rcgen::KeyPair,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        std::fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
        Self { directory, key, certificate }
    }

    fn file(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    fn server(&self) -> Arc<rustls::ServerConfig> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = rustls::pki_types::PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        Arc::new(config.with_single_cert(vec![self.certificate.der().clone()], key).unwrap())
    }
}

#[test]
fn a_private_authority_is_trusted_only_when_it_is_named() {
    let (authority, target, bundle) = (Authority::new(), tempfile::tempdir().unwrap(), Bundle::small());
    let gateway = Gateway::start_with(&["--cert", &authority.file("ca.pem"), "--key", &authority.file("key.pem")]);
    gateway.place("bp/v1", &bundle);
    let job = || Job::sync(&gateway.endpoint(), "bp/v1", target.path());
    job().run().assert_failed(SyncReason::InvalidConfiguration, &["certificate", "caBundleConfigMapRef"]);
    job()
        .args(&["--ca-bundle", &authority.file("key.pem")])
        .run()
        .assert_failed(SyncReason::InvalidConfiguration, &["key.pem", "PEM"]);
    job().args(&["--ca-bundle", &authority.file("ca.pem")]).run().succeeded();
    bundle.assert_published(target.path());
}

#[test]
fn an_image_without_certificate_authorities_still_reaches_what_it_is_told_to_trust() {
    let (authority, bundle) = (Authority::new(), Bundle::small());
    let tls = Gateway::start_with(&["--cert", &authority.file("ca.pem"), "--key", &authority.file("key.pem")]);
    let plain = Gateway::start();
    tls.place("bp/v1", &bundle);
    plain.upload("bp/v1", &bundle);
    let ca = authority.file("ca.pem");
    for (endpoint, args) in [(plain.endpoint(), vec![]), (tls.endpoint(), vec!["--ca-bundle", &ca])] {
        let target = tempfile::tempdir().unwrap();
        let job = Job::sync(&endpoint, "bp/v1", target.path()).args(&args);
        job.env("SSL_CERT_FILE", "/absent").env("SSL_CERT_DIR", "/absent").run().succeeded();
        bundle.assert_published(target.path());
    }
}

#[test]
fn a_web_identity_token_is_exchanged_for_credentials() {
    let (authority, target, bundle) = (Authority::new(), tempfile::tempdir().unwrap(), Bundle::small());
    let token = authority.file("token");
    std::fs::write(&token, "the-projected-token").unwrap();
    let sts = Fake::start_tls(authority.server(), |request| {
        let asked = format!("{} {}", request.target, request.body);
        if !asked.contains("AssumeRoleWithWebIdentity") || !asked.contains("the-projected-token") {
            return Response::error(400, "InvalidIdentityToken");
        }
        Response::new(
            200,
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ROLEKEY</AccessKeyId>\
             <SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-session</SessionToken>\
             <Expiration>2126-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>",
        )
    });
    let (seen, served) = (Arc::new(Mutex::new(Vec::new())), bundle.clone());
    let log = Arc::clone(&seen);
    let s3 = Fake::start(move |request| {
        log.lock().unwrap().push(request.head.clone());
        fake::serve(&served, "bp/v1", request)
    });
    let job = || {
        Job::sync(&s3.endpoint(), "bp/v1", target.path())
            .without_keys()
            .args(&["--ca-bundle", &authority.file("ca.pem")])
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
            .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/models")
            .env("AWS_ENDPOINT_URL_STS", &sts.endpoint())
    };
    let ended = job().run();
    ended.succeeded();
    bundle.assert_published(target.path());
    assert!(!ended.stderr.contains("role-secret") && !ended.stderr.contains("role-session"));
    for head in seen.lock().unwrap().iter() {
        assert!(head.contains("credential=rolekey/") && head.contains("x-amz-security-token: role-session"), "{head}");
    }

    std::fs::write(&token, "an-expired-token").unwrap();
    let ended = job().run();
    ended.assert_failed(
        SyncReason::AccessDenied,
        &["arn:aws:iam::1:role/models", "InvalidIdentityToken", "serviceAccountName"],
    );
}

#[test]
fn a_credentials_service_that_is_away_may_come_back_but_missing_credentials_do_not() {
    let target = tempfile::tempdir().unwrap();
    let job = || Job::sync("http://127.0.0.1:1", "bp/v1", target.path()).without_keys().retry_seconds(1);
    let token = tempfile::NamedTempFile::new().unwrap();
    let role =
        |file: &str| job().env("AWS_WEB_IDENTITY_TOKEN_FILE", file).env("AWS_ROLE_ARN", "arn:aws:iam::1:role/models");
    let away = role(token.path().to_str().unwrap()).env("AWS_ENDPOINT_URL_STS", "https://127.0.0.1:1").run();
    away.assert_failed(SyncReason::Unavailable, &["arn:aws:iam::1:role/models"]);
    role("/absent/token").run().assert_failed(SyncReason::AccessDenied, &["No such file"]);
    let nothing = job().env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1").run();
    nothing.assert_failed(SyncReason::AccessDenied, &["no credentials were given", "credentialsSecretRef"]);
}

#[test]
fn half_a_pair_of_keys_is_a_wrong_configuration() {
    let target = tempfile::tempdir().unwrap();
    let ended =
        Job::sync("http://127.0.0.1:1", "bp/v1", target.path()).without_keys().env("AWS_ACCESS_KEY_ID", "half").run();
    ended.assert_failed(SyncReason::InvalidConfiguration, &["SecretAccessKey"]);
}
