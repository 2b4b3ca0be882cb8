//! What the server promises, by the public interface only: the router without a socket, the accept loop with one, and
//! the program itself with the real runtime and the committed bundle.

// Tests may stop at once; the helpers of this crate are test code too, which clippy cannot see.
// `needless_pass_by_value`: a JSON literal reads better without a reference to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::needless_pass_by_value)]

mod support;

mod access;
mod answers;
mod auditing;
mod bundles;
mod caching;
mod connections;
mod description;
mod draining;
mod engine_failures;
mod feature_networks;
mod golden;
mod golden_graphs;
mod graph_networks;
mod graphs;
mod grpc;
mod malformed;
mod program;
mod protocol;
mod queueing;
mod tokens;
mod traces;
