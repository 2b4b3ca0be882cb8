//! What `spec.security` and `spec.rollout.verification.access` mean for pods: those of the server, which ask for credentials, and those of
//! the Job that verifies it, which have them.

use chemmodel_crds::spec::{SecretKeyRef, TokenReview};
use k8s_openapi::api::core::v1::{
    KeyToPath, ProjectedVolumeSource, SecretVolumeSource, ServiceAccountTokenProjection, Volume, VolumeMount,
    VolumeProjection,
};

use crate::model::{ValidatedModel, names};

const ETC: &str = "/etc/chemmodel";
/// Seconds for which a token of the verification holds; the shortest that there is, and longer than most verifications.
const TOKEN_SECONDS: i64 = 600;

/// What a container gets.
#[derive(Debug, Default)]
pub struct Access {
    /// On its command line.
    pub arguments: Vec<String>,
    /// In its pod.
    pub volumes: Vec<Volume>,
    /// In its file system.
    pub mounts: Vec<VolumeMount>,
}

/// For the server.
pub fn of_server(model: &ValidatedModel) -> Access {
    let mut access = Access::default();
    let security = &model.spec.security;
    if let Some(auth) = &security.auth {
        if let Some(keys) = &auth.api_keys {
            let directory = access.secret("api-keys", &keys.secret_ref.name, None);
            access.arguments.push(format!("--api-keys={directory}"));
        }
        if let Some(review) = &auth.token_review {
            access.arguments.push("--token-review".to_owned());
            access.arguments.extend(review.audiences.iter().map(|audience| format!("--token-audience={audience}")));
            access.arguments.extend(allowed(model, review).map(|name| format!("--token-allow={name}")));
        }
    }
    if let Some(tls) = &security.tls {
        let directory = access.secret("tls", &tls.secret_ref.name, None);
        access.arguments.push(format!("--tls-certificate={directory}/tls.crt"));
        access.arguments.push(format!("--tls-key={directory}/tls.key"));
        if let Some(authority) = &tls.client_authority_secret_ref {
            let directory = access.secret("client-authority", &authority.name, Some("ca.crt"));
            access.arguments.push(format!("--tls-client-authority={directory}/ca.crt"));
        }
    }
    access
}

/// Whoever the spec names, and the Jobs that verify; everybody when the spec names nobody.
fn allowed<'a>(model: &'a ValidatedModel, review: &'a TokenReview) -> impl Iterator<Item = String> + 'a {
    let verifier = format!("system:serviceaccount:{}:{}", model.namespace, names::shared(model));
    let verifier = (!review.allow.is_empty()).then_some(verifier);
    review.allow.iter().cloned().chain(verifier)
}

/// For the Job that verifies.
pub fn of_verification(model: &ValidatedModel) -> Access {
    let mut access = Access::default();
    let security = &model.spec.security;
    let own = model.spec.rollout.verification.access.clone().unwrap_or_default();
    if let Some(tls) = &security.tls {
        let directory = access.secret("tls", &tls.secret_ref.name, Some("ca.crt"));
        access.arguments.push(format!("--tls-name={}.{}.svc", names::shared(model), model.namespace));
        access.arguments.push(format!("--tls-authority={directory}/ca.crt"));
        if let Some(certificate) = &own.client_certificate_secret_ref {
            let directory = access.secret("client-certificate", &certificate.name, None);
            access.arguments.push(format!("--tls-client={directory}"));
        }
    }
    if let Some(review) = security.auth.as_ref().and_then(|auth| auth.token_review.as_ref()) {
        let directory = access.token(review);
        access.arguments.push(format!("--credentials={directory}/token"));
    } else if let Some(SecretKeyRef { name, key }) = &own.credentials_secret_ref {
        let directory = access.secret("credentials", name, Some(key));
        access.arguments.push(format!("--credentials={directory}/{key}"));
    }
    access
}

impl Access {
    /// Mounts a Secret, or one key of it; returns where.
    fn secret(&mut self, volume: &str, secret: &str, key: Option<&str>) -> String {
        let item = |key: &str| KeyToPath { key: key.to_owned(), path: key.to_owned(), mode: None };
        self.mount(Volume {
            name: volume.to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(secret.to_owned()),
                items: key.map(|key| vec![item(key)]),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        })
    }

    /// Mounts a token that is for the server alone; returns where.
    fn token(&mut self, review: &TokenReview) -> String {
        let token = ServiceAccountTokenProjection {
            audience: review.audiences.first().cloned(),
            expiration_seconds: Some(TOKEN_SECONDS),
            path: "token".to_owned(),
        };
        let source = VolumeProjection { service_account_token: Some(token), ..VolumeProjection::default() };
        self.mount(Volume {
            name: "token".to_owned(),
            projected: Some(ProjectedVolumeSource { default_mode: None, sources: Some(vec![source]) }),
            ..Volume::default()
        })
    }

    fn mount(&mut self, volume: Volume) -> String {
        let path = format!("{ETC}/{}", volume.name);
        self.mounts.push(VolumeMount {
            name: volume.name.clone(),
            mount_path: path.clone(),
            read_only: Some(true),
            ..VolumeMount::default()
        });
        self.volumes.push(volume);
        path
    }
}
