//! Serves one chemistry model over HTTP.
//!
//! ```text
//! http/accept -> http/predict -> service -> preprocess -> batch/queue -> batch/worker -> engine
//!  connections    translate       decides    tokens        waiting        one OS thread    ONNX Runtime
//!                                    ^                                        |
//!                                    +-------- postprocess <-- raw numbers ---+
//!
//! startup:  args -> bundle (digests) -> preprocess + engine -> warm-up -> ready
//! shutdown: signal -> not ready -> drain -> stop accepting -> finish -> exit     server: both, in order
//! ```
//!
//! `http` translates and knows no model; `service` knows no HTTP; `batch` knows neither; `engine` is the only module
//! that may name ONNX Runtime. Molecules never reach a log line or a metric label.

pub mod args;
pub mod batch;
pub mod bundle;
pub mod engine;
pub mod error;
pub mod health;
pub mod http;
pub mod metrics;
pub mod postprocess;
pub mod preprocess;
pub mod server;
pub mod service;
pub mod shutdown;
pub mod startup;
pub mod telemetry;
pub mod warm_up;
