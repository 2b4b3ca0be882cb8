//! Fixtures.

pub mod bundle;
pub mod engine;
pub mod fixture;
pub mod program;
