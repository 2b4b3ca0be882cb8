//! Whom to ask what, in which order: every pod each molecule alone, then all of them in lists; then the Service.
//!
//! One request at a time, so that the times are those of an idle candidate. A pod with wrong answers is the last one
//! that is asked: the verdict cannot change any more. Everything but a wrong number ends the interview at once.

use chemmodel_bundle::verification::VerifyReason;
use http::StatusCode;
use reqwest::Url;
use serde_json::{Value, json};

use super::answer::{About, Many, One, Row};
use super::args::PodAddress;
use super::client::{Client, Reply};
use super::compare::{Expectation, Fault};
use super::failure::Failure;
use super::golden::{Question, Questions};
use super::manner::Manner;
use super::provider;
use super::tally::Tally;
use super::verdict::MAX_SMILES_CHARS;
use crate::shown;

/// Molecules of one list at most; a server that accepts fewer says so with 413 and gets shorter lists.
const MAX_LIST: usize = 256;
/// Molecules that the Service is asked: enough to see whom it leads to.
const SERVICE_MOLECULES: usize = 6;

/// Asks the questions and counts the answers.
#[derive(Debug)]
pub struct Interview<'a> {
    /// What to ask.
    pub questions: &'a Questions,
    /// What the answers must say.
    pub expectation: Expectation<'a>,
    /// How the candidate is spoken to.
    pub manner: &'a Manner,
    /// Where they are counted.
    pub tally: &'a mut Tally,
}

impl Interview<'_> {
    /// Asks one pod everything.
    pub async fn pod(&mut self, client: &Client, pod: &PodAddress, ops_port: u16) -> Result<(), Failure> {
        let who = format!("pod {}", pod.name);
        let mut ops = pod.address;
        ops.set_port(ops_port);
        let metrics = client.get(&who, url(&format!("http://{ops}/metrics"))?).await?;
        self.tally.providers.insert(provider(&who, &metrics)?);

        let predict = url(&self.manner.predict(pod.address))?;
        let questions = self.questions;
        let mut times = Vec::with_capacity(questions.molecules.len());
        for (index, question) in questions.molecules.iter().enumerate() {
            times.push(self.one(client, &who, &predict, index, question).await?);
        }
        self.tally.record_times(&pod.name, times);
        self.lists(client, &who, &predict).await
    }

    /// Asks the Service a few molecules.
    pub async fn service(&mut self, client: &Client, service: &Url) -> Result<(), Failure> {
        let who = format!("the Service {service}");
        let predict = self.manner.predict_at(service)?;
        let questions = self.questions;
        for (index, question) in questions.molecules.iter().enumerate().take(SERVICE_MOLECULES) {
            self.one(client, &who, &predict, index, question).await?;
        }
        Ok(())
    }

    async fn one(
        &mut self,
        client: &Client,
        who: &str,
        predict: &Url,
        index: usize,
        question: &Question,
    ) -> Result<std::time::Duration, Failure> {
        let place = format!("{who}, asked for \"{}\"", shown::beginning(&question.smiles, MAX_SMILES_CHARS));
        let reply = client.post(&place, predict, json!({"smiles": question.smiles}).to_string()).await?;
        let One { prediction, about } = parse(&place, &reply)?;
        self.judge(who, &place, &about, index, prediction.as_ref())?;
        Ok(reply.took)
    }

    async fn lists(&mut self, client: &Client, who: &str, predict: &Url) -> Result<(), Failure> {
        let questions = self.questions;
        let (mut at, mut size) = (0, MAX_LIST);
        while at < questions.molecules.len() {
            let rest = &questions.molecules[at..];
            let list = &rest[..rest.len().min(size)];
            let smiles: Vec<_> = list.iter().map(|question| question.smiles.as_str()).collect();
            let place = format!("{who}, asked for a list of {}", list.len());
            let reply = client.post(&place, predict, json!({"smiles": smiles}).to_string()).await?;
            if reply.status == StatusCode::PAYLOAD_TOO_LARGE && list.len() > 1 {
                size = list.len().div_ceil(2);
                continue;
            }
            let whole = format!("{place},");
            let Many { predictions, about } = parse(&place, &reply)?;
            if predictions.len() != list.len() {
                return Err(not_answered(&place, &format!("it gave {} predictions", predictions.len())));
            }
            for (index, (question, Row { prediction, error })) in (at..).zip(list.iter().zip(predictions)) {
                let smiles = shown::beginning(&question.smiles, MAX_SMILES_CHARS);
                let place = format!("{place}, \"{smiles}\" among them");
                if let Some(error) = error {
                    let error = shown::beginning(&error, shown::MAX_DETAIL_CHARS);
                    return Err(not_answered(&place, &format!("it answered with an error: {error}")));
                }
                self.judge(&whole, &place, &about, index, prediction.as_ref())?;
            }
            at += list.len();
        }
        Ok(())
    }

    fn judge(
        &mut self,
        who: &str,
        place: &str,
        about: &About,
        index: usize,
        prediction: Option<&Value>,
    ) -> Result<(), Failure> {
        let failure = |Fault { reason, sentence }| Failure::new(reason, format!("{place}: {sentence}"));
        self.expectation.check(about).map_err(failure)?;
        let values = self.expectation.values(prediction).map_err(failure)?;
        self.tally.record(who, index, &self.questions.molecules[index], &values, self.expectation.outputs);
        Ok(())
    }
}

fn provider(who: &str, metrics: &Reply) -> Result<String, Failure> {
    let place = format!("{who}, asked for its metrics");
    let text = String::from_utf8_lossy(metrics.success().map_err(|why| not_answered(&place, &why))?);
    provider::of_metrics(&text).ok_or_else(|| {
        not_answered(&place, "chemmodel_server_info does not say the provider: either the model is not loaded yet, or the server is too old")
    })
}

fn parse<'a, T: serde::Deserialize<'a>>(place: &str, reply: &'a Reply) -> Result<T, Failure> {
    let body = reply.success().map_err(|why| not_answered(place, &why))?;
    serde_json::from_slice(body)
        .map_err(|why| not_answered(place, &format!("its answer is not of the server's form: {why}")))
}

fn not_answered(place: &str, why: &str) -> Failure {
    Failure::new(VerifyReason::NotAnswered, format!("{place}: {why}"))
}

fn url(text: &str) -> Result<Url, Failure> {
    text.parse().map_err(|why| Failure::new(VerifyReason::InvalidConfiguration, format!("{text} is no URL: {why}")))
}
