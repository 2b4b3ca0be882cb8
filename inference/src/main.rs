//! `chemmodel-server`: see `args` for the command line and the library for everything else.

use std::process::ExitCode;

use chemmodel_inference::args::Args;
use chemmodel_inference::error::StartError;
use chemmodel_inference::{server, telemetry};
use clap::Parser;

fn main() -> ExitCode {
    let args = Args::parse();
    let termination_log = args.termination_log.clone();
    telemetry::init(args.log_format);
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| StartError::System { what: "the runtime's threads", source })
        .and_then(|runtime| runtime.block_on(server::run(args)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("{why}");
            telemetry::write_termination_message(&termination_log, &why.to_string());
            ExitCode::FAILURE
        }
    }
}
