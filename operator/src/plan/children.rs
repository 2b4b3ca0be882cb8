//! Every long-lived child as it must be, and an apply for each one that is not.

use chemmodel_crds::spec::{Autoscaling, StorageMode};
use k8s_openapi::Metadata;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

use super::action::{Action, Child, Guard};
use super::differs::{differs, stamp};
use super::observed::Observed;
use super::rollout::Stage;
use super::rollout::facts::{Facts, Standing};
use crate::build::{
    build_autoscaler, build_deployment, build_disruption_budget, build_network_policy, build_preview, build_service,
    build_service_account, build_volume_claim,
};
use crate::model::ValidatedModel;

/// What pods and Jobs stand on.
pub fn foundations(model: &ValidatedModel, seen: &Observed) -> Vec<Action> {
    let account = ensure(build_service_account(model), seen.service_account.as_ref(), Child::ServiceAccount);
    let claim = match model.spec.storage.mode {
        StorageMode::Volume => ensure(build_volume_claim(model), seen.volume_claim.as_ref(), Child::VolumeClaim),
        StorageMode::Ephemeral => None,
    };
    // Before the pods that it protects.
    let policy = build_network_policy(model)
        .and_then(|policy| ensure(policy, seen.network_policy.as_ref(), Child::NetworkPolicy));
    account.into_iter().chain(claim).chain(policy).collect()
}

/// The Deployments of the active colour and of the candidate. A slot that is neither keeps what it has until it is scaled down.
pub fn slots(model: &ValidatedModel, seen: &Observed, facts: &Facts, stage: &Stage) -> Vec<Action> {
    let candidate = stage.candidate().map(|candidate| candidate.standing);
    facts.active.into_iter().chain(candidate).filter_map(|standing| slot(model, seen, standing)).collect()
}

fn slot(model: &ValidatedModel, seen: &Observed, Standing { colour, revision }: Standing) -> Option<Action> {
    let record = seen.record(revision)?;
    let desired = build_deployment(model, colour, revision, record.template);
    ensure(desired, seen.deployments.get(colour).as_ref(), Child::Deployment)
}

/// What stands before the pods: the Service, whose selector is the switch, the preview of the candidate, and what follows the active
/// colour.
pub fn traffic(model: &ValidatedModel, seen: &Observed, facts: &Facts, stage: &Stage) -> Vec<Action> {
    if let Some(to) = stage.switch() {
        // Nothing else is written with it: what follows the active colour comes with the next plan.
        return service(model, seen, to).into_iter().collect();
    }
    let candidate = stage.candidate().map(|candidate| candidate.standing);
    let preview = candidate.or(facts.active).and_then(|Standing { colour, revision }| {
        ensure(build_preview(model, colour, revision), seen.preview.as_ref(), Child::Service)
    });
    let Some(active) = facts.active else {
        return preview.into_iter().collect();
    };
    let autoscaler = model.spec.autoscaling.as_ref().and_then(|scaling| {
        let scaling = within_what_is_left(scaling, seen, stage, active);
        ensure(build_autoscaler(model, &scaling, active.colour), seen.autoscaler.as_ref(), Child::Autoscaler)
    });
    let budget =
        ensure(build_disruption_budget(model, active.colour), seen.disruption_budget.as_ref(), Child::DisruptionBudget);
    service(model, seen, active).into_iter().chain(preview).chain(autoscaler).chain(budget).collect()
}

/// The Service, only exactly as it was seen: it is the one object on which a write that comes late would do harm.
fn service(model: &ValidatedModel, seen: &Observed, Standing { colour, revision }: Standing) -> Option<Action> {
    let desired = stamp(build_service(model, colour, revision, seen.term));
    let guard = match &seen.service {
        None => Guard::Absent,
        Some(live) if differs(&desired, live) => Guard::Unchanged {
            uid: live.metadata.uid.clone()?,
            resource_version: live.metadata.resource_version.clone()?,
        },
        Some(_) => return None,
    };
    Some(Action::Apply(Box::new(Child::Service(desired)), guard))
}

/// While the active revision gives up pods for the candidate, its autoscaler must not ask for them again.
fn within_what_is_left(scaling: &Autoscaling, seen: &Observed, stage: &Stage, active: Standing) -> Autoscaling {
    let mut scaling = scaling.clone();
    let shrinking = stage.candidate().is_some_and(|candidate| candidate.shrunk_at.is_some());
    if let Some(slot) = seen.slot(active.colour).filter(|slot| shrinking && slot.wanted > 0) {
        scaling.max_replicas = scaling.max_replicas.min(slot.wanted);
        scaling.min_replicas = scaling.min_replicas.min(scaling.max_replicas);
    }
    scaling
}

fn ensure<K>(desired: K, live: Option<&K>, child: fn(K) -> Child) -> Option<Action>
where
    K: Serialize + Metadata<Ty = ObjectMeta>,
{
    let desired = stamp(desired);
    let guard = match live {
        None => Guard::Absent,
        Some(live) if differs(&desired, live) => Guard::SameObject { uid: live.metadata().uid.clone()? },
        Some(_) => return None,
    };
    Some(Action::Apply(Box::new(child(desired)), guard))
}
