//! Fixtures.

pub mod bundle;
pub mod certificates;
pub mod engine;
pub mod fixture;
pub mod graph_bundle;
pub mod onnx;
pub mod program;
pub mod redis;
