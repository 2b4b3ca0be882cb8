//! Reconciles ChemModels.
//!
//! ```text
//!            I/O            pure            pure            I/O          I/O
//!  watch ─► observe ─────► validate ─────► plan ─────────► apply ─────► report
//!           children       model/          plan/, build/   actions      status, Events
//! ```
//!
//! [`controller`] says that sentence; everything that is decided is decided in [`plan`], which knows no client, no async and no clock
//! (see `clippy.toml`). Nothing is remembered in the process: killed at any write, the next reconcile goes on from what the cluster
//! shows.

pub mod access;
pub mod apply;
pub mod args;
pub mod build;
pub mod client;
pub mod context;
pub mod controller;
pub mod error;
pub mod leader;
pub mod metrics;
pub mod model;
pub mod observe;
pub mod plan;
pub mod report;
pub mod server;
pub mod telemetry;
