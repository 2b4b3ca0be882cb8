//! Log lines on standard error, and the last sentence for Kubernetes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// The kubelet cuts a termination message here.
const MAX_TERMINATION_MESSAGE_BYTES: usize = 4096;

/// Sends log lines to standard error; `RUST_LOG` chooses which, by default `info` and the runtime's warnings.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,ort=warn"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // It fails only when a subscriber is there already, and then the lines go to that one.
    let _ = match format {
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
        LogFormat::Text => lines.with_ansi(false).try_init(),
    };
}

/// Leaves `sentence` where the kubelet looks for the reason of a container's end. Outside a Pod there is no such file,
/// and failing to write it must not hide the reason itself, which the log has.
pub fn write_termination_message(path: &Path, sentence: &str) {
    let end = sentence.floor_char_boundary(MAX_TERMINATION_MESSAGE_BYTES);
    // Never created: a file of that name outside a Pod would only be litter.
    if let Ok(mut file) = OpenOptions::new().write(true).truncate(true).open(path)
        && let Err(error) = file.write_all(&sentence.as_bytes()[..end])
    {
        tracing::warn!(%error, path = %path.display(), "the termination message could not be written");
    }
}
