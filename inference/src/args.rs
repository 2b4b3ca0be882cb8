//! The command line. The operator writes it into the Pod, so a flag is part of a contract: never rename one.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::available_parallelism;

use chemmodel_bundle::BundleDigest;
use clap::{Parser, ValueEnum};

/// Serves one model bundle over HTTP.
#[derive(Debug, Clone, Parser)]
// The program's own version is in its log and metrics: `--version` is the model's.
#[command(name = "chemmodel-server", disable_version_flag = true)]
pub struct Args {
    /// Directory of the bundle: chemmodel.json and the files that it lists
    #[arg(long, value_name = "DIR")]
    pub bundle: PathBuf,
    /// Digest that the bundle must have; without it any bundle in the directory is served
    #[arg(long, value_name = "sha256:HEX")]
    pub digest: Option<BundleDigest>,
    /// Name of the model, told in answers and metrics
    #[arg(long)]
    pub name: String,
    /// Version of the model, told in answers and metrics
    #[arg(long)]
    pub version: String,
    /// Revision of the deployment, told in answers and metrics
    #[arg(long, default_value = "")]
    pub revision: String,
    /// Where predictions are served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub http_address: SocketAddr,
    /// Where /livez, /readyz and /metrics are served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8081")]
    pub ops_address: SocketAddr,
    /// What runs the network; cuda never falls back to cpu
    #[arg(long, value_enum, default_value_t = Accelerator::Cpu)]
    pub accelerator: Accelerator,
    /// Threads of one inference [default: the CPUs of the container's quota]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Cost of a batch at most: tokens of its longest molecule times its molecules
    #[arg(long, value_name = "N", default_value = "16384")]
    pub max_batch_tokens: NonZeroUsize,
    /// Molecules of a batch at most
    #[arg(long, value_name = "N", default_value = "256")]
    pub max_batch_items: NonZeroUsize,
    /// Molecules that may wait for the engine; more are refused with 429
    #[arg(long, value_name = "N", default_value = "1024")]
    pub max_queue_items: NonZeroUsize,
    /// Characters of one SMILES at most
    #[arg(long, value_name = "N", default_value = "1000")]
    pub max_smiles_length: NonZeroUsize,
    /// Molecules of one request at most; never more than --max-queue-items
    #[arg(long, value_name = "N", default_value = "1024")]
    pub max_items_per_request: NonZeroUsize,
    /// How long to keep serving after SIGTERM, so that load balancers can look away
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub drain_seconds: u64,
    /// Form of the log lines
    #[arg(long, value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// Where the sentence that ended the process goes; ignored when it cannot be written
    #[arg(long, value_name = "FILE", default_value = "/dev/termination-log")]
    pub termination_log: PathBuf,
    /// Shared library of ONNX Runtime
    #[arg(long, value_name = "FILE", env = "ORT_DYLIB_PATH", default_value = "libonnxruntime.so")]
    pub onnxruntime: PathBuf,
}

/// What runs the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Accelerator {
    /// ONNX Runtime's CPU provider.
    Cpu,
    /// ONNX Runtime's CUDA provider, for the whole network.
    Cuda,
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Args {
    /// Threads of one inference. ONNX Runtime's own default is the host's cores, whatever the container may use;
    /// `available_parallelism` reads the quota of cgroup v1 and v2 and the affinity mask.
    pub fn threads(&self) -> usize {
        self.threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }

    /// Molecules of one request at most: what cannot ever fit the queue must not be told to try again.
    pub fn max_items_per_request(&self) -> usize {
        self.max_items_per_request.min(self.max_queue_items).get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(more: &[&str]) -> Result<Args, clap::Error> {
        let required = ["chemmodel-server", "--bundle", "b", "--name", "boiling-point", "--version", "v1"];
        Args::try_parse_from(required.iter().chain(more))
    }

    #[test]
    fn the_command_line_has_the_documented_defaults() {
        let args = parse(&[]).unwrap();
        assert_eq!(args.http_address.to_string(), "0.0.0.0:8080");
        assert_eq!(args.ops_address.to_string(), "0.0.0.0:8081");
        assert_eq!(args.accelerator, Accelerator::Cpu);
        assert_eq!((args.max_batch_tokens.get(), args.max_batch_items.get()), (16384, 256));
        assert_eq!((args.max_queue_items.get(), args.max_smiles_length.get()), (1024, 1000));
        assert_eq!((args.max_items_per_request(), args.drain_seconds), (1024, 5));
        assert!(args.threads() >= 1);
    }

    #[test]
    fn a_limit_of_zero_is_refused_because_nothing_could_ever_be_served() {
        for flag in ["--threads", "--max-batch-tokens", "--max-batch-items", "--max-queue-items", "--max-smiles-length"]
        {
            assert!(parse(&[flag, "0"]).is_err(), "{flag} 0 was accepted");
        }
    }

    #[test]
    fn a_digest_must_name_its_algorithm() {
        assert!(parse(&["--digest", "abc"]).is_err());
        assert!(parse(&["--digest", &format!("sha256:{}", "0".repeat(64))]).is_ok());
    }

    #[test]
    fn a_request_never_holds_more_than_the_queue_could_take() {
        let args = parse(&["--max-queue-items", "10"]).unwrap();
        assert_eq!(args.max_items_per_request(), 10);
    }
}
