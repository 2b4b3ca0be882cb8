//! Where molecules wait for the engine, and how they go there together. There is no linger: a batch is whatever
//! queued while the engine was busy, so a lone molecule never waits for company.

pub mod form;
pub mod queue;
pub mod worker;

use std::time::Instant;

use tokio::sync::oneshot;

use crate::engine::EngineError;

/// One molecule on its way to the engine.
#[derive(Debug)]
pub struct Item {
    /// Its tokens, never empty.
    pub ids: Vec<u32>,
    /// When it was queued.
    pub queued: Instant,
    /// Where the raw numbers go, member after member; closed when nobody waits any more.
    pub reply: oneshot::Sender<Result<Vec<f32>, EngineError>>,
}
