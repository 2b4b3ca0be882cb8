//! From an error of the storage to a reason and a sentence.
//!
//! | the storage says | reason |
//! |---|---|
//! | 404 `NoSuchBucket` | `NotFound` |
//! | 401, 403, expired or malformed tokens | `AccessDenied` |
//! | 412, 416, or a listed object is gone | `ChangedDuringSync` |
//! | 3xx, another region, any other 4xx | `InvalidConfiguration` |
//! | a key that cannot be a path | `UnsafeKey` |
//! | an untrusted certificate | `InvalidConfiguration` |
//! | 5xx, timeouts, no connection | `Unavailable` |

use std::error::Error;

use chemmodel_bundle::report::SyncReason;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as Key;
use reqwest::Url;

use super::error::SyncError;
use super::http::Refused;
use super::uri::S3Uri;
use crate::shown;

/// S3's words for credentials that will not do, whatever the status.
const CREDENTIAL_CODES: [&str; 9] = [
    "AccessDenied",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidIdentityToken",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    // The Versity gateway, with the status 404.
    "XAdminUserNotFound",
];

/// Knows how to name the place and the credentials in a sentence.
#[derive(Debug)]
pub struct Verdict {
    uri: S3Uri,
    endpoint: String,
    credentials: Credentials,
}

/// Where the credentials came from. The values themselves are never kept here.
#[derive(Debug, PartialEq, Eq)]
enum Credentials {
    Anonymous,
    Keys,
    WebIdentity { role: String },
    Container,
    Instance,
}

impl Credentials {
    /// The order is that of `AmazonS3Builder::build`.
    fn of(builder: &AmazonS3Builder) -> Self {
        let get = |key| builder.get_config_value(&key);
        if get(AmazonS3ConfigKey::SkipSignature).as_deref() == Some("true") {
            return Self::Anonymous;
        }
        if get(AmazonS3ConfigKey::AccessKeyId).is_some() {
            return Self::Keys;
        }
        match (get(AmazonS3ConfigKey::WebIdentityTokenFile), get(AmazonS3ConfigKey::RoleArn)) {
            (Some(_), Some(role)) => Self::WebIdentity { role },
            _ if get(AmazonS3ConfigKey::ContainerCredentialsRelativeUri).is_some() => Self::Container,
            _ if get(AmazonS3ConfigKey::ContainerCredentialsFullUri).is_some() => Self::Container,
            _ => Self::Instance,
        }
    }
}

impl std::fmt::Display for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anonymous => f.write_str("no credentials (AWS_SKIP_SIGNATURE)"),
            Self::Keys => f.write_str("the access key in AWS_ACCESS_KEY_ID"),
            Self::WebIdentity { role } => write!(f, "the web identity token for the role {role}"),
            Self::Container => f.write_str("the credentials of the container's role"),
            Self::Instance => f.write_str("the instance's role, because no credentials were given"),
        }
    }
}

impl Verdict {
    /// Reads what it needs from the arguments and the environment.
    pub fn new(uri: S3Uri, endpoint: Option<&Url>, builder: &AmazonS3Builder) -> Self {
        let endpoint = endpoint.map_or("AWS S3".to_owned(), |url| url.as_str().trim_end_matches('/').to_owned());
        Self { uri, endpoint, credentials: Credentials::of(builder) }
    }

    /// Whether requests go out unsigned.
    pub fn anonymous(&self) -> bool {
        self.credentials == Credentials::Anonymous
    }

    /// The bundle's place, for sentences.
    pub fn place(&self) -> String {
        format!("{} at {}", self.uri, self.endpoint)
    }

    /// Credentials could not be had. A service that does not answer may do so later, except for the instance's: it is
    /// asked only because nothing else was configured, and outside AWS nobody is there.
    pub fn on_credentials(&self, error: &object_store::Error) -> SyncError {
        let refused = find::<Refused>(error).is_some();
        // `object_store` leaves nothing but text of a token file that cannot be read.
        let unreadable = error.to_string().contains("token file");
        let lasting = refused || unreadable || self.credentials == Credentials::Instance;
        let reason = if lasting { SyncReason::AccessDenied } else { SyncReason::Unavailable };
        let message = format!(
            "no usable credentials from {}: {}; set model.s3.credentialsSecretRef or model.s3.serviceAccountName",
            self.credentials,
            shown::cause(error)
        );
        SyncError::new(reason, message)
    }

