//! `chemmodel-job sync` from the outside: the program, a real S3 server, a real file system.
//!
//! The server is versitygw, a single binary; `make tools-bin` installs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper that cannot go on fails its test")]

mod bundle;
mod fake;
mod gateway;
mod job;
#[path = "../support/process.rs"]
mod process;
mod proxy;

mod collects;
mod credentials;
mod hostile;
mod interrupted;
mod publishes;
mod refuses;
mod space;
mod unreliable;
