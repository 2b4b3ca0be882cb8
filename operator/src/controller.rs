//! `reconcile` is one sentence: observe, validate, plan, apply, report. The rest of this file says when it is spoken.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]
#![allow(clippy::disallowed_methods, reason = "`now` enters here, once")]

use std::sync::Arc;
use std::time::Duration;

use chemmodel_crds::ChemModel;
use chemmodel_crds::labels::{MANAGED_BY, MANAGER, MODEL};
use futures::StreamExt as _;
use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service, ServiceAccount};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{controller, watcher};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::apply::apply;
use crate::context::Context;
use crate::error::Error;
use crate::model::validate;
use crate::observe::observe;
use crate::plan::{hindered, plan, refuse};
use crate::report;

/// ChemModels as the watch sees them. The guard keeps one that cannot be read from hiding all others.
pub type Guarded = DeserializeGuard<ChemModel>;

/// A reconcile that takes longer hangs in the API server; less than the pod's grace period.
const RECONCILE_TIMEOUT: Duration = Duration::from_secs(30);

async fn reconcile(cached: &ChemModel, context: &Context) -> Result<Option<Duration>, Error> {
    let now = Timestamp::now();
    let Some((model, seen)) = observe(&context.client, cached, context.term).await? else {
        return Ok(None);
    };
    let (plan, applied) = match validate(&model, &context.settings) {
        Ok(valid) => {
            let mut plan = plan(&valid, &seen, now);
            let actions = std::mem::take(&mut plan.actions);
            let applied = apply(&context.client, &valid, actions).await;
            match applied.as_ref().err().and_then(Error::hindrance) {
                Some(why) => (hindered(plan, valid.generation, &seen, &why, now), applied),
                None => (plan, applied),
            }
        }
        Err(error) => (refuse(model.metadata.generation, &seen, &error, now), Ok(())),
    };
    report::write_status(context, &model, &plan.status).await?;
    report::publish(context, &model, &plan.notices).await;
    context.metrics.rollouts.count(&seen.status, &plan.status, now);
    applied.map(|()| Some(plan.recheck))
}

/// Builds the controller. Returns the store of ChemModels too, for metrics.
pub fn build(client: &Client, namespace: Option<&str>) -> (Controller<Guarded>, Store<Guarded>) {
    // A link that died is noticed after the watch's own timeout.
    let config = || watcher::Config::default().timeout(60);
    let ours = || config().labels(&format!("{MANAGED_BY}={MANAGER}"));
    let models = Controller::new(api::<Guarded>(client, namespace), config());
    let store = models.store();
    let controller = models
        .owns(api::<ServiceAccount>(client, namespace), ours())
        .owns(api::<PersistentVolumeClaim>(client, namespace), ours())
        .owns(api::<Job>(client, namespace), ours())
        .owns(api::<ControllerRevision>(client, namespace), ours())
        .owns(api::<Deployment>(client, namespace), ours())
        .owns(api::<Service>(client, namespace), ours())
        .owns(api::<HorizontalPodAutoscaler>(client, namespace), ours())
        .owns(api::<PodDisruptionBudget>(client, namespace), ours())
        .owns(api::<NetworkPolicy>(client, namespace), ours())
        // Owned by our children rather than by the ChemModel: found by label, and only their metadata is kept.
        .watches(api::<PartialObjectMeta<Pod>>(client, namespace), ours(), |pod| by_label(&pod))
        .watches(api::<PartialObjectMeta<EndpointSlice>>(client, namespace), ours(), |slice| by_label(&slice))
        .with_config(controller::Config::default().concurrency(16).debounce(Duration::from_millis(100)));
    (controller, store)
}

/// Reconciles until `stop` resolves and the reconciles under way have ended.
pub async fn run(
    controller: Controller<Guarded>,
    context: Arc<Context>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    controller
        .graceful_shutdown_on(stop)
        .run(attempt, after_error, context)
        .for_each(|result| async move {
            match result {
                // The triggers of a ChemModel that is gone; nothing to do.
                Ok(_) | Err(controller::Error::ObjectNotFound(_) | controller::Error::ReconcilerFailed(..)) => {}
                Err(error) => tracing::warn!(%error, "a watch failed and is started again"),
            }
        })
        .await;
}

async fn attempt(object: Arc<Guarded>, context: Arc<Context>) -> Result<Action, Error> {
    let model = match &object.0 {
        Ok(model) => model,
        Err(error) => {
            let (name, namespace) = (object.name_any(), object.namespace());
            tracing::error!(%error, name, namespace, "the ChemModel cannot be read; mend or delete it");
            context.metrics.errors.with_label_values(&["unreadable"]).inc();
            return Ok(Action::await_change());
        }
    };
    let started = std::time::Instant::now();
    // Boxed: the future is large, and one lives for every reconcile under way.
    let done = tokio::time::timeout(RECONCILE_TIMEOUT, Box::pin(reconcile(model, &context))).await;
    let result = done.unwrap_or(Err(Error::Timeout(RECONCILE_TIMEOUT.as_secs())));
    let outcome = if result.is_ok() { "success" } else { "error" };
    context.metrics.reconcile_seconds.with_label_values(&[outcome]).observe(started.elapsed().as_secs_f64());
    result.map(|recheck| {
        context.succeeded(&key(model));
        recheck.map_or_else(Action::await_change, Action::requeue)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the Controller calls it so")]
fn after_error(object: Arc<Guarded>, error: &Error, context: Arc<Context>) -> Action {
    let (name, namespace) = (object.name_any(), object.namespace());
    if error.is_race() {
        tracing::debug!(%error, name, namespace, "the cluster changed under our hands; looking again");
        return Action::requeue(Duration::from_millis(200));
    }
    if error.is_end_of_namespace() {
        tracing::debug!(%error, name, namespace, "the namespace is being terminated");
        return Action::await_change();
    }
    context.metrics.errors.with_label_values(&[error.step()]).inc();
    let pause = context.failed(&key(&*object));
    tracing::error!(%error, name, namespace, retry_in = ?pause, "the reconcile failed");
    Action::requeue(pause)
}

fn key(object: &impl kube::ResourceExt) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

fn by_label<K: Resource>(object: &K) -> Option<ObjectRef<Guarded>> {
    let name = object.labels().get(MODEL)?;
    Some(ObjectRef::new(name).within(&object.namespace()?))
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}
