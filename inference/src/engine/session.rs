//! How ONNX Runtime is set up: its library, its sessions, and what a run may do.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chemmodel_bundle::Precision;
use ort::environment::Environment;
use ort::ep::{ArenaExtendStrategy, CUDA};
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{RunOptions, Session};

use crate::args::Accelerator;
use crate::error::LoadEngineError;

/// What a GPU may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct CudaOptions {
    /// Bytes of the arena at most; all of the GPU's memory when nothing is said.
    pub memory_limit: Option<usize>,
    /// Whether the factors of products may be rounded to 10 bits.
    pub tf32: bool,
}

/// How the network is run.
#[derive(Debug, Clone, Copy)]
pub struct EngineConfig<'a> {
    /// CPU or CUDA.
    pub accelerator: Accelerator,
    /// Which of the bundle's networks.
    pub precision: Precision,
    /// Threads inside one operator.
    pub threads: usize,
    /// Of a GPU.
    pub cuda: CudaOptions,
    /// The shared library of ONNX Runtime.
    pub library: &'a Path,
}

/// The runtime's process-wide environment, made once: a second one is an error to ONNX Runtime.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

pub(super) fn environment(library: &Path) -> Result<Environment, LoadEngineError> {
    let mut made = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = made.as_ref() {
        return Ok(environment.clone());
    }
    // Opened by name before anything else of `ort` is touched: its lazy loading panics when the library is missing.
    let environment = ort::init_from(library)
        .map_err(|e| LoadEngineError::Library { why: e.to_string(), needed: format!("1.{}", ort::MINOR_VERSION) })?
        .with_name("chemmodel")
        .with_telemetry(false)
        .build()
        .map_err(|e| LoadEngineError::Setup(e.to_string()))?;
    // Otherwise the runtime formats every verbose line only for the log to drop it.
    environment.set_log_level(LogLevel::Warning);
    *made = Some(environment.clone());
    Ok(environment)
}

pub(super) fn session_builder(
    environment: &Environment,
    config: EngineConfig<'_>,
) -> Result<SessionBuilder, LoadEngineError> {
    let setup = |e: ort::Error<SessionBuilder>| LoadEngineError::Setup(e.to_string());
    let builder = Session::builder(environment)
        .map_err(|e| LoadEngineError::Setup(e.to_string()))?
        .with_optimization_level(GraphOptimizationLevel::All)
        .map_err(setup)?
        .with_intra_threads(config.threads)
        .map_err(setup)?
        // A spinning pool burns a core for nothing beside the HTTP threads.
        .with_intra_op_spinning(false)
        .map_err(setup)?
        // Outside the arena, so that what a large batch needed can be given back; see `Member::run`.
        .with_device_allocated_initializers()
        .map_err(setup)?
        // Patterns are kept for each shape, and batches have any shape.
        .with_memory_pattern(false)
        .map_err(setup)?
        .with_log_level(LogLevel::Warning)
        .map_err(setup)?;
    match config.accelerator {
        Accelerator::Cpu => Ok(builder),
        Accelerator::Cuda => {
            let cuda = |e: ort::Error<SessionBuilder>| LoadEngineError::Cuda(e.to_string());
            // Both, or ONNX Runtime quietly runs some or all of the network on the CPU.
            builder
                .with_disable_cpu_fallback()
                .map_err(cuda)?
                .with_execution_providers([cuda_provider(config.cuda).build().error_on_failure()])
                .map_err(cuda)
        }
    }
}

fn cuda_provider(options: CudaOptions) -> CUDA {
    // Batches have any shape: powers of two would leave up to half of each region empty. And TF32 is ONNX Runtime's default, but not what golden
    // molecules were computed with.
    let provider =
        CUDA::default().with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested).with_tf32(options.tf32);
    match options.memory_limit {
        Some(bytes) => provider.with_memory_limit(bytes),
        None => provider,
    }
}

/// The arena that a large run shrinks at its end. Never the GPU's: giving memory back stops all of its work.
pub(super) fn shrinks(config: EngineConfig<'_>) -> Option<&'static str> {
    match config.accelerator {
        Accelerator::Cpu => Some("cpu:0"),
        Accelerator::Cuda => None,
    }
}

pub(super) fn run_options(shrinks: Option<&str>) -> Result<RunOptions, LoadEngineError> {
    let setup = |e: ort::Error| LoadEngineError::Setup(e.to_string());
    let mut options = RunOptions::new().map_err(setup)?;
    if let Some(arena) = shrinks {
        options.set("memory.enable_memory_arena_shrinkage", arena).map_err(setup)?;
    }
    Ok(options)
}
