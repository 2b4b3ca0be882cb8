//! The paths, what they take, and what they answer. Source of the form: <https://spec.openapis.org/oas/v3.1.0>.

use serde_json::{Map, Value, json};

use super::schemas::{self, reference};
use crate::service::Service;

/// The document for a model.
pub(super) fn of(service: &Service) -> Value {
    let identity = &service.identity;
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": identity.model,
            "version": identity.version,
            "summary": "Predicts molecules that are given as SMILES",
            "description": format!("The bundle is {}. A bad molecule of a list fails alone.", identity.digest),
        },
        "paths": {
            "/predict": {"post": predict(service)},
            "/v2": get("serverMetadata", "What this server is", &[(200, "ServerMetadata")]),
            "/v2/health/live": get("serverLive", "Whether the process works", &[(200, "Health"), (503, "Error")]),
            "/v2/health/ready": get("serverReady", "Whether predictions are answered", &[(200, "Health"), (503, "Error")]),
            "/v2/models/{model}": of_model("modelMetadata", "What the model takes and gives", "ModelMetadata"),
            "/v2/models/{model}/ready": of_model("modelReady", "Whether the model answers", "ModelReady"),
            "/v2/models/{model}/versions/{version}": of_version("versionMetadata", "What a version takes and gives", "ModelMetadata"),
            "/v2/models/{model}/versions/{version}/ready": of_version("versionReady", "Whether a version answers", "ModelReady"),
            "/v2/models/{model}/infer": infer("infer", &["model"]),
            "/v2/models/{model}/versions/{version}/infer": infer("inferVersion", &["model", "version"]),
        },
        "components": {"schemas": schemas::all(service), "parameters": parameters(service)},
    })
}

fn predict(service: &Service) -> Value {
    let line = reference("Molecule");
    json!({
        "operationId": "predict",
        "summary": "Predicts one molecule or many",
        "requestBody": {"required": true, "content": {
            "application/json": {"schema": reference("PredictRequest"), "examples": {
                "one": {"value": {"smiles": "CCO"}}, "many": {"value": {"smiles": ["CCO", "c1ccccc1"]}},
            }},
            // Lines have no schema of their own in this form; the one of a line is named.
            "application/x-ndjson": {"schema": {"type": "string", "contentSchema": line}, "example": "{\"smiles\":\"CCO\"}\n"},
        }},
        "responses": responses(&[
            (200, "Prediction"), (400, "Error"), (408, "Error"), (413, "Error"), (415, "Error"), (422, "Error"),
            (429, "Error"), (500, "Error"), (503, "Error"),
        ], &[(200, "application/x-ndjson", json!({"type": "string", "contentSchema": reference("Row")}))]),
        "description": format!(
            "At most {} molecules in a list. Lines of JSON (application/x-ndjson) may be as many as there are, and are answered line by line.",
            service.max_items
        ),
    })
}

fn infer(id: &str, names: &[&str]) -> Value {
    let body = json!({"required": true, "content": {"application/json": {"schema": reference("InferRequest")}}});
    let errors = [400, 404, 408, 413, 415, 429, 500, 503].map(|status| (status, "Error"));
    json!({
        "parameters": names.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})).collect::<Vec<_>>(),
        "post": {
            "operationId": id,
            "summary": "Predicts by the Open Inference Protocol, with JSON or binary tensors",
            "requestBody": body,
            "responses": responses(&[&[(200, "InferAnswer")][..], &errors].concat(), &[]),
        },
    })
}

fn get(id: &str, summary: &str, answers: &[(u16, &str)]) -> Value {
    json!({"get": {"operationId": id, "summary": summary, "responses": responses(answers, &[])}})
}

fn of_model(id: &str, summary: &str, answer: &str) -> Value {
    named(&["model"], id, summary, answer)
}

fn of_version(id: &str, summary: &str, answer: &str) -> Value {
    named(&["model", "version"], id, summary, answer)
}

fn named(names: &[&str], id: &str, summary: &str, answer: &str) -> Value {
    let mut path = get(id, summary, &[(200, answer), (404, "Error"), (503, "Error")]);
    path["parameters"] = names.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})).collect();
    path
}

/// Answers in JSON by status and schema, and what else an answer may be.
fn responses(answers: &[(u16, &str)], others: &[(u16, &str, Value)]) -> Value {
    let mut responses = Map::new();
    for (status, schema) in answers {
        let mut content = json!({"application/json": {"schema": reference(schema)}});
        for (_, media_type, schema) in others.iter().filter(|(of, ..)| of == status) {
            content[*media_type] = json!({"schema": schema});
        }
        let mut response = json!({"description": meaning(*status), "content": content});
        if matches!(status, 429 | 503) {
            response["headers"] =
                json!({"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}});
        }
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}

fn meaning(status: u16) -> &'static str {
    match status {
        200 => "The answer",
        400 => "The body is not what it must be",
        404 => "There is no such model or version here",
        408 => "The body did not come in time",
        413 => "The body, or the list, is too long",
        415 => "The body is of a type or an encoding that is not known",
        422 => "The molecule cannot be predicted",
        429 => "Overloaded: try again later",
        503 => "Not ready: try again later",
        _ => "The server failed; its log says why",
    }
}

fn parameters(service: &Service) -> Value {
    let path = |name: &str, value: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}, "example": value});
    json!({
        "model": path("model", &service.identity.model),
        "version": path("version", &service.identity.version),
    })
}
