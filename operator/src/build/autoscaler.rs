//! The autoscaler of the active colour.

use chemmodel_crds::spec::Autoscaling;
use chemmodel_crds::status::Colour;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricIdentifier, MetricSpec,
    MetricTarget, PodsMetricSource, ResourceMetricSource,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::meta;
use crate::model::{ValidatedModel, names};

/// Metric of the server: molecules that wait.
pub const QUEUE_METRIC: &str = "chemmodel_queue_items";

/// A HorizontalPodAutoscaler on CPU, memory and the length of the queues that scales the Deployment of `colour`.
pub fn build_autoscaler(model: &ValidatedModel, scaling: &Autoscaling, colour: Colour) -> HorizontalPodAutoscaler {
    HorizontalPodAutoscaler {
        metadata: meta(model, names::shared(model)),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: names::deployment(model, colour),
            },
            min_replicas: Some(scaling.min_replicas),
            max_replicas: scaling.max_replicas,
            // In the order in which the API server gives them back.
            metrics: Some(
                [
                    Some(utilization("cpu", scaling.target_cpu_utilization)),
                    Some(utilization("memory", scaling.target_memory_utilization)),
                    scaling.target_queue_depth.map(queue_depth),
                ]
                .into_iter()
                .flatten()
                .collect(),
            ),
            behavior: scaling.behavior.clone(),
        }),
        status: None,
    }
}

fn utilization(resource: &str, percent: i32) -> MetricSpec {
    MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource {
            name: resource.to_owned(),
            target: MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(percent),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    }
}

fn queue_depth(molecules: i32) -> MetricSpec {
    MetricSpec {
        type_: "Pods".to_owned(),
        pods: Some(PodsMetricSource {
            metric: MetricIdentifier { name: QUEUE_METRIC.to_owned(), selector: None },
            target: MetricTarget {
                type_: "AverageValue".to_owned(),
                average_value: Some(Quantity(molecules.to_string())),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    }
}
