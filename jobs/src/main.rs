//! Reads the command line and runs the step. The steps themselves are in the library.

use std::path::Path;
use std::process::ExitCode;

use chemmodel_bundle::report::{SyncReason, SyncReport};
use chemmodel_jobs::args::{Args, Command};
use chemmodel_jobs::process::{self, DEFAULT_TERMINATION_LOG};
use chemmodel_jobs::{sync, verify};
use clap::Parser;

fn main() -> ExitCode {
    // Fails only if a provider is installed already; then there is nothing to do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Args::try_parse() {
        Ok(Args { command: Command::Sync(args) }) => process::run(&args.reporting, sync::report(&args)),
        Ok(Args { command: Command::Verify(args) }) => process::run(&args.reporting, verify::report(&args)),
        Err(usage) => refuse(&usage),
    }
}

/// Ends without a step: help, or a command line that cannot be understood.
fn refuse(usage: &clap::Error) -> ExitCode {
    let _ = usage.print();
    if !usage.use_stderr() {
        return ExitCode::SUCCESS;
    }
    // A wrong configuration has the same JSON and the same exit code in the reports of all steps.
    let report = SyncReport::failed(SyncReason::InvalidConfiguration, usage.to_string().trim_end());
    // Outside a Pod there is no such file, and a user's typing error should not create one.
    let log = Path::new(DEFAULT_TERMINATION_LOG);
    if log.exists() { process::conclude(&report, log) } else { ExitCode::from(report.exit_code()) }
}
