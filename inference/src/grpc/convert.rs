//! From messages to what they mean, and back.

use super::proto::model_infer_request::InferInputTensor;
use super::proto::model_infer_response::InferOutputTensor;
use super::proto::model_metadata_response::TensorMetadata;
use super::proto::{InferTensorContents, ModelInferRequest, ModelInferResponse, ModelMetadataResponse};
use crate::infer::contract::{BYTES, FP32, INPUT, PLATFORM, SHAPE, outputs};
use crate::infer::tensor::Input;
use crate::infer::{Fault, InferAnswer, InferRequest, OutputData, raw};
use crate::service::{Call, Identity, Service};

/// A request; its tensors are all raw or all typed.
pub(super) fn request(request: ModelInferRequest, call: Call) -> Result<InferRequest, Fault> {
    let ModelInferRequest { model_name, model_version, inputs, outputs, raw_input_contents, .. } = request;
    let is_raw = !raw_input_contents.is_empty();
    if is_raw && raw_input_contents.len() != inputs.len() {
        let (raw, inputs) = (raw_input_contents.len(), inputs.len());
        return Err(Fault::Invalid(format!(
            "raw_input_contents has {raw} tensors for {inputs} inputs; send one for each"
        )));
    }
    let mut raw_input_contents = raw_input_contents.into_iter();
    let mut tensors = Vec::with_capacity(inputs.len());
    for InferInputTensor { name, datatype, shape, contents, .. } in inputs {
        let elements = match (raw_input_contents.next(), contents) {
            (Some(_), Some(contents)) if contents != InferTensorContents::default() => {
                return Err(Fault::Invalid(format!(
                    "the input \"{name}\" has contents beside raw_input_contents; send one of them"
                )));
            }
            (Some(raw), _) => raw::texts(raw).map_err(|why| Fault::Invalid(format!("the input \"{name}\": {why}")))?,
            (None, Some(contents)) => contents.bytes_contents.iter().map(|element| element.to_vec()).collect(),
            (None, None) => Vec::new(),
        };
        tensors.push(Input { name, datatype, shape, elements });
    }
    let outputs = outputs.into_iter().map(|output| output.name).collect();
    Ok(InferRequest { model: model_name, version: model_version, inputs: tensors, outputs, call })
}

/// An answer, raw when it was asked so: Triton's client reads nothing else then.
pub(super) fn answer(identity: &Identity, id: String, answer: InferAnswer, is_raw: bool) -> ModelInferResponse {
    let mut raw_output_contents = Vec::new();
    let outputs = answer
        .outputs
        .into_iter()
        .map(|output| {
            let datatype = match output.data {
                OutputData::Values(_) => FP32,
                OutputData::Texts(_) => BYTES,
            };
            let contents = if is_raw {
                raw_output_contents.push(raw::write(&output.data));
                None
            } else {
                Some(contents(output.data))
            };
            let (datatype, shape) = (datatype.to_owned(), answer.shape.clone());
            InferOutputTensor { name: output.name, datatype, shape, contents, ..Default::default() }
        })
        .collect();
    ModelInferResponse {
        model_name: identity.model.clone(),
        model_version: identity.version.clone(),
        id,
        outputs,
        raw_output_contents,
        ..Default::default()
    }
}

fn contents(data: OutputData) -> InferTensorContents {
    match data {
        OutputData::Values(fp32_contents) => InferTensorContents { fp32_contents, ..Default::default() },
        OutputData::Texts(texts) => InferTensorContents {
            bytes_contents: texts.into_iter().map(|text| text.into_bytes().into()).collect(),
            ..Default::default()
        },
    }
}

/// What the model takes and gives.
pub(super) fn metadata(service: &Service) -> ModelMetadataResponse {
    let tensor = |(name, datatype): (&str, &str)| TensorMetadata {
        name: name.to_owned(),
        datatype: datatype.to_owned(),
        shape: SHAPE.to_vec(),
    };
    ModelMetadataResponse {
        name: service.identity.model.clone(),
        versions: vec![service.identity.version.clone()],
        platform: PLATFORM.to_owned(),
        inputs: vec![tensor((INPUT, BYTES))],
        outputs: outputs(&service.outputs).map(tensor).collect(),
    }
}
