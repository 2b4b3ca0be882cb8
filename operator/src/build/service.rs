//! The address of the model. Its selector is the one place that says which revision has the traffic.

use std::collections::BTreeMap;

use chemmodel_crds::spec::ServiceType;
use chemmodel_crds::status::Colour;
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::labels::Labels;
use super::{meta, pod_selector};
use crate::model::revision::RevisionHash;
use crate::model::{ValidatedModel, names};

/// Annotation of the Service: the term of the leader that wrote it. A new leader writes it at its first look, so that a write that the old
/// one had under way, and sends after having been frozen, names a resourceVersion that is no more.
pub const TERM: &str = "chemmodel.io/term";

/// The Service that sends traffic to one revision in one colour slot.
pub fn build_service(model: &ValidatedModel, colour: Colour, revision: RevisionHash, term: i32) -> Service {
    let settings = &model.spec.service;
    let type_ = match settings.type_ {
        ServiceType::ClusterIP => "ClusterIP",
        ServiceType::NodePort => "NodePort",
        ServiceType::LoadBalancer => "LoadBalancer",
    };
    let mut annotations = settings.annotations.clone();
    annotations.insert(TERM.to_owned(), term.to_string());
    service(model, names::shared(model), type_, annotations, pod_selector(model, colour, revision))
}

/// The Service of the candidate, inside the cluster only; of the active revision where there is none.
pub fn build_preview(model: &ValidatedModel, colour: Colour, revision: RevisionHash) -> Service {
    service(model, names::preview(model), "ClusterIP", BTreeMap::new(), pod_selector(model, colour, revision))
}

fn service(
    model: &ValidatedModel,
    name: String,
    type_: &str,
    annotations: BTreeMap<String, String>,
    selector: Labels,
) -> Service {
    let mut metadata = meta(model, name);
    metadata.annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(type_.to_owned()),
            selector: Some(selector),
            ports: Some(vec![
                port("http", model.spec.service.port, None),
                port("grpc", model.spec.service.grpc_port, Some("grpc")),
            ]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

/// Meshes and gateways take the protocol from `appProtocol`.
fn port(name: &str, number: i32, protocol: Option<&str>) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port: number,
        protocol: Some("TCP".to_owned()),
        app_protocol: protocol.map(str::to_owned),
        target_port: Some(IntOrString::String(name.to_owned())),
        ..ServicePort::default()
    }
}
