//! The forms of bodies, with the outputs and units of the model that is served.

use chemmodel_bundle::{Output, Transform};
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
        "Row": {"oneOf": [object(&predicted(service), &[]), reference("Error")]},
        "Prediction": {"oneOf": [
            about(&service.outputs, predicted(service)),
            about(&service.outputs, vec![("predictions", json!({"type": "array", "items": reference("Row")}))]),
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
    per_output(outputs, |output| Some(in_unit(output, json!({"type": "number"}))))
}

/// What an answer has for a molecule, which is the same for all molecules of a model.
fn predicted(service: &Service) -> Vec<(&'static str, Value)> {
    let outputs = &service.outputs;
    let mut fields = vec![("prediction", reference("Value"))];
    if service.members > 1 {
        let spread = json!({"type": "number", "minimum": 0});
        let mut std = per_output(outputs, |output| Some(in_unit(output, spread.clone())));
        std["title"] = json!("Standard deviation of the members, as of a sample");
        let count = service.members;
        let numbers = json!({"type": "array", "items": {"type": "number"}, "minItems": count, "maxItems": count});
        let members = per_output(outputs, |output| Some(in_unit(output, numbers.clone())));
        fields.extend([("std", std), ("members", members)]);
    }
    if outputs.iter().any(has_logarithm) {
        let logarithm = json!({"type": "number", "description": "Decimal logarithm of the prediction"});
        fields.push(("log10", per_output(outputs, |output| has_logarithm(output).then(|| logarithm.clone()))));
    }
    if service.preprocessor.has_domain() {
        let unseen =
            json!({"type": "integer", "minimum": 0, "description": "Environments of its atoms that training had not"});
        let inside = json!({"type": "boolean", "description": "Whether there is none of them"});
        fields.push(("domain", object(&[("unseenEnvironments", unseen), ("inside", inside)], &[])));
    }
    fields
}

fn has_logarithm(output: &Output) -> bool {
    output.transform == Transform::Log10
}

fn in_unit(output: &Output, mut schema: Value) -> Value {
    if let Some(unit) = &output.unit {
        schema["description"] = json!(format!("In {unit}"));
    }
    schema
}

/// Plain where the model has one output, by the outputs' names where it has several.
fn per_output(outputs: &[Output], schema: impl Fn(&Output) -> Option<Value>) -> Value {
    let mut fields: Vec<_> =
        outputs.iter().filter_map(|output| Some((output.name.as_str(), schema(output)?))).collect();
    match outputs {
        [_] => fields.pop().map(|(_, schema)| schema).unwrap_or_default(),
        _ => object(&fields, &[]),
    }
}

/// An answer with who gave it.
fn about(outputs: &[Output], answer: Vec<(&str, Value)>) -> Value {
    let text = json!({"type": "string"});
    let unit = if outputs.len() == 1 { text.clone() } else { json!({"type": "object", "additionalProperties": text}) };
    let identity = ["model", "version", "digest"].map(|name| (name, text.clone()));
    strict(&object(&[answer, identity.to_vec()].concat(), &[("unit", unit), ("revision", text)]))
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
