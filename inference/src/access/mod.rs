//! Who may ask for predictions. Health is everybody's business and stays open, and so does the port for probes and metrics, which is
//! another one.

mod keys;
mod review;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

pub use keys::Keys;
pub use review::{Review, ReviewConfig};

use crate::reload::Current;

/// The rule.
pub enum Access {
    /// Everybody who gets this far: a client without a certificate may have been turned away before.
    Open,
    /// Who has a key.
    Keys(Current<Keys>),
    /// Whom the API server of the cluster knows.
    Review(Review),
}

/// Why somebody may not ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is nothing to check.
    #[error("this model asks for credentials; send them as \"Authorization: Bearer ...\"")]
    Missing,
    /// They are nobody's.
    #[error("the credentials are not known here, or not any more")]
    Unknown,
    /// They are somebody's who may not.
    #[error("{0} may not use this model")]
    Forbidden(String),
    /// Nobody could be asked whose they are.
    #[error("the credentials cannot be checked now; try again later")]
    Unavailable,
}

impl Access {
    /// Lets a request pass, or says why not. The name is that of the caller, empty when nobody was asked for one.
    pub async fn check(&self, headers: &HeaderMap) -> Result<String, Denied> {
        match self {
            Self::Open => Ok(String::new()),
            Self::Keys(keys) => {
                let key = bearer(headers).or_else(|| headers.get("x-api-key")?.to_str().ok()).ok_or(Denied::Missing)?;
                keys.borrow().owner(key).map(str::to_owned).ok_or(Denied::Unknown)
            }
            Self::Review(review) => review.check(bearer(headers).ok_or(Denied::Missing)?).await,
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
