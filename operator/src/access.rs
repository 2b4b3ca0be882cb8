//! May this operator watch what it must watch? Asked once at the start: a single watch that is refused slows all the others down, for as
//! long as the operator runs, and says so only in the log.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};

/// Group and plural of every watched kind.
const WATCHED: [(&str, &str); 12] = [
    ("chemmodel.io", "chemmodels"),
    ("", "serviceaccounts"),
    ("", "persistentvolumeclaims"),
    ("", "services"),
    ("", "pods"),
    ("batch", "jobs"),
    ("apps", "deployments"),
    ("apps", "controllerrevisions"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("policy", "poddisruptionbudgets"),
    ("networking.k8s.io", "networkpolicies"),
    ("discovery.k8s.io", "endpointslices"),
];

/// Why the operator cannot work here.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A permission is missing.
    #[error(
        "not allowed to {verb} {resource} {place}: install the chart's roles, or grant it to the operator's ServiceAccount"
    )]
    Missing {
        /// `list` or `watch`.
        verb: &'static str,
        /// Plural and group.
        resource: String,
        /// Where.
        place: String,
    },
    /// The question was not answered.
    #[error("cannot ask the API server what the operator may do: {0}")]
    Ask(#[from] kube::Error),
}

/// Checks that every watched kind may be listed and watched.
///
/// # Errors
/// Names the first permission that is missing.
pub async fn check(client: &Client, namespace: Option<&str>) -> Result<(), AccessError> {
    let api = Api::<SelfSubjectAccessReview>::all(client.clone());
    for (group, resource) in WATCHED {
        for verb in ["list", "watch"] {
            let question = SelfSubjectAccessReview {
                spec: SelfSubjectAccessReviewSpec {
                    resource_attributes: Some(ResourceAttributes {
                        group: Some(group.to_owned()),
                        resource: Some(resource.to_owned()),
                        verb: Some(verb.to_owned()),
                        namespace: namespace.map(str::to_owned),
                        ..ResourceAttributes::default()
                    }),
                    ..SelfSubjectAccessReviewSpec::default()
                },
                ..SelfSubjectAccessReview::default()
            };
            let answer = api.create(&PostParams::default(), &question).await?;
            if !answer.status.is_some_and(|status| status.allowed) {
                let place = namespace.map_or_else(|| "in all namespaces".to_owned(), |ns| format!("in namespace {ns}"));
                return Err(AccessError::Missing { verb, resource: format!("{resource}.{group}"), place });
            }
        }
    }
    Ok(())
}
