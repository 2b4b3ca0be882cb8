//! Where molecules wait for the engine, and how they go there together. There is no linger: a batch is whatever queued
//! while the engine was busy, or arrived at one moment, so a lone molecule never waits for company.

pub mod form;
mod pace;
pub mod queue;
mod waiting;
pub mod worker;

use std::time::Instant;

use tokio::sync::oneshot;
use tracing::Span;

use crate::engine::{EngineError, Input};

/// What the engine says about one molecule: its raw numbers, member after member.
pub type Raw = Result<Vec<f32>, EngineError>;

/// One molecule on its way to the engine.
#[derive(Debug)]
pub struct Item {
    /// As the network reads it.
    pub input: Input,
    /// When it was queued.
    pub queued: Instant,
    /// The request that it is of.
    pub span: Span,
    /// Where the answer goes; closed when nobody waits any more.
    pub reply: oneshot::Sender<Raw>,
}
