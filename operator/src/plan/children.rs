//! Every long-lived child as it must be, and an apply for each one that is not.

use chemmodel_crds::spec::StorageMode;
use chemmodel_crds::status::Colour;
use k8s_openapi::Metadata;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

use super::action::{Action, Child, Guard};
use super::differs::{differs, stamp};
use super::observed::Observed;
use super::rollout::Stage;
use crate::build::{
    RecordedRevision, build_autoscaler, build_deployment, build_disruption_budget, build_service,
    build_service_account, build_volume_claim,
};
use crate::model::ValidatedModel;
use crate::model::revision::RevisionHash;

/// What pods and Jobs stand on.
pub fn foundations(model: &ValidatedModel, seen: &Observed) -> Vec<Action> {
    let account = ensure(build_service_account(model), seen.service_account.as_ref(), Child::ServiceAccount);
    let claim = match model.spec.storage.mode {
        StorageMode::Volume => ensure(build_volume_claim(model), seen.volume_claim.as_ref(), Child::VolumeClaim),
        StorageMode::Ephemeral => None,
    };
    account.into_iter().chain(claim).collect()
}

/// The Deployments of the active colour and of the candidate. A slot that is neither keeps what it has until it is scaled down.
pub fn slots(model: &ValidatedModel, seen: &Observed, stage: &Stage) -> Vec<Action> {
    let mut records = seen.records();
    let active = seen.active().and_then(|(colour, revision)| {
        let (_, record) = records.remove(&revision)?;
        slot(model, seen, colour, &revision, &record)
    });
    let candidate =
        stage.candidate().and_then(|(colour, record, _)| slot(model, seen, colour, &model.revision, record));
    active.into_iter().chain(candidate).collect()
}

fn slot(
    model: &ValidatedModel,
    seen: &Observed,
    colour: Colour,
    revision: &RevisionHash,
    record: &RecordedRevision,
) -> Option<Action> {
    let desired = build_deployment(model, colour, revision, record.template.clone());
    ensure(desired, seen.deployments.get(colour).as_ref(), Child::Deployment)
}

/// What stands before the pods: the Service, whose selector is the switch, and what follows the active colour.
pub fn traffic(model: &ValidatedModel, seen: &Observed, stage: &Stage) -> Vec<Action> {
    if let Stage::Switching { colour, .. } = stage {
        return switch(model, seen, *colour).into_iter().collect();
    }
    let Some((colour, revision)) = seen.active() else {
        return Vec::new();
    };
    let service = ensure(build_service(model, colour, &revision), seen.service.as_ref(), Child::Service);
    let autoscaler = model.spec.autoscaling.as_ref().and_then(|scaling| {
        ensure(build_autoscaler(model, scaling, colour), seen.autoscaler.as_ref(), Child::Autoscaler)
    });
    let budget =
        ensure(build_disruption_budget(model, colour), seen.disruption_budget.as_ref(), Child::DisruptionBudget);
    service.into_iter().chain(autoscaler).chain(budget).collect()
}

/// Nothing but the selector, and only on the Service exactly as it was seen. What follows the active colour comes with the next plan.
fn switch(model: &ValidatedModel, seen: &Observed, colour: Colour) -> Option<Action> {
    let desired = stamp(build_service(model, colour, &model.revision));
    let guard = match &seen.service {
        None => Guard::Absent,
        Some(live) => Guard::Unchanged {
            uid: live.metadata.uid.clone()?,
            resource_version: live.metadata.resource_version.clone()?,
        },
    };
    Some(Action::Apply(Box::new(Child::Service(desired)), guard))
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
