//! The object storage: one bucket per test.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::TryStreamExt as _;
use http::{Method, Request, header};
use http_body_util::Full;
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsAuthorizer, AwsCredential};
use object_store::client::HttpRequest;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutPayload};

use crate::Bundle;
use crate::environment::variable;
use crate::http::once;

/// A bucket.
pub struct Bucket {
    name: String,
    store: AmazonS3,
}

/// Address and keys of the server.
#[derive(Clone)]
pub struct Access {
    /// URL, the same for the host and for pods.
    pub endpoint: String,
    /// Access key.
    pub key: String,
    /// Secret key.
    pub secret: String,
    /// Region.
    pub region: String,
}

impl Access {
    /// From the environment.
    pub fn from_environment() -> Result<Self> {
        Ok(Self {
            endpoint: variable("S3_ENDPOINT")?,
            key: variable("AWS_ACCESS_KEY_ID")?,
            secret: variable("AWS_SECRET_ACCESS_KEY")?,
            region: variable("AWS_REGION")?,
        })
    }

    /// Makes a bucket.
    pub async fn create(&self, name: &str) -> Result<Bucket> {
        // The library has no call for this; it signs, and the request goes out by hand.
        let address = self.endpoint.strip_prefix("http://").context("S3_ENDPOINT must start with http://")?;
        let uri = format!("{}/{name}", self.endpoint);
        let mut signed: HttpRequest =
            Request::builder().method(Method::PUT).uri(uri).body(Bytes::new().into()).context("a request")?;
        let credential = AwsCredential { key_id: self.key.clone(), secret_key: self.secret.clone(), token: None };
        AwsAuthorizer::new(&credential, "s3", &self.region).try_authorize(&mut signed, None)?;
        let mut request = Request::put(format!("/{name}")).body(Full::from(Bytes::new()))?;
        *request.headers_mut() = signed.headers().clone();
        request.headers_mut().insert(header::HOST, address.parse()?);
        let answer = once(address, request).await?;
        ensure!(
            answer.status.is_success(),
            "bucket {name} cannot be made: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        self.bucket(name)
    }

    /// A bucket that is there.
    pub fn bucket(&self, name: &str) -> Result<Bucket> {
        let store = AmazonS3Builder::new()
            .with_endpoint(&self.endpoint)
            .with_allow_http(true)
            .with_bucket_name(name)
            .with_region(&self.region)
            .with_access_key_id(&self.key)
            .with_secret_access_key(&self.secret)
            .build()?;
        Ok(Bucket { name: name.to_owned(), store })
    }
}

impl Bucket {
    /// `s3://bucket/prefix`.
    pub fn uri(&self, prefix: &str) -> String {
        format!("s3://{}/{prefix}", self.name)
    }

    /// Writes an object.
    pub async fn put(&self, key: &str, content: &[u8]) -> Result<()> {
        let put = self.store.put(&Path::parse(key)?, PutPayload::from(content.to_vec())).await;
        put.with_context(|| format!("{key} cannot be written to bucket {}", self.name))?;
        Ok(())
    }

    /// Reads an object.
    pub async fn get(&self, key: &str) -> Result<Bytes> {
        Ok(self.store.get(&Path::parse(key)?).await?.bytes().await?)
    }

    /// Writes a bundle below a prefix.
    pub async fn upload(&self, prefix: &str, bundle: &Bundle) -> Result<()> {
        for (path, content) in &bundle.files {
            self.put(&format!("{prefix}/{path}"), content).await?;
        }
        Ok(())
    }

    /// Takes an object away.
    pub async fn delete(&self, key: &str) -> Result<()> {
        Ok(self.store.delete(&Path::parse(key)?).await?)
    }

    /// Empties the bucket.
    pub async fn empty(&self) -> Result<()> {
        let objects: Vec<_> = self.store.list(None).try_collect().await?;
        for object in objects {
            self.store.delete(&object.location).await?;
        }
        Ok(())
    }
}
