//! Reads the children of one ChemModel. Only those that belong to it: an object with our label and another owner is not seen.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]

use chemmodel_crds::ChemModel;
use chemmodel_crds::labels::{COLOUR, MODEL};
use chemmodel_crds::status::Colour;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::plan::Observed;

/// Reads everything that the planner may ask about, straight from the API server: a cache may be behind our own writes.
///
/// # Errors
/// When one of the lists cannot be read; a partial picture would be planned upon as if it were whole.
pub async fn observe(client: &Client, model: &ChemModel) -> Result<Observed, Error> {
    let reader = Reader { client, model };
    let (accounts, claims, jobs, revisions, deployments) =
        tokio::try_join!(reader.owned(), reader.owned(), reader.owned(), reader.owned(), reader.owned::<Deployment>())?;
    let (services, endpoints, autoscalers, budgets, pods) = tokio::try_join!(
        reader.owned(),
        reader.labelled::<EndpointSlice>(format!("kubernetes.io/service-name={}", model.name_any())),
        reader.owned(),
        reader.owned(),
        reader.labelled::<Pod>(format!("{MODEL}={}", model.name_any())),
    )?;

    let mut seen = Observed {
        status: model.status.clone().unwrap_or_default(),
        service_account: accounts.into_iter().next(),
        volume_claim: claims.into_iter().next(),
        jobs,
        revisions,
        service: services.into_iter().next(),
        endpoints,
        autoscaler: autoscalers.into_iter().next(),
        disruption_budget: budgets.into_iter().next(),
        pods,
        ..Observed::default()
    };
    for deployment in deployments {
        if let Some(colour) = deployment.labels().get(COLOUR).and_then(|text| Colour::parse(text)) {
            *seen.deployments.get_mut(colour) = Some(deployment);
        }
    }
    Ok(seen)
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
