//! Serves one chemistry model over HTTP.
//!
//! ```text
//! http/accept -> http/predict -> service -> preprocess -> batch/queue -> batch/worker -> engine
//!  connections    http/v2 infer   decides    tokens        waiting        one OS thread    ONNX Runtime
//!                 translate
//!                                    ^                                        |
//!                                    +-------- postprocess <-- raw numbers ---+
//!
//! startup:  args -> bundle (digests) -> preprocess + engine -> warm-up -> ready
//! shutdown: signal -> not ready -> drain -> stop accepting -> finish -> exit     server: both, in order
//! ```
//!
//! `http` translates and knows no model; `service` knows no HTTP; `batch` knows neither; `engine` is the only module
//! that may name ONNX Runtime. Molecules never reach a log line or a metric label.

pub mod access;
pub mod args;
pub mod batch;
pub mod bundle;
pub mod cache;
pub mod engine;
pub mod error;
pub mod grpc;
pub mod health;
pub mod http;
pub mod infer;
pub mod metrics;
pub mod postprocess;
pub mod preprocess;
pub mod reload;
pub mod server;
pub mod service;
pub mod shutdown;
pub mod startup;
pub mod telemetry;
pub mod tls;
pub mod trace;
pub mod warm_up;
