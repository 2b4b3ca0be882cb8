//! Performs the actions of a plan, in order, and stops at the first that fails: the rest follows from the next look at the cluster.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]

use chemmodel_crds::labels::MANAGER;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::Error;
use crate::model::ValidatedModel;
use crate::plan::{Action, Child, Doomed, Guard, Kind};

/// Performs the actions.
///
/// # Errors
/// Names the action that failed, and the object.
pub async fn apply(client: &Client, model: &ValidatedModel, actions: Vec<Action>) -> Result<(), Error> {
    let writer = Writer { client, namespace: &model.namespace, owner: &model.owner.uid };
    for action in actions {
        match action {
            Action::Apply(child, guard) => match *child {
                Child::ServiceAccount(object) => writer.apply(object, guard).await?,
                Child::VolumeClaim(object) => writer.apply(object, guard).await?,
                Child::Job(object) => writer.apply(object, guard).await?,
                Child::Revision(object) => writer.apply(object, guard).await?,
                Child::Deployment(object) => writer.apply(object, guard).await?,
                Child::Service(object) => writer.apply(object, guard).await?,
                Child::Autoscaler(object) => writer.apply(object, guard).await?,
                Child::DisruptionBudget(object) => writer.apply(object, guard).await?,
                Child::NetworkPolicy(object) => writer.apply(object, guard).await?,
            },
            Action::Scale { deployment, replicas } => writer.scale(&deployment, replicas).await?,
            Action::Delete(doomed) => match doomed.kind {
                Kind::Job => writer.delete::<Job>(&doomed).await?,
                Kind::Revision => writer.delete::<ControllerRevision>(&doomed).await?,
                Kind::VolumeClaim => writer.delete::<PersistentVolumeClaim>(&doomed).await?,
                Kind::Autoscaler => writer.delete::<HorizontalPodAutoscaler>(&doomed).await?,
                Kind::NetworkPolicy => writer.delete::<NetworkPolicy>(&doomed).await?,
            },
        }
    }
    Ok(())
}

struct Writer<'a> {
    client: &'a Client,
    namespace: &'a str,
    owner: &'a str,
}

impl Writer<'_> {
    fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    async fn apply<K>(&self, mut object: K, guard: Guard) -> Result<(), Error>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + Serialize
            + DeserializeOwned,
    {
        let (kind, name) = (kind::<K>(), object.name_any());
        let failed = |source| Error::Apply { verb: "apply", kind, name: name.clone(), source };
        let api = self.api::<K>();
        match guard {
            // Server-side apply takes over whatever has the name; so look first whose it is.
            Guard::Absent => match api.get_metadata_opt(&name).await.map_err(failed)? {
                Some(present) if present.owner_references().iter().all(|owner| owner.uid != self.owner) => {
                    return Err(Error::NameTaken { kind, name });
                }
                _ => {}
            },
            // With a uid in the body, an object that is gone or was recreated is an error rather than a creation.
            Guard::SameObject { uid } => object.meta_mut().uid = Some(uid),
            Guard::Unchanged { uid, resource_version } => {
                object.meta_mut().uid = Some(uid);
                object.meta_mut().resource_version = Some(resource_version);
            }
        }
        let parameters = PatchParams::apply(MANAGER).force();
        api.patch(&name, &parameters, &Patch::Apply(&object)).await.map_err(failed)?;
        tracing::info!(kind, name, "applied");
        Ok(())
    }

    async fn scale(&self, name: &str, replicas: i32) -> Result<(), Error> {
        // Not by apply: an autoscaler is to take the number over without a fight over who owns the field.
        let body = json!({"spec": {"replicas": replicas}});
        let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let done = self.api::<Deployment>().patch_scale(name, &parameters, &Patch::Merge(&body)).await;
        done.map_err(|source| Error::Apply { verb: "scale", kind: "Deployment", name: name.to_owned(), source })?;
        tracing::info!(kind = "Deployment", name, replicas, "scaled");
        Ok(())
    }

    async fn delete<K>(&self, doomed: &Doomed) -> Result<(), Error>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
    {
        let exactly_this =
            Preconditions { uid: Some(doomed.uid.clone()), resource_version: Some(doomed.resource_version.clone()) };
        let parameters = DeleteParams::background().preconditions(exactly_this);
        match self.api::<K>().delete(&doomed.name, &parameters).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(source) => Err(Error::Apply { verb: "delete", kind: kind::<K>(), name: doomed.name.clone(), source }),
            Ok(_) => {
                tracing::info!(kind = kind::<K>(), name = doomed.name, "deleted");
                Ok(())
            }
        }
    }
}

fn kind<K: Resource<DynamicType = ()>>() -> &'static str {
    match K::kind(&()) {
        std::borrow::Cow::Borrowed(kind) => kind,
        std::borrow::Cow::Owned(_) => "object",
    }
}
