//! Tells people: the status when it changed, and Events.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]

use chemmodel_crds::{ChemModel, ChemModelStatus};
use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource as _, ResourceExt as _};
use serde_json::json;

use crate::context::Context;
use crate::error::{Error, is_end_of_namespace};
use crate::plan::Notice;

/// Field manager of the status, apart from that of the children.
const STATUS_MANAGER: &str = "chemmodel-operator-status";

/// Writes the status if it differs from the one that was read; refused when the ChemModel has changed since, because what was decided was
/// decided about another one.
///
/// # Errors
/// When the API server refuses.
pub async fn write_status(context: &Context, model: &ChemModel, status: &ChemModelStatus) -> Result<(), Error> {
    if model.status.as_ref() == Some(status) {
        return Ok(());
    }
    let name = model.name_any();
    let api = Api::<ChemModel>::namespaced(context.client.clone(), &model.namespace().unwrap_or_default());
    let body = json!({
        "apiVersion": ChemModel::api_version(&()),
        "kind": ChemModel::kind(&()),
        "metadata": {"name": name, "uid": model.uid(), "resourceVersion": model.resource_version()},
        "status": status,
    });
    let parameters = PatchParams::apply(STATUS_MANAGER).force();
    api.patch_status(&name, &parameters, &Patch::Apply(&body)).await.map_err(Error::Report)?;
    Ok(())
}

/// Publishes notices as Events. A failure is logged and nothing more: no rollout waits for an Event.
pub async fn publish(context: &Context, model: &ChemModel, notices: &[Notice]) {
    for notice in notices {
        let event = Event {
            type_: if notice.warning { EventType::Warning } else { EventType::Normal },
            reason: notice.reason.clone(),
            note: Some(cut(&notice.message)),
            action: notice.action.to_owned(),
            secondary: None,
        };
        match context.recorder().publish(&event, &model.object_ref(&())).await {
            Ok(()) => {}
            Err(error) if is_end_of_namespace(&error) => {}
            Err(error) => tracing::warn!(%error, reason = notice.reason, "cannot publish the Event"),
        }
    }
}

/// The API server refuses notes of more than 1 kB.
fn cut(message: &str) -> String {
    const MOST: usize = 1000;
    message[..message.floor_char_boundary(MOST)].to_owned()
}
