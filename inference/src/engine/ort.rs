//! ONNX Runtime as the engine: one session for each member of the ensemble, all on the worker's thread.

use std::borrow::Cow;

use chemmodel_bundle::Precision;
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{Tensor, TensorRef};

use super::inspect::inspect;
use super::session::{EngineConfig, environment, run_options, session_builder, shrinks};
use super::signature::{
    ATOM, ATOM_GRAPH, ATTENTION_MASK, BOND, BOND_GRAPH, CONNECTIVITY, GRAPH, INPUT_IDS, Network, SIZE, TOKEN_TYPE_IDS,
    check_signature,
};
use super::{Batch, Engine, EngineError, GraphBatch, RawAnswers, RefinedBatch, Rows, TokenBatch};
use crate::args::Accelerator;
use crate::bundle::Bundle;
use crate::error::LoadEngineError;

/// Molecules × tokens², by which the memory of attention grows: a run with more gives its memory back. Usual batches stay far below it and
/// keep theirs, because asking for it again would take as long as the run.
const LARGE: usize = 1 << 16;
/// The same for graphs, whose memory grows with atoms and directed bonds: 16 MB for each tensor of 512 floats, the widest of PolyID's.
const LARGE_GRAPHS: usize = 1 << 13;

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
    /// Loads every member of the bundle and checks its inputs against what the bundle's molecules are read as, and its output
    /// against the manifest.
    pub fn load(bundle: &Bundle, network: Network, config: EngineConfig<'_>) -> Result<Self, LoadEngineError> {
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
            let bytes = std::fs::read(bundle.path(name)).map_err(|error| inspection(error.to_string()))?;
            inspect(bytes.into(), &bundle.files_beside(name)).map_err(inspection)?;
            let mut builder = session_builder(&environment, config)?;
            // From the file, not from memory: only then does the runtime confine external data to the bundle.
            let session = builder.commit_from_file(bundle.path(name)).map_err(|e| match config.accelerator {
                Accelerator::Cpu => LoadEngineError::Network { member: name.to_string(), why: e.to_string() },
                Accelerator::Cuda => LoadEngineError::Cuda(format!("{name}: {e}")),
            })?;
            let token_types = check_signature(&session, network, outputs)
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
    fn run(&mut self, batch: &Batch) -> Result<RawAnswers, EngineError> {
        let outputs = self.outputs;
        let members = self.members.iter_mut().map(|m| m.run(batch, outputs)).collect::<Result<_, _>>()?;
        Ok(RawAnswers { members, outputs })
    }
}

type Inputs<'a> = Vec<(Cow<'static, str>, SessionInputValue<'a>)>;

impl Member {
    fn run(&mut self, batch: &Batch, outputs: usize) -> Result<Vec<f32>, EngineError> {
        let fail = |e: ort::Error| EngineError(e.to_string());
        let (inputs, is_large) = match batch {
            Batch::Tokens(tokens) => {
                (token_inputs(tokens, self.token_types), tokens.rows * tokens.length * tokens.length > LARGE)
            }
            Batch::Graphs(graphs) => (graph_inputs(graphs), batch.cost() > LARGE_GRAPHS),
            Batch::Refined(graphs) => (refined_inputs(graphs), batch.cost() > LARGE_GRAPHS),
        };
        let options = if is_large { &self.large } else { &self.usual };
        let answers = self.session.run_with_options(inputs.map_err(fail)?, options).map_err(fail)?;
        let answer = answers.values().next().ok_or_else(|| EngineError("the network returned nothing".to_owned()))?;
        let (shape, values) = answer.try_extract_tensor::<f32>().map_err(fail)?;
        let expected = [batch.molecules(), outputs].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        if shape[..] != expected {
            return Err(EngineError(format!("the network returned the shape {shape:?} instead of {expected:?}")));
        }
        Ok(values.to_vec())
    }
}

fn token_inputs(batch: &TokenBatch, token_types: bool) -> Result<Inputs<'_>, ort::Error> {
    let shape = [batch.rows, batch.length];
    let mut inputs: Inputs<'_> = vec![
        (INPUT_IDS.into(), TensorRef::from_array_view((shape, batch.ids.as_slice()))?.into()),
        (ATTENTION_MASK.into(), TensorRef::from_array_view((shape, batch.mask.as_slice()))?.into()),
    ];
    if token_types {
        inputs.push((TOKEN_TYPE_IDS.into(), Tensor::from_array((shape, vec![0_i64; batch.ids.len()]))?.into()));
    }
    Ok(inputs)
}

fn graph_inputs(batch: &GraphBatch) -> Result<Inputs<'_>, ort::Error> {
    let all = &batch.all;
    let pairs = ([all.connectivity.len(), 2], all.connectivity.as_flattened());
    Ok(vec![
        (ATOM.into(), rows(&all.atoms)?),
        (BOND.into(), rows(&all.bonds)?),
        (CONNECTIVITY.into(), TensorRef::from_array_view(pairs)?.into()),
        (GRAPH.into(), integers(&batch.graph)?),
        (SIZE.into(), integers(&batch.size)?),
    ])
}

fn refined_inputs(batch: &RefinedBatch) -> Result<Inputs<'_>, ort::Error> {
    let of_molecules = [(ATOM_GRAPH, &batch.atom_graph), (BOND_GRAPH, &batch.bond_graph), (SIZE, &batch.size)];
    let of_molecules = of_molecules.into_iter().map(|(name, list)| (name.into(), list.as_slice()));
    let of_levels = batch.tensors().map(|(name, list)| (name.into(), list));
    of_molecules.chain(of_levels).map(|(name, list)| Ok((name, integers(list)?))).collect()
}

fn rows(rows: &Rows) -> Result<SessionInputValue<'_>, ort::Error> {
    Ok(TensorRef::from_array_view(([rows.count(), rows.width], rows.values.as_slice()))?.into())
}

fn integers(list: &[i64]) -> Result<SessionInputValue<'_>, ort::Error> {
    Ok(TensorRef::from_array_view(([list.len()], list))?.into())
}
