//! The forms of bodies, with the outputs and units of the model that is served.

use chemmodel_bundle::Output;
use serde_json::{Map, Value, json};

use crate::infer::contract::{BYTES, ERROR, FP32, INPUT};
use crate::service::Service;

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

pub(super) fn all(service: &Service) -> Value {
    let text = json!({"type": "string"});
    json!({
        "Smiles": {
            "type": "string", "description": "A molecule as SMILES", "examples": ["CCO"],
            "minLength": 1, "maxLength": service.preprocessor.max_characters(), "pattern": "^[!-~]+$",
        },
        "Item": {"type": "string", "description": "A molecule as SMILES. One that cannot be predicted fails alone", "examples": ["CCO"]},
        "Molecule": {
            "oneOf": [reference("Smiles"), object(&[("smiles", reference("Smiles"))], &[])],
        },
        "PredictRequest": strict(&object(&[("smiles", json!({
            "oneOf": [reference("Smiles"), {"type": "array", "items": reference("Item"), "minItems": 1, "maxItems": service.max_items}],
        }))], &[])),
        "Value": value(&service.outputs),
        "Row": {"oneOf": [object(&[("prediction", reference("Value"))], &[]), reference("Error")]},
        "Prediction": {"oneOf": [
            about(&service.outputs, "prediction", reference("Value")),
            about(&service.outputs, "predictions", json!({"type": "array", "items": reference("Row")})),
        ]},
        "Error": object(
            &[("error", json!({"type": "string", "description": "What is wrong and what to do, in a sentence"}))],
            &[("position", json!({"type": "integer", "description": "Character of the SMILES, counted from 0"}))],
        ),
        "ServerMetadata": object(&[("name", text.clone()), ("version", text.clone()), ("extensions", list(&text))], &[]),
        "Health": object(&[("live", json!({"type": "boolean"}))], &[("ready", json!({"type": "boolean"}))]),
        "ModelReady": object(&[("name", text.clone()), ("ready", json!({"const": true}))], &[]),
        "ModelMetadata": object(&[
            ("name", text.clone()), ("versions", list(&text)), ("platform", text.clone()),
            ("inputs", list(&reference("TensorMetadata"))), ("outputs", list(&reference("TensorMetadata"))),
        ], &[]),
        "TensorMetadata": object(&[("name", text.clone()), ("datatype", text.clone()), ("shape", list(&json!({"type": "integer"})))], &[]),
        "InferRequest": object(
            &[("inputs", json!({"type": "array", "minItems": 1, "maxItems": 1, "items": reference("InferInput")}))],
            &[("id", text.clone()), ("parameters", json!({"type": "object"})), ("outputs", list(&reference("InferRequestedOutput")))],
        ),
        "InferInput": object(&[
            ("name", json!({"const": INPUT})),
            ("datatype", json!({"const": BYTES})),
            ("shape", json!({"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2, "description": "[n] or [n, 1]"})),
            ("data", json!({"type": "array", "items": reference("Smiles"), "description": "As many as the shape says"})),
        ], &[("parameters", json!({"type": "object"}))]),
        "InferRequestedOutput": object(&[("name", json!({"enum": names(&service.outputs)}))], &[("parameters", json!({"type": "object"}))]),
        "InferAnswer": object(&[
            ("model_name", text.clone()), ("model_version", text.clone()), ("outputs", list(&reference("InferOutput"))),
        ], &[("id", text.clone())]),
        "InferOutput": object(&[
            ("name", json!({"enum": names(&service.outputs)})),
            ("datatype", json!({"enum": [FP32, BYTES]})),
            ("shape", list(&json!({"type": "integer"}))),
        ], &[
            ("data", json!({"type": "array", "items": {"type": ["number", "null", "string"]}})),
            ("parameters", json!({"type": "object"})),
        ]),
    })
}

/// What is predicted: a number, or one for each output by its name.
fn value(outputs: &[Output]) -> Value {
    let number = |output: &Output| {
        let mut number = json!({"type": "number"});
        if let Some(unit) = &output.unit {
            number["description"] = json!(format!("In {unit}"));
        }
        number
    };
    match outputs {
        [output] => number(output),
        outputs => {
            let fields: Vec<_> = outputs.iter().map(|output| (output.name.as_str(), number(output))).collect();
            object(&fields, &[])
        }
    }
}

/// An answer with who gave it.
fn about(outputs: &[Output], field: &str, answer: Value) -> Value {
    let text = json!({"type": "string"});
    let unit = if outputs.len() == 1 { text.clone() } else { json!({"type": "object", "additionalProperties": text}) };
    strict(&object(
        &[(field, answer), ("model", text.clone()), ("version", text.clone()), ("digest", text.clone())],
        &[("unit", unit), ("revision", text)],
    ))
}

fn names(outputs: &[Output]) -> Vec<&str> {
    outputs.iter().map(|output| output.name.as_str()).chain([ERROR]).collect()
}

fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let fields = required.iter().chain(optional).map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": fields.collect::<Map<_, _>>(), "required": names})
}

/// Nothing else may be in it.
fn strict(object: &Value) -> Value {
    let mut strict = object.clone();
    strict["additionalProperties"] = json!(false);
    strict
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}
