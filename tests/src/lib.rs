//! What the black-box tests share: a namespace per test, the programs and addresses of a cluster, S3, a small HTTP client, a load
//! generator.
//!
//! ```text
//! scene ── one test: namespace, body, diagnosis when it fails, clean-up
//!   ├ model     a ChemModel in that namespace, and what its Service answers
//!   ├ bundle/s3 what lies in the object storage, whole or damaged
//!   ├ operator  the installed release: install, leader, kill
//!   ├ process   what runs in a pod, as the node sees it
//!   ├ caller    who asks from inside the cluster
//!   ├ node      what tests start beside the pods: monitoring (Prometheus, and the autoscaler's way to it), redis
//!   ├ routes    which pods a Service had, and when
//!   └ load/http requests without retries
//! ```
//!
//! Forbidden here: expectations. They are said in the tests.

pub mod bundle;
pub mod caller;
pub mod environment;
pub mod http;
pub mod load;
pub mod model;
pub mod monitoring;
pub mod node;
mod onnx;
pub mod operator;
pub mod process;
pub mod program;
pub mod redis;
pub mod routes;
pub mod s3;
pub mod scene;

pub use bundle::Bundle;
pub use model::Model;
pub use scene::{Outcome, Scene, alone, beside_others};
