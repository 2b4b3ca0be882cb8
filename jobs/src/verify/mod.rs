//! `chemmodel-job verify`: does every pod of a candidate answer as the original framework did?
//!
//! ```text
//! golden (files) --Questions--> interview --client--> pods, Service
//!                                  |  answer, compare (pure)
//!                                  v
//!                                tally (pure) --> verdict (pure) --> VerifyReport
//! ```
//!
//! What may be relied on: the report says `Passed` only when every pod gave the right number, in the right unit, under
//! the right name, for every molecule, alone and in a list, and each answer named this digest, revision and version.
//! Whatever is missing makes it `Failed`. Only `golden` reads files and only `client` uses the network.

mod answer;
pub mod args;
mod client;
mod compare;
mod failure;
mod golden;
mod interview;
mod manner;
mod provider;
mod tally;
mod verdict;

use std::net::SocketAddr;
use std::time::Duration;

use chemmodel_bundle::verification::{VerifyReason, VerifyReport};
use tokio::time::Instant;

use crate::process::stop_signal;
use args::VerifyArgs;
use client::{Client, Connections};
use compare::Expectation;
use failure::Failure;
use golden::Questions;
use interview::Interview;
use manner::Manner;
use reqwest::Url;
use tally::Tally;
use verdict::{Candidate, conclude};

/// Between two looks for a name.
const PAUSE: Duration = Duration::from_millis(500);

/// Verifies the candidate, and says what was proved.
pub async fn report(args: &VerifyArgs) -> VerifyReport {
    let started = Instant::now();
    let candidate = Candidate {
        digest: args.digest,
        revision: args.revision.clone(),
        pods: args.pods.len(),
        max_p95: args.max_p95_milliseconds.map(Duration::from_millis),
    };
    let questions = match args.check().and_then(|()| golden::load(args)) {
        Ok(questions) => questions,
        Err(failure) => return conclude(&candidate, Err(failure), &Tally::new(0), started.elapsed()),
    };
    let mut tally = Tally::new(questions.molecules.len());
    let asked = tokio::select! {
        asked = ask(args, &questions, &mut tally, started) => asked,
        name = stop_signal() => Err(stopped(name)),
    };
    conclude(&candidate, asked, &tally, started.elapsed())
}

async fn ask(args: &VerifyArgs, questions: &Questions, tally: &mut Tally, started: Instant) -> Result<(), Failure> {
    let deadline = started + Duration::from_secs(args.timeout_seconds);
    let answer_limit = Duration::from_secs(args.answer_seconds);
    let digest = args.digest.to_string();
    let (revision, version) = (args.revision.as_str(), args.version.as_str());
    let expectation = Expectation { digest: &digest, revision, version, outputs: &questions.outputs };
    let manner = Manner::read(args)?;
    let mut interview = Interview { questions, expectation, manner: &manner, tally };

    for pod in &args.pods {
        let client = Client::new(&manner, pod.address, Connections::Kept, deadline, answer_limit)?;
        interview.pod(&client, pod, args.ops_port).await?;
        if interview.tally.worst_mismatch().is_some() {
            return Ok(());
        }
        tracing::info!(pod = pod.name, answers = interview.tally.answers, "every answer of the pod was right");
    }
    let address = find(&args.service, deadline).await?;
    let client = Client::new(&manner, address, Connections::Fresh, deadline, answer_limit)?;
    interview.service(&client, &args.service).await
}

/// The address of the Service. A name that was made a moment ago may not be known everywhere yet.
async fn find(service: &Url, deadline: Instant) -> Result<SocketAddr, Failure> {
    let host = service.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = service.port_or_known_default().unwrap_or(80);
    loop {
        let why = match tokio::net::lookup_host((host, port)).await.map(|mut addresses| addresses.next()) {
            Ok(Some(address)) => return Ok(address),
            Ok(None) => "it has no address".to_owned(),
            Err(error) => error.to_string(),
        };
        if Instant::now() + PAUSE >= deadline {
            let message = format!("the Service {service} cannot be found: {why}; check the cluster's name server");
            return Err(Failure::new(VerifyReason::Unreachable, message));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn stopped(signal: &str) -> Failure {
    let message =
        format!("stopped by {signal} before every answer had come; the next run asks again from the beginning");
    Failure::new(VerifyReason::Unreachable, message)
}
