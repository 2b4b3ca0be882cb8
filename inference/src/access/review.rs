//! Tokens of the cluster, as every pod can have one: the API server says whose they are. Source:
//! <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/>.

use std::path::{Path, PathBuf};
use std::time::Duration;

use moka::sync::Cache;
use reqwest::{Certificate, Client};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::Denied;
use crate::reload;

/// How long an answer of the API server holds: so long a token may go on after it was revoked.
const LIFETIME: Duration = Duration::from_mins(1);
/// For the API server; the caller waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// Tokens that are remembered.
const TOKENS: u64 = 10_000;

/// What is asked, and of whom.
#[derive(Debug, Clone)]
pub struct ReviewConfig {
    /// Address of the API server.
    pub server: String,
    /// Directory with `token` and `ca.crt` of this pod.
    pub account: PathBuf,
    /// For whom a token must have been made; empty means for the API server.
    pub audiences: Vec<String>,
    /// Users and groups that may ask; empty means all that are known.
    pub allow: Vec<String>,
}

/// Asks the API server.
pub struct Review {
    config: ReviewConfig,
    client: Client,
    /// By the hash of the token: the memory of a process is no place for tokens.
    known: Cache<[u8; 32], Result<User, Denied>>,
}

/// Whose a token is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct User {
    username: String,
    groups: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    api_version: &'static str,
    kind: &'static str,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct Spec<'a> {
    token: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    audiences: &'a [String],
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    authenticated: bool,
    user: User,
    audiences: Vec<String>,
}

impl Review {
    /// Fails when the pod's own account is not there.
    pub fn new(config: ReviewConfig) -> Result<Self, String> {
        let authority = config.account.join("ca.crt");
        let authority = Certificate::from_pem_bundle(&reload::file(&authority)?)
            .map_err(|error| format!("{}: {error}", authority.display()))?;
        own_token(&config.account)?;
        let client = Client::builder().tls_certs_only(authority).timeout(PATIENCE).build();
        let client = client.map_err(|error| format!("the client for the API server: {error}"))?;
        let known = Cache::builder().max_capacity(TOKENS).time_to_live(LIFETIME).build();
        Ok(Self { config, client, known })
    }

    /// Whose the token is, when that somebody may ask.
    pub async fn check(&self, token: &str) -> Result<String, Denied> {
        let hash = Sha256::digest(token.as_bytes()).into();
        let user = if let Some(user) = self.known.get(&hash) {
            user
        } else {
            let user = self.ask(token).await;
            // What the API server could not say now it may say in a moment.
            if user != Err(Denied::Unavailable) {
                self.known.insert(hash, user.clone());
            }
            user
        };
        let User { username, groups } = user?;
        let allow = &self.config.allow;
        if allow.is_empty() || allow.contains(&username) || groups.iter().any(|group| allow.contains(group)) {
            return Ok(username);
        }
        Err(Denied::Forbidden(username))
    }

    async fn ask(&self, token: &str) -> Result<User, Denied> {
        let audiences = &self.config.audiences;
        let status = self.review(token).await.map_err(|error| {
            warn!(error, "the API server did not say whose a token is");
            Denied::Unavailable
        })?;
        // A server that knows no audiences names none: the token may have been made for somebody else.
        let is_ours = audiences.is_empty() || status.audiences.iter().any(|audience| audiences.contains(audience));
        if status.authenticated && is_ours { Ok(status.user) } else { Err(Denied::Unknown) }
    }

    async fn review(&self, token: &str) -> Result<Status, String> {
        let address = format!("{}/apis/authentication.k8s.io/v1/tokenreviews", self.config.server);
        let question = Question {
            api_version: "authentication.k8s.io/v1",
            kind: "TokenReview",
            spec: Spec { token, audiences: &self.config.audiences },
        };
        let question = serde_json::to_vec(&question).map_err(|error| error.to_string())?;
        let asked = self.client.post(address).bearer_auth(own_token(&self.config.account)?);
        let asked = asked.header("content-type", "application/json").body(question).send().await;
        // The reason alone: an error may show the address, never the token, which is in the body.
        let answer = asked.and_then(reqwest::Response::error_for_status).map_err(|error| error.to_string())?;
        let answer = answer.bytes().await.map_err(|error| error.to_string())?;
        let answer: Answer = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        Ok(answer.status)
    }
}

/// Read anew each time: the kubelet replaces it.
fn own_token(account: &Path) -> Result<String, String> {
    let token = reload::file(&account.join("token"))?;
    Ok(String::from_utf8_lossy(&token).trim().to_owned())
}
