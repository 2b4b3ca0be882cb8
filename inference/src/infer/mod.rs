//! The Open Inference Protocol, version 2, without a transport: what a request means, and what its answer is.
//! `http/v2` and `grpc` translate to and from it. Source: <https://github.com/kserve/open-inference-protocol>.
//!
//! A model has one input, `smiles` (BYTES, one element for each molecule), and one output (FP32) for each output of the
//! bundle. A tensor has no place for a reason, so a molecule that cannot be predicted fails its request; a client that
//! asks for the output `error` by name gets every other row, NaN for the bad ones, and the reasons in `error`. What else
//! a prediction has (members, logarithm, domain) is answered by `/predict` alone.

pub mod contract;
pub mod raw;
pub mod tensor;

use std::sync::Arc;

use crate::service::{Call, Refusal, Row, RowError, Service};

use self::contract::{ERROR, INPUT};
use self::tensor::{Column, Input};

/// A request, as both transports read it.
#[derive(Debug)]
pub struct InferRequest {
    /// Model of the path or of the message.
    pub model: String,
    /// Version of the model; empty means any.
    pub version: String,
    /// Tensors that were sent.
    pub inputs: Vec<Input>,
    /// Names of the outputs that are wanted, in this order; empty means those of the model.
    pub outputs: Vec<String>,
    /// Who asks, and for how long.
    pub call: Call,
}

/// The answer: its tensors all have one shape.
#[derive(Debug, PartialEq)]
pub struct InferAnswer {
    /// As many rows as the request had.
    pub shape: Vec<i64>,
    /// In the order in which they were asked for.
    pub outputs: Vec<OutputTensor>,
}

/// A tensor of the answer.
#[derive(Debug, PartialEq)]
pub struct OutputTensor {
    /// Name of the output.
    pub name: String,
    /// One element for each row.
    pub data: OutputData,
}

/// Elements of a tensor.
#[derive(Debug, PartialEq)]
pub enum OutputData {
    /// FP32, in the output's unit; NaN where the row has a reason in `error`.
    Values(Vec<f32>),
    /// BYTES: empty where there is no error.
    Texts(Vec<String>),
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another model is served here.
    #[error("there is no model \"{asked}\" here; this server has \"{served}\"")]
    NoSuchModel {
        /// Of the request.
        asked: String,
        /// Of this server.
        served: String,
    },
    /// Another version is served here.
    #[error("the model \"{model}\" has no version \"{asked}\" here; this server has \"{served}\"")]
    NoSuchVersion {
        /// The model.
        model: String,
        /// Of the request.
        asked: String,
        /// Of this server.
        served: String,
    },
    /// The request is not one for this model.
    #[error("{0}")]
    Invalid(String),
    /// One molecule of the request cannot be predicted.
    #[error("{INPUT}[{row}]: {why}; ask for the output \"{ERROR}\" to get the answers of the other rows")]
    Row {
        /// Counted from 0.
        row: usize,
        /// Why.
        why: RowError,
    },
    /// Not now, or not so many.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Says whether a path or a message means the model that is served here.
pub fn check_name(service: &Service, model: &str, version: &str) -> Result<(), Fault> {
    let identity = &service.identity;
    if model != identity.model {
        return Err(Fault::NoSuchModel { asked: model.to_owned(), served: identity.model.clone() });
    }
    if !version.is_empty() && version != identity.version {
        let (asked, served) = (version.to_owned(), identity.version.clone());
        return Err(Fault::NoSuchVersion { model: identity.model.clone(), asked, served });
    }
    Ok(())
}

/// Answers a request.
pub async fn infer(service: &Arc<Service>, request: InferRequest) -> Result<InferAnswer, Fault> {
    check_name(service, &request.model, &request.version)?;
    let wanted = contract::select(&service.outputs, &request.outputs)?;
    let Column { molecules, shape } = tensor::read(request.inputs)?;
    let rows = service.predict(molecules, request.call).await?;
    if !wanted.contains(&contract::Wanted::Error)
        && let Some((row, why)) = first_error(&rows)
    {
        return Err(Fault::Row { row, why: why.clone() });
    }
    let outputs = wanted.iter().map(|output| tensor(service, *output, &rows)).collect();
    Ok(InferAnswer { shape, outputs })
}

/// What the server has done wrong comes before what the caller has: it decides the status.
fn first_error(rows: &[Row]) -> Option<(usize, &RowError)> {
    let errors = || rows.iter().enumerate().filter_map(|(row, answer)| Some((row, answer.as_ref().err()?)));
    errors().find(|(_, why)| !matches!(why, RowError::Molecule(_))).or_else(|| errors().next())
}

fn tensor(service: &Service, output: contract::Wanted, rows: &[Row]) -> OutputTensor {
    match output {
        contract::Wanted::Model(column) => OutputTensor {
            name: service.outputs[column].name.clone(),
            data: OutputData::Values(rows.iter().map(|row| value(row, column)).collect()),
        },
        contract::Wanted::Error => OutputTensor {
            name: ERROR.to_owned(),
            data: OutputData::Texts(
                rows.iter().map(|row| row.as_ref().err().map(ToString::to_string).unwrap_or_default()).collect(),
            ),
        },
    }
}

fn value(row: &Row, column: usize) -> f32 {
    row.as_ref().map_or(f32::NAN, |prediction| prediction.estimates[column].value)
}
