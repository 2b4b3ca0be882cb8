//! `spec.model`: which bundle, and how to reach it.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The bundle to serve and where it lies.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// `s3://bucket/prefix`; the prefix is one bundle: manifest, ONNX files, tokenizer, golden molecules.
    #[schemars(length(max = 1024))]
    #[x_kube(
        validation = Rule::new("self.startsWith('s3://')").message("spec.model.uri must start with s3://"),
        validation = Rule::new("self.matches('^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$') || !self.startsWith('s3://')")
            .message("spec.model.uri must be s3://bucket/prefix with a valid bucket name and a prefix that is not empty"),
        validation = Rule::new("!self.startsWith('s3://') || (!self.contains('/../') && !self.endsWith('/..') && !self.contains('/./') && !self.substring(5).contains('//'))")
            .message("spec.model.uri must not contain '.', '..' or empty path segments")
    )]
    pub uri: String,

    /// Name of this version, shown everywhere; a DNS label such as `v1`. One version is one digest, for ever.
    #[schemars(length(max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')")
        .message("spec.model.version must be lower-case letters, digits, '-' and '.', starting and ending with a letter or digit"))]
    pub version: String,

    /// `sha256:` digest of the bundle's manifest. When absent, the digest that the first sync finds is recorded and kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71))]
    #[x_kube(validation = Rule::new("self.matches('^sha256:[0-9a-f]{64}$')")
        .message("spec.model.digest must be sha256: followed by 64 lower-case hexadecimal digits"))]
    pub digest: Option<String>,

    /// How to reach the object storage. When absent: AWS, with the credentials of the environment.
    #[serde(default)]
    pub s3: S3,
}

/// How to reach the object storage.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.credentialsSecretRef) && has(self.serviceAccountName))")
    .message("spec.model.s3.credentialsSecretRef and spec.model.s3.serviceAccountName are exclusive: use static keys or web identity, not both"))]
pub struct S3 {
    /// URL of an S3-compatible server, such as `https://minio.storage:9000`. When absent: AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^https?://[^/]+')")
        .message("spec.model.s3.endpoint must be a URL that starts with http:// or https://"))]
    pub endpoint: Option<String>,

    /// Region, such as `eu-central-1`; `us-east-1` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub region: Option<String>,

    /// Secret in the same namespace with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and optionally `AWS_SESSION_TOKEN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretRef>,

    /// ServiceAccount in the same namespace whose web identity may read the bucket (IRSA, Pod Identity). Used by the pods that fetch
    /// the bundle: the sync Job, and the server's pods in storage mode `Ephemeral`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,

    /// ConfigMap in the same namespace with certificates, in PEM, that are trusted in addition to the well-known ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_config_map_ref: Option<CaBundle>,

    /// True addresses buckets as `endpoint/bucket` rather than `bucket.endpoint`; most servers other than AWS need it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force_path_style: bool,
}

/// A Secret in the ChemModel's namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// A key of a Secret in the ChemModel's namespace.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in it; `url` when absent.
    #[serde(default = "SecretKeyRef::default_key")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

impl SecretKeyRef {
    fn default_key() -> String {
        "url".into()
    }
}

/// A key of a ConfigMap in the ChemModel's namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CaBundle {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key that holds the certificates.
    #[serde(default = "CaBundle::default_key")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

impl CaBundle {
    fn default_key() -> String {
        "ca.crt".into()
    }
}
