//! Turns refusals of the storage into typed errors.
//!
//! `object_store` hands a 4xx on as text inside private error types, and listing errors lose even the status. This
//! wrapper around its HTTP client makes a [`Refused`] of every answer that trying again cannot change; it travels as
//! the source of `object_store`'s error. Answers worth another try pass through untouched.

use async_trait::async_trait;
use futures::StreamExt;
use http::StatusCode;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    ReqwestConnector,
};

/// Longest error document that is looked at.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// The storage understood the request and said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// HTTP status.
    pub status: StatusCode,
    /// S3's word for it, such as `NoSuchBucket`; empty when the body has none.
    pub code: String,
    /// S3's sentence; empty when the body has none.
    pub message: String,
    /// Where the bucket really is, when the storage says so.
    pub region: Option<String>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, code, message, region: _ } = self;
        match (code.as_str(), message.as_str()) {
            ("", _) => write!(f, "{status}"),
            (_, "") => write!(f, "{status} {code}"),
            _ => write!(f, "{status} {code}: {message}"),
        }
    }
}

impl std::error::Error for Refused {}

/// Makes clients that answer with [`Refused`].
#[derive(Debug, Default)]
pub struct Connector {
    inner: ReqwestConnector,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client { inner: self.inner.connect(options)? }))
    }
}

#[derive(Debug)]
struct Client {
    inner: HttpClient,
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.inner.execute(request).await?;
        let status = response.status();
        let again =
            status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        if status.is_success() || again {
            return Ok(response);
        }
        let region = response.headers().get("x-amz-bucket-region").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = beginning(response.into_body()).await;
        let (code, message) = (element(&body, "Code"), element(&body, "Message"));
        Err(HttpError::new(HttpErrorKind::Unknown, Refused { status, code, message, region }))
    }
}

async fn beginning(body: HttpResponseBody) -> String {
    let mut stream = body.bytes_stream();
    let mut text = Vec::new();
    while let Some(Ok(chunk)) = stream.next().await {
        text.extend_from_slice(&chunk);
        if text.len() >= MAX_ERROR_BYTES {
            break;
        }
    }
    text.truncate(MAX_ERROR_BYTES);
    String::from_utf8_lossy(&text).into_owned()
}

/// The text of the first `<name>` of an S3 error document: a flat list of elements without attributes.
fn element(document: &str, name: &str) -> String {
    let find = || {
        let rest = document.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim().to_owned())
    };
    find().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_message_are_taken_from_the_error_document() {
        let document = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>The bucket is not there.</Message></Error>";
        assert_eq!(element(document, "Code"), "NoSuchBucket");
        assert_eq!(element(document, "Message"), "The bucket is not there.");
        for broken in ["", "<html>no</html>", "<Code>cut off", "</Code><Code>"] {
            assert_eq!(element(broken, "Code"), "");
        }
    }
}
