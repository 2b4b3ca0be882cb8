//! What Jobs say: how they ended, and the reports of their pods.

use k8s_openapi::api::batch::v1::{Job, JobCondition};

use super::observed::Observed;
use crate::build::ATTEMPT;

/// The newest of the Jobs whose name is that of their attempt, and which attempt it is.
pub fn newest(seen: &Observed, name: impl Fn(u32) -> String) -> Option<(u32, &Job)> {
    seen.jobs
        .iter()
        .filter_map(|job| Some((attempt_of(job)?, job)))
        .filter(|(attempt, job)| job.metadata.name == Some(name(*attempt)))
        .max_by_key(|(attempt, _)| *attempt)
}

/// Which attempt a Job is, from 1.
fn attempt_of(job: &Job) -> Option<u32> {
    job.metadata.annotations.as_ref()?.get(ATTEMPT)?.parse().ok()
}

/// A condition of a Job that holds.
pub fn condition<'a>(job: &'a Job, type_: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == type_ && condition.status == "True")
}

/// What a container of the Job's pods said when it ended, the newest first.
pub fn reports<'a>(seen: &'a Observed, job: &'a Job, container: &'a str) -> impl Iterator<Item = &'a str> {
    let mut ended: Vec<_> = seen
        .job_pods(job.metadata.name.as_deref().unwrap_or_default())
        .filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref()?.iter().find(|c| c.name == container))
        .filter_map(|container| container.state.as_ref()?.terminated.as_ref())
        .collect();
    ended.sort_by_key(|terminated| std::cmp::Reverse(terminated.finished_at.as_ref().map(|time| time.0)));
    ended.into_iter().filter_map(|terminated| terminated.message.as_deref())
}
