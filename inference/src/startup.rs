//! From the command line to a model that answers. Blocks; each step says its name to `/readyz`.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::runtime::Handle;
use tracing::info;

use crate::args::{Accelerator, Args};
use crate::batch::form::BatchLimits;
use crate::batch::queue::Queue;
use crate::batch::worker::Worker;
use crate::bundle::Bundle;
use crate::cache::{Answers, Form, Shared};
use crate::engine::ort::OrtEngine;
use crate::engine::session::{CudaOptions, EngineConfig};
use crate::error::StartError;
use crate::health::Phase;
use crate::http::App;
use crate::preprocess::Preprocessor;
use crate::service::{Audit, Identity, Service};
use crate::warm_up::{WarmUp, warm_up};

/// Loads the model, proves that it answers, and starts the threads of its engines. Afterwards the server is ready.
pub fn load(args: &Args, app: &App) -> Result<Vec<JoinHandle<()>>, StartError> {
    let started = Instant::now();
    app.health.enter(Phase::Loading("checking the files of the bundle"));
    let bundle = Bundle::open(&args.bundle, args.digest)?;
    let preprocessor = Preprocessor::load(&bundle, args.max_smiles_length.get())?;

    app.health.enter(Phase::Loading("loading the network"));
    let (sessions, threads) = args.engines(bundle.network_bytes(args.precision), bundle.manifest.kind)?;
    let config = EngineConfig {
        accelerator: args.accelerator,
        precision: args.precision,
        threads,
        cuda: CudaOptions { memory_limit: args.gpu_memory_limit.map(|mib| mib.get() << 20), tf32: args.tf32 },
        library: &args.onnxruntime,
    };
    let engines = (0..sessions)
        .map(|_| OrtEngine::load(&bundle, preprocessor.network(), config))
        .collect::<Result<Vec<_>, _>>()?;

    app.health.enter(Phase::Loading("warming up"));
    let queue = Arc::new(Queue::new(args.max_queue_items.get(), app.metrics.queue_items.clone()));
    let mut workers = Vec::with_capacity(sessions);
    for mut engine in engines {
        let WarmUp { probe, overhead } = warm_up(&mut engine, &preprocessor, &bundle, args.max_batch_tokens.get())?;
        let worker = Worker {
            engine: Box::new(engine),
            queue: queue.clone(),
            limits: BatchLimits {
                layout: preprocessor.layout(),
                tokens: args.max_batch_tokens.get(),
                items: args.max_batch_items.get(),
                overhead,
            },
            probe,
            pulse: app.health.add_pulse(),
            metrics: app.metrics.clone(),
            runtime: Handle::current(),
        };
        workers.push(worker.spawn().map_err(|source| StartError::System { what: "an engine's thread", source })?);
    }
    let members = bundle.manifest.members.len();
    let shared = match &args.cache_redis_url {
        Some(address) => {
            let network = format!("{}:{}", bundle.digest, args.precision);
            let form = Form::new(&bundle.manifest.outputs, members, preprocessor.has_domain());
            Some(Shared::new(address, &network, form, app.metrics.clone()).map_err(StartError::Cache)?)
        }
        None => None,
    };
    let provider = match args.accelerator {
        Accelerator::Cpu => "cpu",
        Accelerator::Cuda => "cuda",
    };
    app.metrics.set_info(provider, args.precision, threads, &bundle.digest.to_string());
    // Set once: `load` runs once in a process.
    let _ = app.service.set(Arc::new(Service {
        identity: Identity {
            model: args.name.clone(),
            version: args.version.clone(),
            revision: args.revision.clone(),
            digest: bundle.digest,
        },
        outputs: bundle.manifest.outputs,
        members,
        aggregate: bundle.manifest.aggregate,
        preprocessor: Arc::new(preprocessor),
        audit: match (args.audit, args.audit_smiles) {
            (false, _) => Audit::Off,
            (true, false) => Audit::Counts,
            (true, true) => Audit::Molecules,
        },
        answers: Answers::new(args.cache_entries, shared, app.metrics.clone()),
        queue,
        max_items: args.max_items_per_request(),
        metrics: app.metrics.clone(),
    }));
    app.health.enter(Phase::Ready);
    info!(
        model = args.name,
        version = args.version,
        digest = %bundle.digest,
        provider,
        precision = %args.precision,
        sessions,
        threads,
        milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "ready"
    );
    Ok(workers)
}
