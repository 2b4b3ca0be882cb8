//! `spec.security`: who may reach the model, and how.

use k8s_openapi::api::networking::v1::NetworkPolicyPeer;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretKeyRef, SecretRef};

/// Who may reach the model, and how.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Security {
    /// Which pods may connect to the server's pods. Works where the cluster's network enforces NetworkPolicies.
    pub network_policy: NetworkPolicySettings,
    /// Whom the server answers; everybody who can connect when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Encryption of predictions; none when absent. Probes and metrics are not encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// Which pods may connect.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkPolicySettings {
    /// True makes a NetworkPolicy.
    pub enabled: bool,
    /// Who may ask for predictions, as in a NetworkPolicy; the pods of the same namespace when empty. The Jobs that verify a version may always,
    /// and probes and metrics are open to all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_from: Vec<NetworkPolicyPeer>,
}

/// Whom the server answers: one of the two.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.apiKeys) != has(self.tokenReview)")
    .message("spec.security.auth needs either apiKeys or tokenReview"))]
pub struct Auth {
    /// Who has a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_keys: Option<ApiKeys>,
    /// Whom the cluster knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_review: Option<TokenReview>,
}

/// Keys of callers.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeys {
    /// Secret with an entry for each caller: its name, and `sha256:` with the hash of its key. A change is seen within a minute or so.
    pub secret_ref: SecretRef,
}

/// Tokens of the cluster.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TokenReview {
    /// ServiceAccount of the server's pods, which must be allowed to create TokenReviews (ClusterRole `system:auth-delegator`).
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: String,
    /// For whom a token must have been made; for the API server when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub audiences: Vec<String>,
    /// Users and groups that may ask, such as `system:serviceaccounts:chem`; all that the cluster knows when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub allow: Vec<String>,
}

/// Encryption of predictions.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// Secret of type `kubernetes.io/tls`. The certificate must be for `<name>.<namespace>.svc`, and `ca.crt` be there for the verification. A new
    /// certificate is used within a minute or so.
    pub secret_ref: SecretRef,
    /// Secret with `ca.crt`: clients must show a certificate of this authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_authority_secret_ref: Option<SecretRef>,
}

/// How the Jobs that verify a version get past `spec.security`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct VerificationAccess {
    /// Secret with a key of a caller, in plain; with `auth.apiKeys`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretKeyRef>,
    /// Secret of type `kubernetes.io/tls`; with `tls.clientAuthoritySecretRef`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_secret_ref: Option<SecretRef>,
}
