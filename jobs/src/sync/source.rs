//! The bundle's prefix in S3: opened from the arguments and the AWS environment, listed, read in ranges.
//!
//! Every failure leaves here as a [`SyncError`]; nobody else looks at errors of `object_store`.

use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as Key;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, RetryConfig,
};

use chemmodel_bundle::report::SyncReason;
use reqwest::Url;

use super::args::SyncArgs;
use super::error::SyncError;
use super::http::Connector;
use super::pinned::Pinned;
use super::verdict::Verdict;
use crate::shown;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// The time limit ends the retries, not their number.
const MAX_RETRIES: usize = 1000;

/// One prefix of one bucket.
#[derive(Debug)]
pub struct Source {
    store: AmazonS3,
    prefix: Key,
    verdict: Verdict,
}

impl Source {
    /// Sets the client up; nothing is sent yet.
    pub fn open(args: &SyncArgs) -> Result<Self, SyncError> {
        let wrong = |why: String| SyncError::new(SyncReason::InvalidConfiguration, why);
        let bucket = args.uri.bucket();
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        if let Some(region) = &args.region {
            builder = builder.with_region(region);
        }
        let endpoint = match &args.endpoint {
            Some(endpoint) => Some(endpoint.clone()),
            None => endpoint_of_environment(&builder)?,
        };
        let path_style = args.path_style || needs_path_style(bucket, endpoint.as_ref());
        if let Some(endpoint) = &endpoint {
            let url = if path_style { endpoint.clone() } else { virtual_host(endpoint, bucket).map_err(wrong)? };
            builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, url.as_str().trim_end_matches('/'));
        }
        let judge = Verdict::new(args.uri.clone(), endpoint.as_ref(), &builder);
        let store = builder
            .with_virtual_hosted_style_request(!path_style)
            .with_client_options(client_options(args, endpoint.as_ref())?)
            .with_retry(retry_config(args))
            .with_http_connector(Connector::default())
            .build()
            .map_err(|why| wrong(format!("the S3 client cannot be set up for {}: {}", args.uri, shown::cause(&why))))?;
        let prefix = Key::parse(args.uri.prefix())
            .map_err(|why| wrong(format!("the prefix of {} cannot be used: {why}", args.uri)))?;
        Ok(Self { store, prefix, verdict: judge })
    }

    /// Fetches credentials now, so that their failure is not taken for the storage's.
    pub async fn authenticate(&self) -> Result<(), SyncError> {
        if self.verdict.anonymous() {
            return Ok(());
        }
        self.store.credentials().get_credential().await.map(drop).map_err(|why| self.verdict.on_credentials(&why))
    }

    /// What every key of the bundle starts with, without the slash.
    pub fn prefix(&self) -> &Key {
        &self.prefix
    }

    /// Names objects and errors of this source.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The objects below the prefix, but no more than `limit`. `object_store` ends the prefix with `/` by itself, so
    /// `models/v1` never matches `models/v10/…`.
    pub async fn list(&self, limit: usize) -> Result<Vec<ObjectMeta>, SyncError> {
        let listing = self.store.list(Some(&self.prefix)).take(limit).try_collect();
        listing.await.map_err(|why| self.verdict.on_listing(&why))
    }

    /// Names beside and below the prefix's parent, for a hint; empty when they cannot be had.
    pub async fn neighbours(&self) -> Vec<String> {
        let parent = self.prefix.parent();
        let Ok(found) = self.store.list_with_delimiter(parent.as_ref()).await else { return Vec::new() };
        let prefixes = found.common_prefixes.iter().map(|p| format!("{p}/"));
        prefixes.chain(found.objects.iter().map(|o| o.location.to_string())).collect()
    }

    /// The bytes of `range` as they arrive. An object that is no longer the listed one is an error.
    pub async fn read(
        &self,
        object: &Pinned,
        range: Range<u64>,
    ) -> Result<BoxStream<'_, Result<Bytes, SyncError>>, SyncError> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: object.etag.clone(),
            ..GetOptions::default()
        };
        let key = object.key.clone();
        let answer = self.store.get_opts(&key, options).await.map_err(|why| self.verdict.on_object(&key, &why))?;
        // A storage that ignores If-Match still says what it sent.
        let same = object.size == answer.meta.size
            && (object.etag.is_none() || answer.meta.e_tag.is_none() || object.etag == answer.meta.e_tag);
        if !same {
            return Err(self.verdict.changed(&key));
        }
        Ok(answer.into_stream().map_err(move |why| self.verdict.on_object(&key, &why)).boxed())
    }

    /// A small object whole.
    pub async fn read_all(&self, object: &Pinned) -> Result<Bytes, SyncError> {
        let mut bytes = BytesMut::new();
        if object.size > 0 {
            let mut stream = self.read(object, 0..object.size).await?;
            while let Some(chunk) = stream.try_next().await? {
                bytes.extend_from_slice(&chunk);
            }
        }
        Ok(bytes.freeze())
    }
}

