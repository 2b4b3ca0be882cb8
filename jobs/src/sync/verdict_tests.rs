use http::StatusCode;
use object_store::client::{HttpError, HttpErrorKind};

use super::*;

fn verdict() -> Verdict {
    let builder = AmazonS3Builder::new().with_access_key_id("AKIAEXAMPLE").with_secret_access_key("hunter2");
    let endpoint = "https://minio:9000".parse().unwrap();
    Verdict::new("s3://models/bp/v1".parse().unwrap(), Some(&endpoint), &builder)
}

/// As it comes out of `object_store`: wrapped, with the refusal as a source.
fn refused(status: u16, code: &str, region: Option<&str>) -> object_store::Error {
    let status = StatusCode::from_u16(status).unwrap();
    let region = region.map(str::to_owned);
    let refused = Refused { status, code: code.to_owned(), message: "S3 says no.".to_owned(), region };
    object_store::Error::Generic { store: "S3", source: Box::new(HttpError::new(HttpErrorKind::Unknown, refused)) }
}

fn transport(text: &str) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: text.into() }
}

#[test]
fn the_reason_of_a_failed_listing_follows_from_the_answer() {
    use SyncReason::{AccessDenied, InvalidConfiguration, NotFound, Unavailable};
    let cases = [
        (refused(404, "NoSuchBucket", None), NotFound, "create the bucket \"models\""),
        (refused(403, "InvalidAccessKeyId", None), AccessDenied, "correct the access key"),
        (refused(403, "SignatureDoesNotMatch", None), AccessDenied, "correct the access key"),
        (refused(403, "AccessDenied", None), AccessDenied, "allow s3:ListBucket"),
        (refused(400, "ExpiredToken", None), AccessDenied, "the access key in AWS_ACCESS_KEY_ID"),
        (refused(403, "RequestTimeTooSkewed", None), AccessDenied, "clock"),
        (refused(301, "PermanentRedirect", Some("eu-west-1")), InvalidConfiguration, "set model.s3.region"),
        (refused(400, "AuthorizationHeaderMalformed", None), InvalidConfiguration, "model.s3.region"),
        (refused(405, "MethodNotAllowed", None), InvalidConfiguration, "is an S3 endpoint"),
        (transport("invalid peer certificate: UnknownIssuer"), InvalidConfiguration, "caBundleConfigMapRef"),
        (transport("connection refused"), Unavailable, "connection refused"),
    ];
    for (error, reason, words) in cases {
        let found = verdict().on_listing(&error);
        assert_eq!(found.reason, reason, "{error}");
        assert!(found.message.contains(words), "expected \"{words}\" in \"{}\"", found.message);
        assert!(found.message.contains("s3://models/bp/v1 at https://minio:9000"), "{}", found.message);
    }
}

#[test]
fn an_object_that_is_gone_or_replaced_has_changed() {
    for status in [404, 412, 416] {
        assert_eq!(
            verdict().on_object(&Key::from("bp/v1/x"), &refused(status, "", None)).reason,
            SyncReason::ChangedDuringSync
        );
    }
    assert_eq!(verdict().on_object(&Key::from("bp/v1/x"), &refused(403, "", None)).reason, SyncReason::AccessDenied);
}

#[test]
fn no_sentence_holds_a_key_or_its_secret() {
    for error in [refused(403, "InvalidAccessKeyId", None), transport("reset"), refused(404, "NoSuchBucket", None)] {
        let message = verdict().on_listing(&error).message + &verdict().on_credentials(&error).message;
        assert!(!message.contains("hunter2") && !message.contains("AKIAEXAMPLE"), "{message}");
    }
}

#[test]
fn the_source_of_the_credentials_is_named() {
    let named = |builder: &AmazonS3Builder| Credentials::of(builder).to_string();
    let web = AmazonS3Builder::new()
        .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, "/token")
        .with_config(AmazonS3ConfigKey::RoleArn, "arn:aws:iam::1:role/models");
    assert!(named(&web).contains("arn:aws:iam::1:role/models"));
    assert!(named(&AmazonS3Builder::new()).contains("no credentials were given"));
    assert!(named(&AmazonS3Builder::new().with_skip_signature(true)).contains("AWS_SKIP_SIGNATURE"));
}
