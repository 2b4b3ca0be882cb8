//! What every step has in common: its log, the signals that end it, and what it leaves behind.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use chemmodel_bundle::report::{SyncReason, SyncReport};
use chemmodel_bundle::verification::{VerifyReason, VerifyReport};
use tokio::signal::unix::{SignalKind, signal};

use crate::telemetry::{self, LogFormat};

/// Where the kubelet looks unless the container says otherwise.
pub const DEFAULT_TERMINATION_LOG: &str = "/dev/termination-log";
/// How long a thread that hashes or writes may go on after a stop; it holds no state that a kill would spoil.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// How a run tells what it does.
#[derive(Debug, Clone, clap::Args)]
pub struct Reporting {
    /// File that receives the report; the kubelet copies it into the Pod's status
    #[arg(long, value_name = "FILE", default_value = DEFAULT_TERMINATION_LOG)]
    pub termination_log: PathBuf,

    /// Form of the log lines on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

/// How a step ended, in the form that it leaves to the operator.
pub trait Report {
    /// The step could not be done this time; the message says why.
    fn unavailable(message: String) -> Self;
    /// 0 for success.
    fn exit_code(&self) -> u8;
    /// One line of JSON.
    fn to_termination_message(&self) -> Result<String, serde_json::Error>;
    /// Tells it to whoever reads the log.
    fn log(&self);
}

/// Runs a step to its end and concludes the process.
pub fn run<R: Report>(reporting: &Reporting, step: impl Future<Output = R>) -> ExitCode {
    telemetry::init(reporting.log_format);
    let report = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let report = runtime.block_on(step);
            runtime.shutdown_timeout(STOP_GRACE);
            report
        }
        Err(why) => R::unavailable(format!("the process cannot start: {why}")),
    };
    conclude(&report, &reporting.termination_log)
}

/// Ends when the Pod is told to stop, with the name of the signal.
pub async fn stop_signal() -> &'static str {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without handlers the signals keep their default action, which is to end the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Logs the report, leaves it in the termination log, and makes an exit code of it.
pub fn conclude(report: &impl Report, log: &Path) -> ExitCode {
    report.log();
    let written =
        report.to_termination_message().map_err(std::io::Error::from).and_then(|line| std::fs::write(log, line));
    if let Err(why) = written {
        // The exit code still carries the verdict.
        tracing::warn!(file = %log.display(), %why, "the report could not be written to the termination log");
    }
    ExitCode::from(report.exit_code())
}

impl Report for SyncReport {
    fn unavailable(message: String) -> Self {
        Self::failed(SyncReason::Unavailable, message)
    }

    fn exit_code(&self) -> u8 {
        self.exit_code()
    }

    fn to_termination_message(&self) -> Result<String, serde_json::Error> {
        self.to_termination_message()
    }

    fn log(&self) {
        match self {
            Self::Succeeded(synced) => tracing::info!(
                digest = %synced.digest, files = synced.files, bytes = synced.bytes, reused = synced.reused,
                seconds = synced.seconds, "the bundle is in place"
            ),
            Self::Failed(failure) => {
                tracing::error!(reason = %failure.reason, retryable = failure.retryable, "{}", failure.message);
            }
        }
    }
}

impl Report for VerifyReport {
    fn unavailable(message: String) -> Self {
        Self::failed(VerifyReason::Unreachable, message, None)
    }

    fn exit_code(&self) -> u8 {
        self.exit_code()
    }

    fn to_termination_message(&self) -> Result<String, serde_json::Error> {
        self.to_termination_message()
    }

    fn log(&self) {
        match self {
            Self::Passed(figures) => tracing::info!(
                digest = %figures.digest, revision = figures.revision, pods = figures.pods, answers = figures.answers,
                p95_milliseconds = figures.p95_milliseconds, seconds = figures.seconds, "every answer was right"
            ),
            Self::Failed(failure) => {
                tracing::error!(reason = %failure.reason, retryable = failure.retryable, "{}", failure.message);
            }
        }
    }
}
