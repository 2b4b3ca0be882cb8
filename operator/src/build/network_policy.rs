//! Who may connect to the server's pods.

use std::collections::BTreeMap;

use chemmodel_crds::labels::{COMPONENT, MODEL, component};
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::meta;
use crate::model::{ValidatedModel, names};

/// A NetworkPolicy for both colours; `None` where the spec asks for none.
pub fn build_network_policy(model: &ValidatedModel) -> Option<NetworkPolicy> {
    let settings = &model.spec.security.network_policy;
    let allowed = match &settings.allow_from[..] {
        [] => vec![pods(BTreeMap::new())],
        peers => peers.to_vec(),
    };
    let own = |component: &str| {
        BTreeMap::from([(MODEL.to_owned(), model.name.clone()), (COMPONENT.to_owned(), component.to_owned())])
    };
    settings.enabled.then(|| NetworkPolicy {
        metadata: meta(model, names::shared(model)),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(own(component::SERVER))),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(vec![
                rule(allowed, &["http", "grpc"]),
                rule(vec![pods(own(component::VERIFY))], &["http", "ops"]),
                // The kubelet, Prometheus and an autoscaler's adapter are nobody's pods in particular.
                rule(Vec::new(), &["ops"]),
            ]),
            egress: None,
        }),
    })
}

fn rule(from: Vec<NetworkPolicyPeer>, ports: &[&str]) -> NetworkPolicyIngressRule {
    let port = |name: &&str| NetworkPolicyPort {
        port: Some(IntOrString::String((*name).to_owned())),
        protocol: Some("TCP".to_owned()),
        end_port: None,
    };
    NetworkPolicyIngressRule {
        from: Some(from).filter(|from| !from.is_empty()),
        ports: Some(ports.iter().map(port).collect()),
    }
}

/// Pods of the same namespace.
fn pods(labels: BTreeMap<String, String>) -> NetworkPolicyPeer {
    NetworkPolicyPeer { pod_selector: Some(selector(labels)), ..NetworkPolicyPeer::default() }
}

fn selector(labels: BTreeMap<String, String>) -> LabelSelector {
    LabelSelector { match_labels: Some(labels).filter(|labels| !labels.is_empty()), match_expressions: None }
}
