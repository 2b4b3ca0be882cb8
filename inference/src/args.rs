//! The command line. The operator writes it into the Pod, so a flag is part of a contract: never rename one.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::available_parallelism;

use chemmodel_bundle::{BundleDigest, Kind, Precision};
use clap::{Parser, ValueEnum};

use crate::error::StartError;

/// Serves one model bundle over HTTP.
#[derive(Debug, Clone, Parser)]
// The program's own version is in its log and metrics: `--version` is the model's.
#[command(name = "chemmodel-server", disable_version_flag = true)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line, not states")]
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
    /// Where predictions are served over gRPC
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9000")]
    pub grpc_address: SocketAddr,
    /// Where /livez, /readyz and /metrics are served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8081")]
    pub ops_address: SocketAddr,
    /// What runs the network; cuda never falls back to cpu
    #[arg(long, value_enum, default_value_t = Accelerator::Cpu)]
    pub accelerator: Accelerator,
    /// Memory of the GPU that the network's arena may take, in MiB [default: all of it]
    #[arg(long, value_name = "MIB")]
    pub gpu_memory_limit: Option<NonZeroUsize>,
    /// Let the GPU round the factors of products to 10 bits; faster, and answers change by about a thousandth
    #[arg(long)]
    pub tf32: bool,
    /// Numbers that the network computes with: fp32, or a variant that the bundle has, int8 (cpu only) or fp16
    #[arg(long, value_name = "PRECISION", default_value_t = Precision::Fp32)]
    pub precision: Precision,
    /// Inferences at once, each with the whole network in memory [default: one for each CPU of the container's quota, as long as the copies take
    /// no more than 1 GiB; 1 with cuda]
    #[arg(long, value_name = "N")]
    pub sessions: Option<NonZeroUsize>,
    /// Threads of one inference [default: what the quota leaves for each; 1 with cuda]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Cost of a batch at most: tokens of its longest molecule times its molecules; for graphs, all atoms and directed bonds
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
    /// Answers that are kept in memory and given again; 0 keeps none
    #[arg(long, value_name = "N", default_value_t = 16384)]
    pub cache_entries: u64,
    /// Redis that replicas share answers in, as `redis://:password@host:6379/0`, or `rediss:` with TLS; taken from the environment, where no
    /// list of processes shows it
    #[arg(long, value_name = "URL", env = "CHEMMODEL_CACHE_REDIS_URL", hide_env_values = true)]
    pub cache_redis_url: Option<String>,
    /// Certificate of the prediction ports, in PEM; without it they are not encrypted
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// Its key
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// Authority that must have signed the certificates of clients; without it they need none
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub tls_client_authority: Option<PathBuf>,
    /// Directory of the keys of callers: a file for each, with "sha256:" and the hash of its key in it
    #[arg(long, value_name = "DIR", conflicts_with = "token_review")]
    pub api_keys: Option<PathBuf>,
    /// Ask the API server of the cluster whose the token of a caller is
    #[arg(long)]
    pub token_review: bool,
    /// For whom the token must have been made [default: for the API server]
    #[arg(long, value_name = "AUDIENCE", requires = "token_review")]
    pub token_audience: Vec<String>,
    /// User or group that may ask [default: all that the cluster knows]
    #[arg(long, value_name = "NAME", requires = "token_review")]
    pub token_allow: Vec<String>,
    /// How long to keep serving after SIGTERM, so that load balancers can look away
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub drain_seconds: u64,
    /// Where traces are sent, as OTLP over gRPC: `http://collector:4317`; without it there are none
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// Write a line about each request: who, how many molecules, how it ended; never which molecules
    #[arg(long)]
    pub audit: bool,
    /// And the molecules too
    #[arg(long, requires = "audit")]
    pub audit_smiles: bool,
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

