//! ONNX Runtime as the engine: one session for each member of the ensemble, all on the worker's thread.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chemmodel_bundle::Precision;
use ort::environment::Environment;
use ort::ep::{ArenaExtendStrategy, CUDA};
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use super::inspect::inspect;
use super::{Engine, EngineError, RawAnswers, TokenBatch};
use crate::args::Accelerator;
use crate::bundle::Bundle;
use crate::error::LoadEngineError;

const INPUT_IDS: &str = "input_ids";
const ATTENTION_MASK: &str = "attention_mask";
/// Exports of BERT ask for it; a single sequence has zeros everywhere.
const TOKEN_TYPE_IDS: &str = "token_type_ids";

/// Molecules × tokens², by which the memory of attention grows: a run with more gives its memory back. Usual batches stay far below it and
/// keep theirs, because asking for it again would take as long as the run.
const LARGE: usize = 1 << 16;

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

/// The sessions of one bundle.
pub struct OrtEngine {
    members: Vec<Member>,
    outputs: usize,
}

struct Member {
    session: Session,
    token_types: bool,
    usual: RunOptions,
    large: RunOptions,
}

impl OrtEngine {
    /// Loads every member of the bundle and checks its inputs and output against the manifest.
    pub fn load(bundle: &Bundle, config: EngineConfig<'_>) -> Result<Self, LoadEngineError> {
        if config.precision == Precision::Int8 && config.accelerator == Accelerator::Cuda {
            return Err(LoadEngineError::Int8OnCuda);
        }
        let environment = environment(config.library)?;
        let outputs = bundle.manifest.outputs.len();
        let networks = bundle.manifest.members_in(config.precision);
        let networks = networks.ok_or_else(|| LoadEngineError::NoVariant {
            wanted: config.precision,
            present: bundle.manifest.precisions().map(Precision::as_str).collect::<Vec<_>>().join(" and "),
        })?;
        let mut members = Vec::with_capacity(networks.len());
        for name in networks {
            let inspection = |why| LoadEngineError::Inspection { member: name.to_string(), why };
            let network = std::fs::read(bundle.path(name)).map_err(|error| inspection(error.to_string()))?;
            inspect(network.into(), &bundle.files_beside(name)).map_err(inspection)?;
            let mut builder = session_builder(&environment, config)?;
            // From the file, not from memory: only then does the runtime confine external data to the bundle.
            let session = builder.commit_from_file(bundle.path(name)).map_err(|e| match config.accelerator {
                Accelerator::Cpu => LoadEngineError::Network { member: name.to_string(), why: e.to_string() },
                Accelerator::Cuda => LoadEngineError::Cuda(format!("{name}: {e}")),
            })?;
            let token_types = check_signature(&session, outputs)
                .map_err(|why| LoadEngineError::Signature { member: name.to_string(), why })?;
            members.push(Member {
                session,
                token_types,
                usual: run_options(None)?,
                large: run_options(shrinks(config))?,
            });
        }
        Ok(Self { members, outputs })
    }
}

impl Engine for OrtEngine {
    fn run(&mut self, batch: &TokenBatch) -> Result<RawAnswers, EngineError> {
        let outputs = self.outputs;
        let members = self.members.iter_mut().map(|m| m.run(batch, outputs)).collect::<Result<_, _>>()?;
        Ok(RawAnswers { members, outputs })
    }
}

impl Member {
    fn run(&mut self, batch: &TokenBatch, outputs: usize) -> Result<Vec<f32>, EngineError> {
        let fail = |e: ort::Error| EngineError(e.to_string());
        let shape = [batch.rows, batch.length];
        let zeros = if self.token_types { vec![0; batch.ids.len()] } else { Vec::new() };
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> = vec![
            (INPUT_IDS, TensorRef::from_array_view((shape, batch.ids.as_slice())).map_err(fail)?.into()),
            (ATTENTION_MASK, TensorRef::from_array_view((shape, batch.mask.as_slice())).map_err(fail)?.into()),
        ];
        if self.token_types {
            inputs.push((TOKEN_TYPE_IDS, TensorRef::from_array_view((shape, zeros.as_slice())).map_err(fail)?.into()));
        }
        let options = if batch.rows * batch.length * batch.length > LARGE { &self.large } else { &self.usual };
        let answers = self.session.run_with_options(inputs, options).map_err(fail)?;
        let answer = answers.values().next().ok_or_else(|| EngineError("the network returned nothing".to_owned()))?;
        let (shape, values) = answer.try_extract_tensor::<f32>().map_err(fail)?;
        let expected = [batch.rows, outputs].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        if shape[..] != expected {
            return Err(EngineError(format!("the network returned the shape {shape:?} instead of {expected:?}")));
        }
        Ok(values.to_vec())
    }
}

/// The runtime's process-wide environment, made once: a second one is an error to ONNX Runtime.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

fn environment(library: &Path) -> Result<Environment, LoadEngineError> {
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

fn session_builder(environment: &Environment, config: EngineConfig<'_>) -> Result<SessionBuilder, LoadEngineError> {
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
fn shrinks(config: EngineConfig<'_>) -> Option<&'static str> {
    match config.accelerator {
        Accelerator::Cpu => Some("cpu:0"),
        Accelerator::Cuda => None,
    }
}

fn run_options(shrinks: Option<&str>) -> Result<RunOptions, LoadEngineError> {
    let setup = |e: ort::Error| LoadEngineError::Setup(e.to_string());
    let mut options = RunOptions::new().map_err(setup)?;
    if let Some(arena) = shrinks {
        options.set("memory.enable_memory_arena_shrinkage", arena).map_err(setup)?;
    }
    Ok(options)
}

/// Whether the network wants `token_type_ids`; an error when it is not one that this engine can feed.
fn check_signature(session: &Session, outputs: usize) -> Result<bool, String> {
    let inputs = session.inputs();
    for required in [INPUT_IDS, ATTENTION_MASK] {
        if !inputs.iter().any(|i| i.name() == required) {
            return Err(format!("the network has no input \"{required}\""));
        }
    }
    for input in inputs {
        if ![INPUT_IDS, ATTENTION_MASK, TOKEN_TYPE_IDS].contains(&input.name()) {
            return Err(format!("the network asks for an input \"{}\", which the server does not know", input.name()));
        }
        let dimensions = tensor(input, "input", TensorElementType::Int64)?;
        if dimensions.iter().any(|d| *d != -1) {
            return Err(format!(
                "the input \"{}\" has the fixed shape {dimensions:?}; batch and length must be dynamic",
                input.name()
            ));
        }
    }
    let [output] = session.outputs() else {
        return Err(format!("the network has {} outputs instead of one", session.outputs().len()));
    };
    let columns = tensor(output, "output", TensorElementType::Float32)?[1];
    if columns != -1 && usize::try_from(columns) != Ok(outputs) {
        return Err(format!(
            "the output \"{}\" has {columns} columns, but chemmodel.json lists {outputs} outputs",
            output.name()
        ));
    }
    Ok(inputs.iter().any(|i| i.name() == TOKEN_TYPE_IDS))
}

/// The two dimensions of an input or output, -1 where dynamic.
fn tensor(outlet: &Outlet, role: &str, element: TensorElementType) -> Result<[i64; 2], String> {
    match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } if *ty == element => shape[..]
            .try_into()
            .map_err(|_| format!("the {role} \"{}\" has {} dimensions instead of two", outlet.name(), shape.len())),
        other => Err(format!("the {role} \"{}\" is {other}, not a tensor of {element:?}", outlet.name())),
    }
}