fn endpoint_of_environment(builder: &AmazonS3Builder) -> Result<Option<Url>, SyncError> {
    // The AWS SDKs let the variable of the service win over the general one.
    let keys = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    let Some(text) = keys.iter().find_map(|key| builder.get_config_value(key)) else { return Ok(None) };
    let url = text.parse().map_err(|why| {
        let message = format!(
            "the S3 endpoint \"{text}\" of the environment (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL) is no URL: {why}"
        );
        SyncError::new(SyncReason::InvalidConfiguration, message)
    })?;
    Ok(Some(url))
}

/// An address has no subdomains, and the certificate of AWS covers only one level of them.
fn needs_path_style(bucket: &str, endpoint: Option<&Url>) -> bool {
    match endpoint {
        Some(url) => url.domain().is_none(),
        None => bucket.contains('.'),
    }
}

fn virtual_host(endpoint: &Url, bucket: &str) -> Result<Url, String> {
    let mut url = endpoint.clone();
    let host = format!("{bucket}.{}", endpoint.host_str().unwrap_or_default());
    match url.set_host(Some(&host)) {
        Ok(()) => Ok(url),
        Err(why) => Err(format!("{host} is not a host name: {why}; ask for path style (s3.forcePathStyle)")),
    }
}

fn retry_config(args: &SyncArgs) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: FIRST_BACKOFF, max_backoff: LONGEST_BACKOFF, base: 2.0 },
        max_retries: MAX_RETRIES,
        retry_timeout: Duration::from_secs(args.retry_seconds),
    }
}

fn client_options(args: &SyncArgs, endpoint: Option<&Url>) -> Result<ClientOptions, SyncError> {
    let mut options = ClientOptions::new()
        // Plain HTTP only where the user wrote it.
        .with_allow_http(endpoint.is_some_and(|url| url.scheme() == "http"))
        .with_connect_timeout(CONNECT_TIMEOUT)
        // A whole object may take hours; what must not happen is silence.
        .with_timeout_disabled()
        .with_read_timeout(Duration::from_secs(args.stall_seconds));
    if rustls_native_certs::load_native_certs().certs.is_empty() {
        // Else no client could be made at all, not even for plain HTTP or for an endpoint of the CA bundle.
        tracing::warn!("the image has no certificate authorities; only those of --ca-bundle are trusted");
        options = options.with_no_system_certificates(true);
    }
    if let Some(file) = &args.ca_bundle {
        let wrong = |why: &dyn std::fmt::Display| {
            let message =
                format!("the CA bundle {} cannot be used: {why}; it must hold PEM certificates", file.display());
            SyncError::new(SyncReason::InvalidConfiguration, message)
        };
        let pem = std::fs::read(file).map_err(|why| wrong(&why))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|why| wrong(&why))?;
        if certificates.is_empty() {
            return Err(wrong(&"there is no certificate in it"));
        }
        for certificate in certificates {
            options = options.with_root_certificate(certificate);
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_bucket_becomes_a_subdomain_of_the_endpoint() {
        assert_eq!(
            virtual_host(&url("https://s3.example.org:9000"), "models").unwrap(),
            url("https://models.s3.example.org:9000")
        );
    }

    #[test]
    fn addresses_and_dotted_buckets_need_path_style() {
        assert!(needs_path_style("models", Some(&url("http://10.0.0.1:9000"))));
        assert!(needs_path_style("models", Some(&url("http://[::1]:9000"))));
        assert!(!needs_path_style("models", Some(&url("http://minio:9000"))));
        assert!(needs_path_style("my.models", None));
        assert!(!needs_path_style("models", None));
    }
}
