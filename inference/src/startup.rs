//! From the command line to a model that answers. Blocks; each step says its name to `/readyz`.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use chemmodel_bundle::TOKENIZER_FILE;
use tracing::info;

use crate::args::{Accelerator, Args};
use crate::batch::form::BatchLimits;
use crate::batch::queue::Queue;
use crate::batch::worker::Worker;
use crate::bundle::Bundle;
use crate::engine::ort::{EngineConfig, OrtEngine};
use crate::error::StartError;
use crate::health::Phase;
use crate::http::App;
use crate::preprocess::sequence::SequencePreprocessor;
use crate::service::{Identity, Service};
use crate::warm_up::{WarmUp, warm_up};

/// Loads the model, proves that it answers, and starts its engine's thread. Afterwards the server is ready.
pub fn load(args: &Args, app: &App) -> Result<JoinHandle<()>, StartError> {
    let started = Instant::now();
    app.health.enter(Phase::Loading("checking the files of the bundle"));
    let bundle = Bundle::open(&args.bundle, args.digest)?;
    let max_tokens = usize::try_from(bundle.manifest.max_length).unwrap_or(usize::MAX);
    let preprocessor =
        SequencePreprocessor::from_file(&bundle.path(TOKENIZER_FILE), max_tokens, args.max_smiles_length.get())
            .map_err(StartError::Tokenizer)?;

    app.health.enter(Phase::Loading("loading the network"));
    let threads = args.threads();
    let config = EngineConfig { accelerator: args.accelerator, threads, library: &args.onnxruntime };
    let mut engine = OrtEngine::load(&bundle, config)?;

    app.health.enter(Phase::Loading("warming up"));
    let WarmUp { probe, overhead } = warm_up(&mut engine, &preprocessor, &bundle, args.max_batch_tokens.get())?;

    let queue = Arc::new(Queue::new(args.max_queue_items.get(), app.metrics.queue_items.clone()));
    let worker = Worker {
        engine: Box::new(engine),
        queue: queue.clone(),
        limits: BatchLimits { tokens: args.max_batch_tokens.get(), items: args.max_batch_items.get(), overhead },
        pad_id: preprocessor.pad_id(),
        probe,
        pulse: app.health.pulse().clone(),
        metrics: app.metrics.clone(),
    };
    let worker = worker.spawn().map_err(|source| StartError::System { what: "the engine's thread", source })?;
    let provider = match args.accelerator {
        Accelerator::Cpu => "cpu",
        Accelerator::Cuda => "cuda",
    };
    app.metrics.set_info(provider, threads, &bundle.digest.to_string());
    // Set once: `load` runs once in a process.
    let _ = app.service.set(Service {
        identity: Identity {
            model: args.name.clone(),
            version: args.version.clone(),
            revision: args.revision.clone(),
            digest: bundle.digest,
        },
        outputs: bundle.manifest.outputs,
        aggregate: bundle.manifest.aggregate,
        preprocessor: Arc::new(preprocessor),
        queue,
        max_items: args.max_items_per_request(),
        metrics: app.metrics.clone(),
    });
    app.health.enter(Phase::Ready);
    info!(
        model = args.name,
        version = args.version,
        digest = %bundle.digest,
        provider,
        threads,
        overhead_tokens = overhead,
        milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "ready"
    );
    Ok(worker)
}
