//! `POST /predict` with a line of JSON for each molecule, and an answer of as many lines, while they come: for inputs of
//! any size, in bounded memory.
//!
//! A line that is no molecule is answered by its error and does not end the others. What ends them (a client that stops
//! sending, a server that stops) is told in a last line.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::stream;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::problem::Problem;
use super::{App, Caller, answer, body, serving, wants_fresh};
use crate::preprocess::MoleculeError;
use crate::service::{Call, Predictions, Service};

/// Of the request and of its answer.
pub(super) const MEDIA_TYPE: &str = "application/x-ndjson";
/// Bytes of a line: a molecule of 1000 characters, each of them escaped, and what is around it.
const MAX_LINE_BYTES: usize = 8 << 10;
/// Lines that were read and wait for room.
const READ_AHEAD: usize = 256;

/// `{"smiles":"CCO"}` or `"CCO"`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Bare(String),
    Object(Molecule),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Molecule {
    smiles: String,
}

/// What was read: a line, or why there are no more.
type Read = Result<Result<String, MoleculeError>, String>;

/// Answers lines by lines.
pub(super) fn predict(app: &Arc<App>, headers: &HeaderMap, body: Body, caller: Caller) -> Result<Response, Problem> {
    let service = serving(app)?.clone();
    body::check_encoding(headers)?;
    service.admit()?;
    let (sender, lines) = mpsc::channel(READ_AHEAD);
    let app = app.clone();
    tokio::spawn(async move {
        // Nobody reads any more when sending fails: the client has gone.
        if let Err(why) = read(&app, body, &sender).await {
            let _ = sender.send(Err(why)).await;
        }
    });
    let Caller(caller) = caller;
    let predictions = service.predictions(Call { caller, deadline: None, fresh: wants_fresh(headers) });
    let answers = Answers { predictions, service, lines, end: None };
    let answers = stream::unfold(answers, |mut answers| async move {
        let line = answers.next().await?;
        Some((Ok::<_, io::Error>(line), answers))
    });
    Ok((StatusCode::OK, [(CONTENT_TYPE, MEDIA_TYPE)], Body::from_stream(answers)).into_response())
}

/// Reads lines until the body ends; the error is what ended it too early.
async fn read(app: &App, mut body: Body, lines: &mpsc::Sender<Read>) -> Result<(), String> {
    let mut buffer = BytesMut::new();
    let mut seen = 0;
    loop {
        while let Some(end) = buffer[seen..].iter().position(|byte| *byte == b'\n') {
            let line = buffer.split_to(seen + end + 1);
            seen = 0;
            if send(&line, lines).await.is_err() {
                return Ok(());
            }
        }
        seen = buffer.len();
        if seen > MAX_LINE_BYTES {
            return Err(format!("a line has more than {MAX_LINE_BYTES} bytes; send one molecule in a line"));
        }
        match tokio::time::timeout(app.body_timeout, body.frame()).await {
            Ok(Some(Ok(frame))) => buffer.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
            Ok(None) => {
                let _ = send(&buffer, lines).await;
                return Ok(());
            }
            Ok(Some(Err(_))) => return Err("the body ended before it was complete".to_owned()),
            Err(_) => return Err(format!("no line came for {} s", app.body_timeout.as_secs())),
        }
    }
}

/// Empty lines are no lines.
async fn send(line: &[u8], lines: &mpsc::Sender<Read>) -> Result<(), mpsc::error::SendError<Read>> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let molecule = match serde_json::from_slice(line) {
        Ok(Line::Bare(smiles) | Line::Object(Molecule { smiles })) => Ok(smiles),
        Err(_) => Err(MoleculeError::new("the line is no molecule; send {\"smiles\":\"CCO\"} or \"CCO\" in one line")),
    };
    lines.send(Ok(molecule)).await
}

struct Answers {
    service: Arc<Service>,
    predictions: Predictions,
    lines: mpsc::Receiver<Read>,
    /// Why there are no more lines, once all before have been answered.
    end: Option<String>,
}

impl Answers {
    async fn next(&mut self) -> Option<Bytes> {
        match self.advance().await {
            Ok(line) => line.or_else(|| self.end.take().map(|why| last_line(&why))),
            Err(why) => {
                self.lines.close();
                self.end = None;
                Some(last_line(&why))
            }
        }
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, String> {
        let mut molecules = Vec::new();
        // Waits for a line only when there is nothing else to wait for; takes along what has come with it.
        if self.predictions.is_empty()
            && let Some(line) = self.lines.recv().await
        {
            self.take(line, &mut molecules);
        }
        let room = self.predictions.room();
        while molecules.len() < room
            && let Ok(line) = self.lines.try_recv()
        {
            self.take(line, &mut molecules);
        }
        self.predictions.feed(molecules).await.map_err(|refusal| refusal.to_string())?;
        match self.predictions.next().await.map_err(|refusal| refusal.to_string())? {
            Some(row) => {
                answer::line(&self.service, row).map(|line| Some(line.into())).map_err(|error| error.to_string())
            }
            None => Ok(None),
        }
    }

    fn take(&mut self, line: Read, molecules: &mut Vec<Result<String, MoleculeError>>) {
        match line {
            Ok(molecule) => molecules.push(molecule),
            Err(why) => self.end = Some(why),
        }
    }
}

fn last_line(why: &str) -> Bytes {
    format!("{}\n", json!({"error": format!("no more answers: {why}")})).into()
}
