//! `chemmodel-server`: see `args` for the command line and the library for everything else.

use std::process::ExitCode;

use chemmodel_inference::args::Args;
use chemmodel_inference::error::StartError;
use chemmodel_inference::{server, telemetry};
use clap::Parser;
use mimalloc::MiMalloc;

/// Why not glibc's: `docs/adr/0031-allocator.md`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    // It fails only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let termination_log = args.termination_log.clone();
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| StartError::System { what: "the runtime's threads", source })
        .and_then(|runtime| {
            runtime.block_on(async {
                let _telemetry = telemetry::init(&args)?;
                server::run(args).await
            })
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tracing::error!("{why}");
            telemetry::write_termination_message(&termination_log, &why.to_string());
            ExitCode::FAILURE
        }
    }
}
