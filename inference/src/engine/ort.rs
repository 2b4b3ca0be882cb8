//! ONNX Runtime as the engine: one session for each member of the ensemble, all on the worker's thread.

use chemmodel_bundle::Precision;
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::TensorRef;

use super::inspect::inspect;
use super::session::{EngineConfig, environment, run_options, session_builder, shrinks};
use super::signature::{ATTENTION_MASK, INPUT_IDS, TOKEN_TYPE_IDS, check_signature};
use super::{Engine, EngineError, RawAnswers, TokenBatch};
use crate::args::Accelerator;
use crate::bundle::Bundle;
use crate::error::LoadEngineError;

/// Molecules × tokens², by which the memory of attention grows: a run with more gives its memory back. Usual batches stay far below it and
/// keep theirs, because asking for it again would take as long as the run.
const LARGE: usize = 1 << 16;

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
