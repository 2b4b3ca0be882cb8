//! The address of the model. Its selector is the one place that says which revision has the traffic.

use std::collections::BTreeMap;

use chemmodel_crds::spec::ServiceType;
use chemmodel_crds::status::Colour;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{meta, pod_selector};
use crate::model::revision::RevisionHash;
use crate::model::{ValidatedModel, names};

/// The Service that sends traffic to one revision in one colour slot.
pub fn build_service(model: &ValidatedModel, colour: Colour, revision: &RevisionHash) -> Service {
    let settings = &model.spec.service;
    let type_ = match settings.type_ {
        ServiceType::ClusterIP => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
    };
    let mut metadata = meta(model, names::shared(model));
    metadata.annotations =
        Some(settings.annotations.clone()).filter(|annotations: &BTreeMap<_, _>| !annotations.is_empty());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(type_.to_owned()),
            selector: Some(pod_selector(model, colour, revision)),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: settings.port,
                protocol: Some("TCP".to_owned()),
                target_port: Some(IntOrString::String("http".to_owned())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}