/// Of all copies of the network, when nobody says how many.
const MOST_BYTES: u64 = 1 << 30;

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
    /// Inferences at once, and the threads of each, for a network of so many bytes. Many inferences on one thread each do more than few on many
    /// (`docs/adr/0025-one-thread-each.md`), but each has the network in memory.
    pub fn engines(&self, network: u64, kind: Kind) -> Result<(usize, usize), StartError> {
        // Reads the quota of cgroup v1 and v2 and the affinity mask; ONNX Runtime's own default is the host's cores, whatever the container may use.
        let quota = available_parallelism().map_or(1, NonZeroUsize::get);
        self.engines_on(quota, network, kind)
    }

    fn engines_on(&self, quota: usize, network: u64, kind: Kind) -> Result<(usize, usize), StartError> {
        let copies = usize::try_from(MOST_BYTES / network.max(1)).unwrap_or(usize::MAX);
        let threads = match (kind, self.accelerator) {
            (Kind::Graph, Accelerator::Cpu) => match self.threads.map_or(1, NonZeroUsize::get) {
                1 => Some(1),
                threads => return Err(StartError::ThreadsOfGraphs(threads)),
            },
            (Kind::Sequence, _) | (_, Accelerator::Cuda) => self.threads.map(NonZeroUsize::get),
        };
        let sessions = self.sessions.map(NonZeroUsize::get);
        let sessions = sessions.unwrap_or_else(|| match self.accelerator {
            Accelerator::Cpu => (quota / threads.unwrap_or(1)).min(copies).max(1),
            // One queue of the GPU: a second session would only wait for it.
            Accelerator::Cuda => 1,
        });
        let threads = threads.unwrap_or_else(|| match self.accelerator {
            Accelerator::Cpu => (quota / sessions).max(1),
            Accelerator::Cuda => 1,
        });
        Ok((sessions, threads))
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
    }

    #[test]
    fn a_limit_of_zero_is_refused_because_nothing_could_ever_be_served() {
        for flag in [
            "--sessions",
            "--threads",
            "--max-batch-tokens",
            "--max-batch-items",
            "--max-queue-items",
            "--max-smiles-length",
        ] {
            assert!(parse(&[flag, "0"]).is_err(), "{flag} 0 was accepted");
        }
    }

    #[test]
    fn each_cpu_has_an_inference_of_its_own_unless_the_copies_are_too_large() {
        const SMALL: u64 = 12 << 20;
        const LARGE: u64 = 400 << 20;
        for (flags, quota, network, engines) in [
            (&[][..], 4, SMALL, (4, 1)),
            (&[], 4, LARGE, (2, 2)),
            (&[], 16, 4 << 30, (1, 16)),
            (&["--threads", "2"], 4, SMALL, (2, 2)),
            (&["--threads", "8"], 4, SMALL, (1, 8)),
            (&["--sessions", "1"], 4, SMALL, (1, 4)),
            (&["--sessions", "3", "--threads", "3"], 4, LARGE, (3, 3)),
            (&["--accelerator", "cuda"], 16, SMALL, (1, 1)),
        ] {
            assert_eq!(
                parse(flags).unwrap().engines_on(quota, network, Kind::Sequence).unwrap(),
                engines,
                "{flags:?} on {quota}, {network} bytes"
            );
        }
    }

    #[test]
    fn a_graph_network_on_a_processor_has_one_thread_because_the_runtime_adds_wrongly_with_more() {
        let engines = |flags: &[&str], network| parse(flags).unwrap().engines_on(4, network, Kind::Graph);
        assert_eq!(engines(&[], 5 << 20).unwrap(), (4, 1));
        assert_eq!(engines(&[], 400 << 20).unwrap(), (2, 1));
        assert_eq!(engines(&["--threads", "1", "--sessions", "1"], 5 << 20).unwrap(), (1, 1));
        assert_eq!(engines(&["--accelerator", "cuda", "--threads", "2"], 5 << 20).unwrap(), (1, 2));
        assert!(engines(&["--threads", "2"], 5 << 20).is_err());
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
