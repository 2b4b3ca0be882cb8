//! The spec, made usable: defaults filled in, quantities checked, the revision computed. Pure.
//!
//! [`ValidatedModel`] is the only input of builders and planner; whoever holds one knows that it went through [`validate()`].

pub mod names;
pub mod quantity;
pub mod revision;
mod validate;

pub use validate::{InvalidSpec, Settings, ValidatedModel, validate};
