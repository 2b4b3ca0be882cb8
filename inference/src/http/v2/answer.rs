//! From the tensors of an answer to a body.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use serde::{Serialize, Serializer};

use super::request::{Binary, HEADER_LENGTH};
use crate::http::json;
use crate::infer::contract::{BYTES, FP32};
use crate::infer::{InferAnswer, OutputData, raw};
use crate::service::Identity;

#[derive(Serialize)]
struct AnswerBody<'a> {
    model_name: &'a str,
    model_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<OutputBody<'a>>,
}

#[derive(Serialize)]
struct OutputBody<'a> {
    name: &'a str,
    datatype: &'static str,
    shape: &'a [i64],
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Content<'a> {
    Data(&'a OutputData),
    Parameters(BinarySize),
}

#[derive(Serialize)]
struct BinarySize {
    binary_data_size: usize,
}

/// Flat, as every client takes it. JSON has no NaN: a value that is missing is null.
impl Serialize for OutputData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Values(values) => values.serialize(serializer),
            Self::Texts(texts) => texts.serialize(serializer),
        }
    }
}

pub(super) fn write(identity: &Identity, id: Option<String>, answer: &InferAnswer, binary: &Binary) -> Response {
    let mut tensors: Vec<Bytes> = Vec::new();
    let outputs = answer
        .outputs
        .iter()
        .map(|output| {
            let content = if binary.wants(&output.name) {
                let bytes = raw::write(&output.data);
                let binary_data_size = bytes.len();
                tensors.push(bytes);
                Content::Parameters(BinarySize { binary_data_size })
            } else {
                Content::Data(&output.data)
            };
            let datatype = match output.data {
                OutputData::Values(_) => FP32,
                OutputData::Texts(_) => BYTES,
            };
            OutputBody { name: &output.name, datatype, shape: &answer.shape, content }
        })
        .collect();
    let body = AnswerBody { model_name: &identity.model, model_version: &identity.version, id, outputs };
    if tensors.is_empty() { json(StatusCode::OK, &body) } else { with_tensors(&body, &tensors) }
}

fn with_tensors(body: &AnswerBody<'_>, tensors: &[Bytes]) -> Response {
    let header = match serde_json::to_vec(body) {
        Ok(header) => header,
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON; this is a defect of the server");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let length = header.len().to_string();
    let mut bytes = BytesMut::from(header.as_slice());
    for tensor in tensors {
        bytes.extend_from_slice(tensor);
    }
    let headers = [(CONTENT_TYPE.as_str(), "application/octet-stream"), (HEADER_LENGTH, length.as_str())];
    (StatusCode::OK, headers, bytes.freeze()).into_response()
}
