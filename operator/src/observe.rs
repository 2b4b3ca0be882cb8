//! Reads the children of one ChemModel. Only those that belong to it: an object with our label and another owner is not seen.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]

use chemmodel_crds::ChemModel;
use chemmodel_crds::labels::{COLOUR, MODEL};
use chemmodel_crds::status::Colour;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::plan::{Endpoints, Observed};

/// Label of an EndpointSlice: the Service that it belongs to.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Reads everything that the planner may ask about, straight from the API server: a cache may be behind our own writes, and what was
/// decided is remembered in the status. `None` when the ChemModel is gone.
///
/// # Errors
/// When something cannot be read; a partial picture would be planned upon as if it were whole.
pub async fn observe(client: &Client, cached: &ChemModel, term: i32) -> Result<Option<(ChemModel, Observed)>, Error> {
    let models = Api::<ChemModel>::namespaced(client.clone(), &cached.namespace().unwrap_or_default());
    let present = models.get_opt(&cached.name_any()).await;
    let present = present.map_err(|source| Error::Observe { kind: kind_name::<ChemModel>(), source })?;
    // Its children go with it, by garbage collection.
    let Some(model) = present.filter(|model| model.metadata.deletion_timestamp.is_none()) else {
        return Ok(None);
    };
    let seen = children(&Reader { client, model: &model }, &model, term).await?;
    Ok(Some((model, seen)))
}

async fn children(reader: &Reader<'_>, model: &ChemModel, term: i32) -> Result<Observed, Error> {
    let name = model.name_any();
    let preview = format!("{name}-preview");
    let (accounts, claims, jobs, revisions, deployments) =
        tokio::try_join!(reader.owned(), reader.owned(), reader.owned(), reader.owned(), reader.owned::<Deployment>())?;
    let (services, endpoints, autoscalers, budgets, policies, pods) = tokio::try_join!(
        reader.owned::<Service>(),
        reader.labelled::<EndpointSlice>(format!("{SERVICE_NAME} in ({name},{preview})")),
        reader.owned(),
        reader.owned(),
        reader.owned(),
        reader.labelled::<Pod>(format!("{MODEL}={name}")),
    )?;

    let mut seen = Observed {
        status: model.status.clone().unwrap_or_default(),
        service_account: accounts.into_iter().next(),
        volume_claim: claims.into_iter().next(),
        jobs,
        revisions,
        service: services.iter().find(|service| service.name_any() == name).cloned(),
        preview: services.into_iter().find(|service| service.name_any() == preview),
        endpoints: of_service(&endpoints, &name),
        preview_endpoints: of_service(&endpoints, &preview),
        autoscaler: autoscalers.into_iter().next(),
        disruption_budget: budgets.into_iter().next(),
        network_policy: policies.into_iter().next(),
        pods,
        term,
        ..Observed::default()
    };
    for deployment in deployments {
        if let Some(colour) = deployment.labels().get(COLOUR).and_then(|text| Colour::parse(text)) {
            *seen.deployments.get_mut(colour) = Some(deployment);
        }
    }
    Ok(seen)
}

fn of_service(slices: &[EndpointSlice], name: &str) -> Endpoints {
    let of = |slice: &&EndpointSlice| slice.labels().get(SERVICE_NAME).is_some_and(|service| service == name);
    Endpoints(slices.iter().filter(of).cloned().collect())
}

struct Reader<'a> {
    client: &'a Client,
    model: &'a ChemModel,
}

impl Reader<'_> {
    /// Objects with our label that this very ChemModel owns.
    async fn owned<K>(&self) -> Result<Vec<K>, Error>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
    {
        let uid = self.model.uid();
        let mut objects: Vec<K> = self.labelled(format!("{MODEL}={}", self.model.name_any())).await?;
        objects.retain(|object| object.owner_references().iter().any(|owner| Some(&owner.uid) == uid.as_ref()));
        Ok(objects)
    }

    async fn labelled<K>(&self, selector: String) -> Result<Vec<K>, Error>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
    {
        let api = Api::<K>::namespaced(self.client.clone(), &self.model.namespace().unwrap_or_default());
        let list = api.list(&ListParams::default().labels(&selector)).await;
        Ok(list.map_err(|source| Error::Observe { kind: kind_name::<K>(), source })?.items)
    }
}

fn kind_name<K: Resource<DynamicType = ()>>() -> &'static str {
    match K::kind(&()) {
        std::borrow::Cow::Borrowed(kind) => kind,
        std::borrow::Cow::Owned(_) => "object",
    }
}