    /// The listing failed.
    pub fn on_listing(&self, error: &object_store::Error) -> SyncError {
        if let object_store::Error::InvalidPath { source } = error {
            let message = format!("a key below {} is not a safe path: {source}; remove the object", self.place());
            return SyncError::new(SyncReason::UnsafeKey, message);
        }
        // The error type is private; its text is the only mark.
        let text = error.to_string();
        if let Some((_, why)) = text.split_once("Got invalid list response: ") {
            let message = format!(
                "the listing of {} cannot be read: {why}; either the endpoint is not an S3 endpoint, or a key holds \
                 characters that XML cannot carry",
                self.place()
            );
            let is_key = ["utf-8", "character reference", "escape", "unescape"]
                .iter()
                .any(|word| why.to_lowercase().contains(word));
            let reason = if is_key { SyncReason::UnsafeKey } else { SyncReason::InvalidConfiguration };
            return SyncError::new(reason, message);
        }
        self.judge(&format!("listing {}", self.place()), error)
    }

    /// Reading one object failed.
    pub fn on_object(&self, key: &Key, error: &object_store::Error) -> SyncError {
        match find::<Refused>(error).map(|refused| refused.status.as_u16()) {
            Some(404 | 412 | 416) => self.changed(key),
            _ => self.judge(&format!("reading \"{key}\" of bucket {} at {}", self.uri.bucket(), self.endpoint), error),
        }
    }

    /// The object is not the one that was listed.
    pub fn changed(&self, key: &Key) -> SyncError {
        let message = format!(
            "\"{key}\" of bucket {} was replaced or removed while it was being read; the next run starts from the new \
             listing, but a published bundle should never change: use another prefix for another version",
            self.uri.bucket()
        );
        SyncError::new(SyncReason::ChangedDuringSync, message)
    }

    fn judge(&self, doing: &str, error: &object_store::Error) -> SyncError {
        match find::<Refused>(error) {
            Some(refused) => self.on_refusal(doing, refused),
            None if certificate_is_at_fault(error) => SyncError::new(
                SyncReason::InvalidConfiguration,
                format!(
                    "{doing} failed: {}; trust its authority with model.s3.caBundleConfigMapRef",
                    shown::cause(error)
                ),
            ),
            None => SyncError::new(
                SyncReason::Unavailable,
                format!(
                    "{doing} failed: {}; check model.s3.endpoint and whether the Job may reach it",
                    shown::cause(error)
                ),
            ),
        }
    }

    fn on_refusal(&self, doing: &str, refused: &Refused) -> SyncError {
        let (status, code) = (refused.status.as_u16(), refused.code.as_str());
        if matches!(status, 300..=399) || code == "AuthorizationHeaderMalformed" {
            let remedy = match &refused.region {
                Some(region) => format!("the bucket is in {region}: set model.s3.region to it"),
                None => "check model.s3.region and model.s3.endpoint".to_owned(),
            };
            return SyncError::new(
                SyncReason::InvalidConfiguration,
                format!("{doing} was answered with {refused}; {remedy}"),
            );
        }
        if matches!(status, 401 | 403) || CREDENTIAL_CODES.contains(&code) {
            let remedy = match code {
                "RequestTimeTooSkewed" => "correct the clock of the node",
                "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "XAdminUserNotFound" => {
                    "correct the access key and its secret"
                }
                _ => "allow s3:ListBucket on the bucket and s3:GetObject below the prefix",
            };
            let message = format!("{doing} was refused with {refused}; {} was used: {remedy}", self.credentials);
            return SyncError::new(SyncReason::AccessDenied, message);
        }
        if status == 404 {
            let bucket = self.uri.bucket();
            let message = format!(
                "{doing} was answered with {refused}; create the bucket \"{bucket}\", or correct model.uri or model.s3.endpoint"
            );
            return SyncError::new(SyncReason::NotFound, message);
        }
        let message = format!("{doing} was refused with {refused}; check whether model.s3.endpoint is an S3 endpoint");
        SyncError::new(SyncReason::InvalidConfiguration, message)
    }
}

/// The first `T` among an error and its sources.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    shown::causes(error).find_map(|e| e.downcast_ref())
}

fn certificate_is_at_fault(error: &(dyn Error + 'static)) -> bool {
    shown::cause(error).contains("certificate")
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
