//! How rollouts ended, read off the difference of two statuses: each end is told once, because the status that tells it is the one that
//! the next difference begins with.

use chemmodel_crds::ChemModelStatus;
use chemmodel_crds::conditions::reason;
use chemmodel_crds::status::{HistoryEntry, Outcome, Slot, Verified};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The history with what has just ended, the newest first.
///
/// `found` is what the verification of the spec's revision has come to by now.
pub fn after(
    before: &ChemModelStatus,
    after: &ChemModelStatus,
    found: Option<Verified>,
    limit: i32,
    now: Timestamp,
) -> Vec<HistoryEntry> {
    let ended = [
        given_up(before, after, found),
        promoted(before, after, now),
        left(before, after, now),
        superseded(before, after, now),
    ];
    let kept = before.history.iter().cloned();
    ended.into_iter().flatten().chain(kept).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}

/// A revision was given up, before or after it had traffic.
fn given_up(before: &ChemModelStatus, after: &ChemModelStatus, found: Option<Verified>) -> Option<HistoryEntry> {
    let failed = after.failed.as_ref().filter(|failed| before.failed.as_ref() != Some(failed))?;
    let candidate = before.candidate.as_ref().filter(|candidate| candidate.revision == failed.revision);
    let active = before.active.as_ref().filter(|active| active.revision == failed.revision);
    let started = candidate
        .map(|candidate| candidate.started_at.clone())
        .or_else(|| active.map(|active| active.started_at.clone().unwrap_or_else(|| active.since.clone())));
    Some(HistoryEntry {
        revision: failed.revision.clone(),
        version: failed.version.clone(),
        digest: candidate.and_then(|c| c.digest.clone()).or_else(|| active.map(|active| active.digest.clone())),
        outcome: failed.outcome,
        reason: failed.reason.clone(),
        message: failed.message.clone(),
        verification: active.and_then(|active| active.verification.clone()).or(found),
        started_at: started.unwrap_or_else(|| failed.at.clone()),
        finished_at: failed.at.clone(),
    })
}

/// The active revision stood its observation.
fn promoted(before: &ChemModelStatus, after: &ChemModelStatus, now: Timestamp) -> Option<HistoryEntry> {
    let revision = |status: &ChemModelStatus| status.stable.as_ref().map(|stable| stable.revision.clone());
    let active = after.active.as_ref().filter(|active| revision(after).as_ref() == Some(&active.revision))?;
    (revision(before) != revision(after)).then(|| {
        let message = format!("version {} has the traffic for good", active.version);
        of_active(active, Outcome::Promoted, reason::PROMOTED, message, now)
    })
}

/// The traffic went back because the spec did.
fn left(before: &ChemModelStatus, after: &ChemModelStatus, now: Timestamp) -> Option<HistoryEntry> {
    let active = before.active.as_ref()?;
    let on_trial = before.stable.as_ref().is_some_and(|stable| stable.revision != active.revision);
    let went_back = after.active.as_ref().is_some_and(|a| {
        before.stable.as_ref().is_some_and(|stable| stable.revision == a.revision) && a.revision != active.revision
    });
    let told = before.failed.as_ref().is_some_and(|failed| failed.revision == active.revision);
    (on_trial && went_back && !told).then(|| {
        let message = format!("version {} lost the traffic because the spec went back", active.version);
        of_active(active, Outcome::RolledBack, reason::SPEC_CHANGED, message, now)
    })
}

/// Another spec came before the candidate had traffic.
fn superseded(before: &ChemModelStatus, after: &ChemModelStatus, now: Timestamp) -> Option<HistoryEntry> {
    let candidate = before.candidate.as_ref()?;
    let is = |revision: Option<&String>| revision == Some(&candidate.revision);
    let goes_on = is(after.candidate.as_ref().map(|candidate| &candidate.revision))
        || is(after.active.as_ref().map(|active| &active.revision))
        || is(after.failed.as_ref().map(|failed| &failed.revision));
    (!goes_on).then(|| HistoryEntry {
        revision: candidate.revision.clone(),
        version: candidate.version.clone(),
        digest: candidate.digest.clone(),
        outcome: Outcome::Superseded,
        reason: reason::SPEC_CHANGED.to_owned(),
        message: format!("another spec came before version {} had traffic", candidate.version),
        verification: candidate.verification.clone(),
        started_at: candidate.started_at.clone(),
        finished_at: Time(now),
    })
}

fn of_active(active: &Slot, outcome: Outcome, reason: &str, message: String, now: Timestamp) -> HistoryEntry {
    HistoryEntry {
        revision: active.revision.clone(),
        version: active.version.clone(),
        digest: Some(active.digest.clone()),
        outcome,
        reason: reason.to_owned(),
        message,
        verification: active.verification.clone(),
        started_at: active.started_at.clone().unwrap_or_else(|| active.since.clone()),
        finished_at: Time(now),
    }
}
