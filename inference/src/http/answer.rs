//! How predictions read as JSON.

use axum::http::StatusCode;
use axum::response::Response;
use chemmodel_bundle::{BundleDigest, Output};
use serde::{Serialize, Serializer};

use super::json;
use super::problem::{ErrorBody, Problem};
use crate::postprocess::Prediction;
use crate::service::{Identity, Row, RowError, Service};

/// `{"prediction":351.6,"unit":"K","model":"boiling-point","version":"v1","revision":"7f9c","digest":"sha256:…"}`
#[derive(Serialize)]
struct One<'a> {
    #[serde(flatten)]
    predicted: Predicted<'a>,
    #[serde(flatten)]
    about: About<'a>,
}

/// `{"predictions":[{"prediction":351.6},{"error":"…"}],"unit":"K","model":"boiling-point",…}`
#[derive(Serialize)]
struct Many<'a> {
    predictions: Vec<Line<'a>>,
    #[serde(flatten)]
    about: About<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Predicted(Predicted<'a>),
    Failed(ErrorBody),
}

/// `"prediction":373.1,"std":4.2,"members":[370.0,371.2,378.1],"domain":{"unseenEnvironments":0,"inside":true}`, as far as
/// the model has it.
#[derive(Serialize)]
struct Predicted<'a> {
    prediction: PerOutput<'a, f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    std: Option<PerOutput<'a, f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<PerOutput<'a, Vec<f32>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log10: Option<PerOutput<'a, f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Domain>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    unseen_environments: u32,
    inside: bool,
}

#[derive(Serialize)]
struct About<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<PerOutput<'a, &'a str>>,
    model: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    revision: &'a str,
    digest: BundleDigest,
}

/// The plain value where the model has one output, an object by the outputs' names where it has several.
enum PerOutput<'a, T> {
    Single(T),
    Named(Vec<(&'a str, T)>),
}

impl<T: Serialize> Serialize for PerOutput<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Single(value) => value.serialize(serializer),
            Self::Named(values) => serializer.collect_map(values.iter().map(|(name, value)| (name, value))),
        }
    }
}

impl<'a, T> PerOutput<'a, T> {
    /// What the outputs have; nothing when none of them has any.
    fn of(outputs: &'a [Output], found: impl Iterator<Item = Option<T>>) -> Option<Self> {
        let named = outputs.iter().zip(found).filter_map(|(output, found)| Some((output.name.as_str(), found?)));
        let mut named: Vec<_> = named.collect();
        match (outputs, named.len()) {
            (_, 0) => None,
            ([_], _) => named.pop().map(|(_, found)| Self::Single(found)),
            _ => Some(Self::Named(named)),
        }
    }
}

/// The answer for one molecule.
pub(super) fn one(service: &Service, prediction: Prediction) -> Response {
    json(StatusCode::OK, &One { predicted: predicted(&service.outputs, prediction), about: about(service) })
}

/// The answer for a list. With at least one prediction, or with none but through the caller's molecules, the list is
/// answered row by row; a list that the server alone could not answer is its failure and says so in the status.
pub(super) fn many(service: &Service, rows: Vec<Row>) -> Result<Response, Problem> {
    let ours = |row: &Row| matches!(row, Err(RowError::Engine | RowError::NotFinite));
    if !rows.iter().any(Result::is_ok)
        && let Some(why) = rows.iter().find(|row| ours(row)).and_then(|row| row.clone().err())
    {
        return Err(why.into());
    }
    let predictions = rows.into_iter().map(|row| of_row(service, row)).collect();
    Ok(json(StatusCode::OK, &Many { predictions, about: about(service) }))
}

/// A row as a line of its own.
pub(super) fn line(service: &Service, row: Row) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(&of_row(service, row))?;
    line.push(b'\n');
    Ok(line)
}

fn of_row(service: &Service, row: Row) -> Line<'_> {
    match row {
        Ok(prediction) => Line::Predicted(predicted(&service.outputs, prediction)),
        Err(why) => Line::Failed(why.into()),
    }
}

fn predicted(outputs: &[Output], prediction: Prediction) -> Predicted<'_> {
    let Prediction { estimates, unseen } = prediction;
    let spreads = || estimates.iter().map(|estimate| estimate.spread.as_ref());
    let std = PerOutput::of(outputs, spreads().map(|spread| spread.map(|spread| spread.std)));
    let members = PerOutput::of(outputs, spreads().map(|spread| spread.map(|spread| spread.members.clone())));
    let log10 = PerOutput::of(outputs, estimates.iter().map(|estimate| estimate.log10));
    let domain = unseen.map(|count| Domain { unseen_environments: count, inside: count == 0 });
    let prediction = PerOutput::of(outputs, estimates.iter().map(|estimate| Some(estimate.value)));
    // A model has at least one output.
    let prediction = prediction.unwrap_or(PerOutput::Named(Vec::new()));
    Predicted { prediction, std, members, log10, domain }
}

fn about(service: &Service) -> About<'_> {
    let unit = PerOutput::of(&service.outputs, service.outputs.iter().map(|output| output.unit.as_deref()));
    let Identity { model, version, revision, digest } = &service.identity;
    About { unit, model, version, revision, digest: *digest }
}
