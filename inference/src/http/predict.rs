//! `POST /predict`: the steps from a request to its answer, each of which may end it with a [`Problem`].

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::request::{PredictRequest, Smiles};
use super::{App, Caller, answer, body, ndjson, serving};
use crate::service::RowError;

pub(super) async fn predict(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    let caller = Caller::of(&head.extensions);
    if body::media_type(&head.headers) == ndjson::MEDIA_TYPE {
        return ndjson::predict(&app, &head.headers, body, caller)
            .unwrap_or_else(|problem| problem.counted(&app).into_response());
    }
    let answer = answer(&app, &head.headers, &mut body, caller).await;
    if answer.is_err() {
        body::discard(&head.headers, &mut body, app.body_timeout).await;
    }
    answer.unwrap_or_else(|problem| problem.counted(&app).into_response())
}

async fn answer(app: &App, headers: &HeaderMap, body: &mut Body, caller: Caller) -> Result<Response, Problem> {
    let call = app.call(caller, headers);
    let service = serving(app)?;
    check_headers(headers)?;
    service.admit()?;
    let body = body::read(body, app.body_timeout).await?;
    let PredictRequest { smiles } =
        PredictRequest::parse(&body).map_err(|sentence| Problem::new(StatusCode::BAD_REQUEST, sentence))?;
    match smiles {
        Smiles::One(molecule) => {
            let row = service.predict(vec![molecule], call).await?.pop().unwrap_or(Err(RowError::Engine));
            Ok(answer::one(service, row?))
        }
        Smiles::Many(molecules) => answer::many(service, service.predict(molecules, call).await?),
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let found = match body::media_type(headers).as_str() {
        "application/json" => return body::check(headers),
        "" => "no content type".to_owned(),
        other => format!("the content type \"{other}\""),
    };
    let sentence = format!(
        "the request has {found}; send JSON as application/json (curl: -H 'content-type: application/json'), or lines of it as application/x-ndjson"
    );
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence))
}
