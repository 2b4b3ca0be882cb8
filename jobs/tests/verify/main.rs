//! `chemmodel-job verify` from the outside: the program, and pods that answer as each test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper that cannot go on fails its test")]

mod bundle;
mod fleet;
#[path = "../support/process.rs"]
mod process;
mod run;

mod bundles;
mod passes;
mod refuses;
mod unreliable;
