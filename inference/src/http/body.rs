//! The body of a request: whether it is wanted, how long it may take and how large it may be. A compressed one arrives
//! here unpacked, so that the limit is on what it unpacks to.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::MAX_BODY_BYTES;
use super::problem::Problem;

/// Bytes of an unwanted body that are read only to be thrown away.
const DISCARDED_BYTES: usize = 16 << 20;

/// The media type of a request without its parameters; empty when there is none.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).map(text).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Refuses an encoding that nobody here unpacks, and a body that says that it is too large.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    check_encoding(headers)?;
    // Said before the body is sent; the limit on the body itself does not rely on it.
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY_BYTES as u64) { Err(too_large()) } else { Ok(()) }
}

/// Refuses an encoding that nobody here unpacks.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING).map(text).filter(|e| !e.eq_ignore_ascii_case("identity")) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("the content encoding \"{encoding}\" is not supported; send gzip, deflate or the plain body"),
        ));
    }
    Ok(())
}

/// All of it, within the time and the limit.
pub(super) async fn read(body: &mut Body, time: Duration) -> Result<Bytes, Problem> {
    match tokio::time::timeout(time, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(why)) if why.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the body ended before it was complete, or is not what its content encoding says; send it again",
        )),
        Err(_) => {
            let sentence = format!("the body did not arrive within {} s; send it faster", time.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, sentence))
        }
    }
}

/// Reads what nobody wants. Many clients send all before they read, and closing under them loses the answer; those that
/// asked whether to send have not begun.
pub(super) async fn discard(headers: &HeaderMap, body: &mut Body, time: Duration) {
    if headers.contains_key(EXPECT) {
        return;
    }
    let read = async {
        let mut left = DISCARDED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(time, read).await;
}

/// A header's value for people.
pub(super) fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn too_large() -> Problem {
    let sentence = format!("the body has more than {MAX_BODY_BYTES} bytes; split the request");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, sentence)
}
