//! The node's side: compiles, keeps workers, runs batches on them.

mod batch;
mod cache;
mod compile;
mod pool;
mod process;
mod serving;
mod task;

pub use process::SpawnError;
pub use serving::WasmServices;

use crate::{engine, sandbox::SandboxReport};
use async_trait::async_trait;
use batch::Batch;
use cache::Cache;
use compile::Compiler;
use opensky_executor::scratch::remove_tree;
use opensky_ports::{
    blobs::BlobStore,
    executor::{Engine, Executor, LogSink, WorkBatch},
};
use opensky_types::{offer::ContainerOffer, place::Level};
use pool::Pool;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// How the executor runs its workers.
#[derive(Debug, Clone)]
pub struct Config {
    /// Command and arguments that start a worker: a program that calls [`crate::worker::main`] first
    /// thing.
    pub worker_command: (PathBuf, Vec<String>),
    /// Most tasks at a time, each in its own worker process.
    pub workers: usize,
    /// Folder of compiled programs; kept over restarts. Nothing else may be in it.
    pub cache_dir: PathBuf,
    /// Most bytes of compiled programs.
    pub cache_cap_bytes: u64,
    /// Folder for the scratch files of running tasks; emptied at start.
    pub scratch_dir: PathBuf,
    /// Most memory that one worker may take, in bytes: the largest memory limit of a task that this
    /// node accepts, and room for the engine (256 MiB are plenty).
    pub worker_memory_bytes_max: u64,
    /// Limits of each request that a component answers.
    pub request: RequestLimits,
}

/// What one request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Fuel.
    pub fuel: u64,
    /// Time, its answer included, in milliseconds.
    pub wall_ms: u64,
}

impl Default for RequestLimits {
    /// Several seconds of a core, and a minute in all.
    fn default() -> Self {
        Self { fuel: 10_000_000_000, wall_ms: 60_000 }
    }
}

/// Why the executor could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder could not be made or emptied.
    #[error("cannot prepare folder {}", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// There must be a worker to run anything.
    #[error("the executor needs at least one worker")]
    NoWorkers,
}

/// Runs WASM tasks in worker processes.
pub struct WasmExecutor {
    shared: Arc<Shared>,
    services: Arc<WasmServices>,
}

/// What batches share.
struct Shared {
    blobs: Arc<dyn BlobStore>,
    pool: Pool,
    compiler: Compiler,
    stopping: CancellationToken,
}

impl WasmExecutor {
    /// Prepares the folders and reads the list of compiled programs. Workers start when the first
    /// task needs them.
    pub fn start(config: Config, blobs: Arc<dyn BlobStore>) -> Result<Self, StartError> {
        if config.workers == 0 {
            return Err(StartError::NoWorkers);
        }
        let cache_dir = private_folder(&config.cache_dir)?;
        remove_tree(&config.scratch_dir)
            .map_err(|source| StartError::Folder { path: config.scratch_dir.clone(), source })?;
        let scratch_dir = private_folder(&config.scratch_dir)?;
        let config = Config { cache_dir, scratch_dir, ..config };
        let cache = Cache::open(config.cache_dir.clone(), config.cache_cap_bytes)
            .map_err(|source| StartError::Folder { path: config.cache_dir.clone(), source })?;
        let shared = Shared {
            blobs: blobs.clone(),
            pool: Pool::new(config.clone()),
            compiler: Compiler::new(config.clone(), blobs, cache),
            stopping: CancellationToken::new(),
        };
        let shared = Arc::new(shared);
        Ok(Self { services: Arc::new(WasmServices::new(shared.clone(), config)), shared })
    }

    /// What runs components as services.
    pub fn services(&self) -> Arc<WasmServices> {
        Arc::clone(&self.services)
    }

    /// Starts a worker if none is idle and says what confines it, for `opensky doctor`.
    pub async fn sandbox_report(&self) -> Result<SandboxReport, SpawnError> {
        let lease = self.shared.pool.lease(None).await?;
        let report = lease.sandbox().clone();
        self.shared.pool.give_back(lease);
        Ok(report)
    }
}

/// Makes a folder that only this user can look into and returns its absolute path.
fn private_folder(path: &Path) -> Result<PathBuf, StartError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(path)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)))
        .and_then(|()| path.canonicalize())
        .map_err(|source| StartError::Folder { path: path.into(), source })
}

#[async_trait]
impl Executor for WasmExecutor {
    fn engines(&self) -> Vec<Engine> {
        vec![Engine {
            containers: ContainerOffer::default(),
            name: engine::name(),
            config: engine::config_hash(),
            levels: vec![Level::Function, Level::Vm],
        }]
    }

    async fn run(&self, batch: WorkBatch, sink: &dyn LogSink, cancel: CancellationToken) {
        Batch::new(&self.shared, &batch, sink, &cancel).run().await;
    }

    async fn shut_down(&self) {
        self.shared.stopping.cancel();
        self.shared.pool.shut_down().await;
    }
}
