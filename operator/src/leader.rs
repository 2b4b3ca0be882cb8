//! One of several replicas leads: who holds the Lease.
//!
//! The Lease is written with optimistic locking, so that of two that want it one is refused. Whether a holder is alive is judged by
//! this process's own clock since the Lease last changed, never by another machine's time. A leader that cannot renew gives up by
//! returning: the process ends, and with it everything that was under way (fail-stop).
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]
#![allow(clippy::disallowed_methods, reason = "a lease is about time")]

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::Instant;

/// A holder that has not renewed for so long is gone.
const DURATION: Duration = Duration::from_secs(15);
/// A leader that could not renew for so long gives up, well before others take over.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Between two looks at the Lease.
const PERIOD: Duration = Duration::from_secs(2);

/// A candidate for the lead.
pub struct Election {
    api: Api<Lease>,
    name: String,
    identity: String,
}

impl Election {
    /// A candidate. `client` must not retry by itself: a renewal that sleeps in a retry outlives the Lease.
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), identity: identity.to_owned() }
    }

    /// Waits until this replica leads; returns the number of its term, which is larger than that of every leader before.
    pub async fn acquire(&self) -> i32 {
        let mut seen: Option<(Option<String>, Instant)> = None;
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            match self.try_acquire(&mut seen).await {
                Ok(Some(term)) => return term,
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, lease = self.name, "cannot read or write the Lease; trying again"),
            }
        }
    }

    /// Renews until that fails for too long, and then returns: the caller must stop leading at once.
    pub async fn hold(&self) {
        let mut renewed = Instant::now();
        let mut ticks = tokio::time::interval(PERIOD);
        while renewed.elapsed() < RENEW_DEADLINE {
            ticks.tick().await;
            match tokio::time::timeout(RENEW_DEADLINE.saturating_sub(renewed.elapsed()), self.renew()).await {
                Ok(Ok(true)) => renewed = Instant::now(),
                Ok(Ok(false)) => {
                    tracing::error!(lease = self.name, "another replica holds the Lease");
                    return;
                }
                Ok(Err(error)) => tracing::warn!(%error, lease = self.name, "cannot renew the Lease; trying again"),
                Err(_) => tracing::warn!(lease = self.name, "renewing the Lease took too long"),
            }
        }
        tracing::error!(lease = self.name, "the Lease could not be renewed in time");
    }

    /// Gives the Lease back, so that the next leader need not wait for its end.
    pub async fn release(&self) {
        let released = async {
            let mut lease = self.api.get(&self.name).await?;
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(&self.identity) {
                spec.holder_identity = None;
                self.api.replace(&self.name, &PostParams::default(), &lease).await?;
            }
            Ok::<_, kube::Error>(())
        };
        match tokio::time::timeout(PERIOD, released).await {
            Ok(Ok(())) => tracing::info!(lease = self.name, "gave the Lease back"),
            Ok(Err(error)) => tracing::warn!(%error, "cannot give the Lease back"),
            Err(_) => tracing::warn!("giving the Lease back took too long"),
        }
    }

    async fn try_acquire(&self, seen: &mut Option<(Option<String>, Instant)>) -> Result<Option<i32>, kube::Error> {
        let Some(lease) = self.api.get_opt(&self.name).await? else {
            return written(self.api.create(&PostParams::default(), &self.claim(None)).await);
        };
        let version = lease.metadata.resource_version.clone();
        let unchanged_since = match seen {
            Some((known, since)) if *known == version => *since,
            _ => {
                *seen = Some((version, Instant::now()));
                Instant::now()
            }
        };
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
        let free = holder.is_none_or(|holder| holder.is_empty() || holder == self.identity);
        if !free && unchanged_since.elapsed() < DURATION {
            return Ok(None);
        }
        written(self.api.replace(&self.name, &PostParams::default(), &self.claim(Some(lease))).await)
    }

    async fn renew(&self) -> Result<bool, kube::Error> {
        let mut lease = self.api.get(&self.name).await?;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.identity) {
            return Ok(false);
        }
        spec.renew_time = Some(MicroTime(Timestamp::now()));
        self.api.replace(&self.name, &PostParams::default(), &lease).await?;
        Ok(true)
    }

    /// The Lease with this replica as holder; built upon the one that was read, so that a change since then refuses it.
    fn claim(&self, present: Option<Lease>) -> Lease {
        let now = MicroTime(Timestamp::now());
        let is_new = present.is_none();
        let mut lease = present.unwrap_or_else(|| Lease {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            spec: None,
        });
        let spec = lease.spec.get_or_insert_default();
        // Counts hand-overs, also from a holder that gave the Lease back.
        let handed_over = spec.holder_identity.as_deref() != Some(&self.identity);
        // A Lease that was deleted must not begin again below the terms that there were.
        let minutes = i32::try_from(now.0.as_second() / 60).unwrap_or(i32::MAX);
        let transitions = match spec.lease_transitions {
            Some(transitions) if !is_new => transitions.saturating_add(i32::from(handed_over)),
            _ => minutes,
        };
        *spec = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        };
        lease
    }
}

/// The term of the Lease that was written. A conflict means that another replica was first.
fn written(answer: Result<Lease, kube::Error>) -> Result<Option<i32>, kube::Error> {
    match answer {
        Ok(lease) => Ok(Some(lease.spec.and_then(|spec| spec.lease_transitions).unwrap_or(0))),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(None),
        Err(error) => Err(error),
    }
}
