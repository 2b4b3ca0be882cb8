//! How predictions read as JSON.

use axum::http::StatusCode;
use axum::response::Response;
use chemmodel_bundle::{BundleDigest, Output};
use serde::{Serialize, Serializer};

use super::json;
use super::problem::{ErrorBody, Problem};
use crate::service::{Identity, RowError, Service, Values};

/// `{"prediction":351.6,"unit":"K","model":"boiling-point","version":"v1","revision":"7f9c","digest":"sha256:…"}`
#[derive(Serialize)]
struct One<'a> {
    prediction: PerOutput<'a, f32>,
    #[serde(flatten)]
    about: About<'a>,
}

/// `{"predictions":[{"prediction":351.6},{"error":"…"}],"unit":"K","model":"boiling-point",…}`
#[derive(Serialize)]
struct Many<'a> {
    predictions: Vec<Row<'a>>,
    #[serde(flatten)]
    about: About<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Predicted { prediction: PerOutput<'a, f32> },
    Failed(ErrorBody),
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

/// The answer for one molecule.
pub(super) fn one(service: &Service, values: Values) -> Response {
    json(StatusCode::OK, &One { prediction: prediction(&service.outputs, values), about: about(service) })
}

/// The answer for a list. With at least one prediction, or with none but through the caller's molecules, the list is
/// answered row by row; a list that the server alone could not answer is its failure and says so in the status.
pub(super) fn many(service: &Service, rows: Vec<Result<Values, RowError>>) -> Result<Response, Problem> {
    let ours = |row: &Result<Values, RowError>| matches!(row, Err(RowError::Engine | RowError::NotFinite));
    if !rows.iter().any(Result::is_ok)
        && let Some(why) = rows.iter().find(|row| ours(row)).and_then(|row| row.clone().err())
    {
        return Err(why.into());
    }
    let predictions = rows.into_iter().map(|answer| row(service, answer)).collect();
    Ok(json(StatusCode::OK, &Many { predictions, about: about(service) }))
}

/// A row as a line of its own.
pub(super) fn line(service: &Service, answer: Result<Values, RowError>) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(&row(service, answer))?;
    line.push(b'\n');
    Ok(line)
}

fn row(service: &Service, answer: Result<Values, RowError>) -> Row<'_> {
    match answer {
        Ok(values) => Row::Predicted { prediction: prediction(&service.outputs, values) },
        Err(why) => Row::Failed(why.into()),
    }
}

fn prediction(outputs: &[Output], values: Values) -> PerOutput<'_, f32> {
    match values[..] {
        [value] => PerOutput::Single(value),
        _ => PerOutput::Named(outputs.iter().map(|o| o.name.as_str()).zip(values).collect()),
    }
}

fn about(service: &Service) -> About<'_> {
    let unit = match service.outputs.as_slice() {
        [output] => output.unit.as_deref().map(PerOutput::Single),
        outputs => {
            let named: Vec<_> = outputs.iter().filter_map(|o| Some((o.name.as_str(), o.unit.as_deref()?))).collect();
            if named.is_empty() { None } else { Some(PerOutput::Named(named)) }
        }
    };
    let Identity { model, version, revision, digest } = &service.identity;
    About { unit, model, version, revision, digest: *digest }
}
