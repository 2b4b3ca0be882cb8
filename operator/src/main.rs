//! Starts the operator: telemetry, client, health, the lead, the controller; and stops it in the reverse order.
#![allow(clippy::disallowed_types, reason = "the I/O shell holds the client")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chemmodel_operator::args::Args;
use chemmodel_operator::context::Context;
use chemmodel_operator::leader::Election;
use chemmodel_operator::metrics::Metrics;
use chemmodel_operator::server::{Health, serve};
use chemmodel_operator::{access, client, controller, telemetry};
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let args = Args::parse();
    telemetry::start(args.log_format);
    match run(args).await {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(%error, "the operator cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let client = client::connect().await?;
    let metrics = Metrics::new()?;
    let (controller, store) = controller::build(&client, args.watch_namespace.as_deref());
    let health = Health {
        ready: Arc::new(AtomicBool::new(false)),
        metrics: metrics.clone(),
        refresh: {
            let metrics = metrics.clone();
            Arc::new(move || {
                let models = store.state();
                metrics.set_models(models.iter().filter_map(|model| model.0.as_ref().ok()));
            })
        },
    };
    let ready = Arc::clone(&health.ready);
    let mut health_server = tokio::spawn(serve(args.address, health));
    let stop = stop_signal()?;

    access::check(&client, args.watch_namespace.as_deref()).await?;
    ready.store(true, Ordering::Relaxed);

    let election = Election::new(client.clone(), &args.lease_namespace, &args.lease_name, &args.identity);
    let term = tokio::select! {
        term = election.acquire() => term,
        () = stopped(stop.clone()) => return Ok(ExitCode::SUCCESS),
        ended = &mut health_server => return Err(format!("the health server ended: {ended:?}").into()),
    };
    tracing::info!(identity = args.identity, term, "leading");
    metrics.leader.set(1);

    let context = Arc::new(Context::new(client, args.settings(), term, args.identity.clone(), metrics));
    tokio::select! {
        // Ends when told to stop and the reconciles under way are done. A panic in a reconcile ends the process here too.
        () = controller::run(controller, context, stopped(stop)) => {
            election.release().await;
            Ok(ExitCode::SUCCESS)
        }
        () = election.hold() => Ok(ExitCode::FAILURE),
        ended = &mut health_server => Err(format!("the health server ended: {ended:?}").into()),
    }
}

/// Becomes true at SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new reconciles");
        // Nobody listens any more only when the process is ending anyway.
        let _ = sender.send(true);
    });
    Ok(receiver)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, which happens only after it has sent.
    let _ = stop.wait_for(|stop| *stop).await;
}
