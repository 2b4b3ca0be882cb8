//! From a spec that the API server accepted to one that builders can use without a question left.

use std::collections::BTreeMap;

use chemmodel_bundle::BundleDigest;
use chemmodel_crds::spec::{Accelerator, Gpu, Resources};
use chemmodel_crds::{ChemModel, ChemModelSpec};
use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::Resource as _;

use super::quantity;
use super::revision::RevisionHash;

/// Pods when a ChemModel says neither `replicas` nor `autoscaling`.
pub const DEFAULT_REPLICAS: i32 = 2;

/// What the operator was installed with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Server image for `accelerator: Cpu`.
    pub server_image_cpu: String,
    /// Server image for `accelerator: Cuda`.
    pub server_image_cuda: String,
    /// Image that holds `/chemmodel-job`.
    pub job_image: String,
}

/// A ChemModel whose every value is usable.
#[derive(Clone, Debug)]
pub struct ValidatedModel {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.generation`.
    pub generation: Option<i64>,
    /// Owner reference for the children.
    pub owner: OwnerReference,
    /// Hash of the revision that the spec describes.
    pub revision: RevisionHash,
    /// Digest that the spec demands.
    pub digest: Option<BundleDigest>,
    /// Image of the server.
    pub server_image: String,
    /// Image of the sync Job.
    pub job_image: String,
    /// Resources of the server's container, GPUs included.
    pub resources: ResourceRequirements,
    /// GPUs of a pod; `None` for `accelerator: Cpu`.
    pub gpu: Option<Gpu>,
    /// The spec, for everything that needs no second look.
    pub spec: ChemModelSpec,
}

impl ValidatedModel {
    /// The fixed number of pods; `None` when an autoscaler decides.
    pub fn fixed_replicas(&self) -> Option<i32> {
        match self.spec.autoscaling {
            Some(_) => None,
            None => Some(self.spec.replicas.unwrap_or(DEFAULT_REPLICAS)),
        }
    }
}

/// A value that passed the API server and is still not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidSpec {
    /// Path of the field.
    pub field: String,
    /// What is wrong and what to write instead.
    pub problem: String,
}

impl InvalidSpec {
    fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// Turns a ChemModel into a [`ValidatedModel`].
///
/// # Errors
/// Names the first field that cannot be used, and why.
pub fn validate(model: &ChemModel, settings: &Settings) -> Result<ValidatedModel, InvalidSpec> {
    let meta = &model.metadata;
    let name = meta.name.clone().ok_or_else(|| InvalidSpec::new("metadata.name", "is missing"))?;
    let namespace = meta.namespace.clone().ok_or_else(|| InvalidSpec::new("metadata.namespace", "is missing"))?;
    let owner = model
        .controller_owner_ref(&())
        .ok_or_else(|| InvalidSpec::new("metadata.uid", "is missing: the object was not read from an API server"))?;
    let spec = model.spec.clone();

    let digest = match spec.model.digest.as_deref() {
        None => None,
        Some(text) => Some(text.parse().map_err(|error| InvalidSpec::new("spec.model.digest", format!("{error}")))?),
    };
    let gpu = match spec.runtime.accelerator {
        Accelerator::Cpu => None,
        Accelerator::Cuda => Some(spec.runtime.gpu.clone().unwrap_or_default()),
    };
    let default_image = match spec.runtime.accelerator {
        Accelerator::Cpu => &settings.server_image_cpu,
        Accelerator::Cuda => &settings.server_image_cuda,
    };
    if quantity::parse(&spec.storage.size).is_none_or(|size| size <= 0.0) {
        return Err(InvalidSpec::new(
            "spec.storage.size",
            format!("{:?} is not a size such as 10Gi", spec.storage.size),
        ));
    }

    Ok(ValidatedModel {
        name,
        namespace,
        generation: meta.generation,
        owner,
        revision: RevisionHash::of(&spec),
        digest,
        server_image: spec.runtime.image.clone().unwrap_or_else(|| default_image.clone()),
        job_image: settings.job_image.clone(),
        resources: resources(&spec.pod.resources, gpu.as_ref())?,
        gpu,
        spec,
    })
}

/// Fills in the defaults, adds the GPUs and checks that no request exceeds its limit, which the API server would find only in each pod.
fn resources(given: &Resources, gpu: Option<&Gpu>) -> Result<ResourceRequirements, InvalidSpec> {
    let mut requests = with_defaults("requests", &given.requests, [("cpu", "2"), ("memory", "4Gi")])?;
    let mut limits = with_defaults("limits", &given.limits, [("cpu", "4"), ("memory", "8Gi")])?;
    for resource in ["cpu", "memory"] {
        let (request, limit) = (requests[resource].0.clone(), limits[resource].0.clone());
        if quantity::compare(&request, &limit) == Some(std::cmp::Ordering::Greater) {
            // A default that collides with the one value that was given follows it; two given values are a mistake.
            match (given.requests.contains_key(resource), given.limits.contains_key(resource)) {
                (true, false) => drop(limits.insert(resource.into(), Quantity(request))),
                (false, true) => drop(requests.insert(resource.into(), Quantity(limit))),
                _ => {
                    let problem = format!("{request} exceeds spec.pod.resources.limits.{resource}, which is {limit}");
                    return Err(InvalidSpec::new(format!("spec.pod.resources.requests.{resource}"), problem));
                }
            }
        }
    }
    if let Some(gpu) = gpu {
        for map in [&mut requests, &mut limits] {
            map.insert(gpu.resource_name.clone(), Quantity(gpu.count.to_string()));
        }
    }
    Ok(ResourceRequirements { requests: Some(requests), limits: Some(limits), claims: None })
}

fn with_defaults(
    kind: &str,
    given: &BTreeMap<String, IntOrString>,
    defaults: [(&str, &str); 2],
) -> Result<BTreeMap<String, Quantity>, InvalidSpec> {
    let mut all: BTreeMap<String, Quantity> =
        defaults.into_iter().map(|(key, value)| (key.to_owned(), Quantity(value.to_owned()))).collect();
    for (key, value) in given {
        let text = match value {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(text) => text.clone(),
        };
        if quantity::parse(&text).is_none_or(|value| value < 0.0) {
            let field = format!("spec.pod.resources.{kind}.{key}");
            return Err(InvalidSpec::new(field, format!("{text:?} is not a quantity such as 500m or 4Gi")));
        }
        all.insert(key.clone(), Quantity(text));
    }
    Ok(all)
}
