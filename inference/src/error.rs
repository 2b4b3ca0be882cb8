//! Why the server cannot start. Each text is all that a user sees in the Pod's termination message: it names the file
//! or field, the reason and the remedy.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use chemmodel_bundle::{BundleDigest, DomainError, FeaturesError, ManifestError, Precision, Sha256Hex};

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}; free the address or choose another with {flag}")]
    Listen {
        /// The argument that chose it.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The keys, the certificate or the account cannot be used.
    #[error("{flag}: {why}")]
    Access {
        /// The argument that named them.
        flag: &'static str,
        /// What is wrong with which file.
        why: String,
    },
    /// The process could not make a thread, or the signals could not be caught.
    #[error("cannot start {what}: {source}; the container's limits may be too small")]
    System {
        /// What was being started.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// See docs/adr/0027-graphs-are-packed.md.
    #[error(
        "--threads: a graph model on a processor cannot have {0}, because ONNX Runtime then adds wrongly (ScatterND); leave it and spec.runtime.threads out: each CPU has an inference of its own"
    )]
    ThreadsOfGraphs(usize),
    /// The bundle is not what it should be.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The tokenizer or the vocabulary cannot be used.
    #[error("{file}: {why}; export the bundle again")]
    Preprocessor {
        /// The file of the bundle that has it.
        file: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The features of a graph model break the contract.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// What training had breaks the contract.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// The runtime or the network cannot be used.
    #[error(transparent)]
    Engine(#[from] LoadEngineError),
    /// The address of the shared cache is none.
    #[error("--cache-redis-url: {0}; give an address like redis://:password@host:6379/0")]
    Cache(redis::RedisError),
    /// The first inference failed.
    #[error("the warm-up inference failed: {0}")]
    WarmUp(String),
    /// The metrics contradict each other.
    #[error("the metrics cannot be registered: {0}; this is a defect of the server, please report it")]
    Metrics(#[from] prometheus::Error),
    /// The collector's address is none.
    #[error("--otlp-endpoint: {0}; give an address like http://collector:4317")]
    Traces(String),
    /// Loading panicked.
    #[error("loading ended unexpectedly: {0}; this is a defect of the server, please report it with the log")]
    Defect(String),
}

/// Why a directory cannot be served as a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file is missing or unreadable.
    #[error("{path}: {source}; check --bundle and that the bundle was synced completely", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest is another than the one that was asked for.
    #[error("{path}: the bundle has the digest {found}, but --digest asks for {expected}; sync the right bundle or correct the digest", path = path.display())]
    Digest {
        /// The manifest.
        path: PathBuf,
        /// Its digest.
        found: BundleDigest,
        /// What was asked for.
        expected: BundleDigest,
    },
    /// The manifest breaks the contract.
    #[error("{path}: {source}", path = path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        source: ManifestError,
    },
    /// A file has another length.
    #[error("{path}: the file has {found} bytes, but chemmodel.json lists {expected}; sync the bundle again", path = path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
        /// What the manifest says.
        expected: u64,
    },
    /// A file has another content.
    #[error("{path}: the file has the SHA-256 {found}, but chemmodel.json lists {expected}; sync the bundle again", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Its digest.
        found: Sha256Hex,
        /// What the manifest says.
        expected: Sha256Hex,
    },
}

/// Why the network cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum LoadEngineError {
    /// The shared library is missing, broken or too old.
    #[error(
        "ONNX Runtime cannot be loaded: {why}; set ORT_DYLIB_PATH to a libonnxruntime.so of version {needed} or newer"
    )]
    Library {
        /// The loader's own words.
        why: String,
        /// The oldest version that will do.
        needed: String,
    },
    /// The environment or its options were refused.
    #[error("ONNX Runtime cannot be set up: {0}")]
    Setup(String),
    /// The provider that was asked for does not run here.
    #[error(
        "--accelerator cuda: the CUDA provider cannot run this model: {0}; use the cuda image on a node with an NVIDIA GPU, or --accelerator cpu"
    )]
    Cuda(String),
    /// The bundle has the network in other numbers only.
    #[error(
        "--precision {wanted}: the bundle has the network in {present} only; make the variant with chemmodel-export variant, or serve another precision"
    )]
    NoVariant {
        /// What was asked for.
        wanted: Precision,
        /// What there is.
        present: String,
    },
    /// The precision is for another accelerator.
    #[error(
        "--precision int8 with --accelerator cuda: GPUs have no kernels for it; use fp16 or fp32, or --accelerator cpu"
    )]
    Int8OnCuda,
    /// The file is not one that a stranger may bring.
    #[error("{member}: the network is refused: {why}")]
    Inspection {
        /// The file.
        member: String,
        /// Why.
        why: String,
    },
    /// The file is not a network, or not one that this runtime knows.
    #[error("{member}: ONNX Runtime refuses the network: {why}")]
    Network {
        /// The file.
        member: String,
        /// The runtime's own words.
        why: String,
    },
    /// The network's inputs or outputs are not those of the contract.
    #[error("{member}: {why}; docs/bundle.md says which inputs and output a network has")]
    Signature {
        /// The file.
        member: String,
        /// What is different.
        why: String,
    },
}
