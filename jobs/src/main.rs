//! Reads the command line, runs the step, reports. The steps themselves are in the library.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use chemmodel_bundle::report::{SyncReason, SyncReport};
use chemmodel_jobs::args::{Args, Command, DEFAULT_TERMINATION_LOG, SyncArgs};
use chemmodel_jobs::sync::{self, SyncError};
use chemmodel_jobs::telemetry;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// How long a thread that hashes or writes may go on after a stop; it holds no state that a kill would spoil.
const STOP_GRACE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    // Fails only if a provider is installed already; then there is nothing to do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Args::try_parse() {
        Ok(Args { command: Command::Sync(args) }) => {
            telemetry::init(args.log_format);
            let report = run(&args);
            conclude(&report, &args.termination_log)
        }
        Err(usage) => {
            let _ = usage.print();
            if !usage.use_stderr() {
                return ExitCode::SUCCESS;
            }
            let report = SyncReport::failed(SyncReason::InvalidConfiguration, usage.to_string().trim_end());
            // Outside a Pod there is no such file, and a user's typing error should not create one.
            let log = PathBuf::from(DEFAULT_TERMINATION_LOG);
            if log.exists() { conclude(&report, &log) } else { ExitCode::from(report.exit_code()) }
        }
    }
}

fn run(args: &SyncArgs) -> SyncReport {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return SyncReport::failed(SyncReason::Unavailable, format!("the process cannot start: {why}")),
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = sync::run(args) => outcome,
            stopped = stop_signal() => Err(stopped),
        }
    });
    runtime.shutdown_timeout(STOP_GRACE);
    match outcome {
        Ok(synced) => SyncReport::Succeeded(synced),
        Err(SyncError { reason, message }) => SyncReport::failed(reason, message),
    }
}

/// Ends when the Pod is told to stop. What is staged stays, and the next Job goes on from there.
async fn stop_signal() -> SyncError {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the signals keep their default action, which is to end the process.
        return std::future::pending().await;
    };
    let name = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    SyncError::new(
        SyncReason::Unavailable,
        format!("stopped by {name} before the end; the next run resumes what was staged"),
    )
}

fn conclude(report: &SyncReport, log: &Path) -> ExitCode {
    match report {
        SyncReport::Succeeded(synced) => tracing::info!(
            digest = %synced.digest, files = synced.files, bytes = synced.bytes, reused = synced.reused, seconds = synced.seconds,
            "the bundle is in place"
        ),
        SyncReport::Failed(failure) => {
            tracing::error!(reason = %failure.reason, retryable = failure.retryable, "{}", failure.message);
        }
    }
    let written =
        report.to_termination_message().map_err(std::io::Error::from).and_then(|line| std::fs::write(log, line));
    if let Err(why) = written {
        // The exit code still carries the verdict.
        tracing::warn!(file = %log.display(), %why, "the report could not be written to the termination log");
    }
    ExitCode::from(report.exit_code())
}
