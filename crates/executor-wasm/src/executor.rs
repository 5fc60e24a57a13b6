//! The node's side.

use crate::sandbox::SandboxReport;
use async_trait::async_trait;
use opensky_ports::{
    blobs::BlobStore,
    executor::{Engine, Executor, LogSink, WorkBatch},
};
use std::{path::PathBuf, sync::Arc};
use tokio_util::sync::CancellationToken;

/// How the executor runs its workers.
#[derive(Debug, Clone)]
pub struct Config {
    /// Command and arguments that start a worker: a program that calls [`crate::worker::main`].
    pub worker_command: (PathBuf, Vec<String>),
    /// Most tasks at a time, each in its own worker process.
    pub workers: usize,
    /// Folder of compiled programs; kept over restarts.
    pub cache_dir: PathBuf,
    /// Most bytes of compiled programs.
    pub cache_cap_bytes: u64,
    /// Folder for the scratch files of running tasks; emptied at start.
    pub scratch_dir: PathBuf,
}

/// Why the executor could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder could not be made or emptied.
    #[error("cannot prepare folder {path}")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// Runs WASM tasks in worker processes.
pub struct WasmExecutor {
    config: Config,
    blobs: Arc<dyn BlobStore>,
}

impl WasmExecutor {
    /// Prepares the folders. Workers start when the first task needs them.
    pub fn start(config: Config, blobs: Arc<dyn BlobStore>) -> Result<Self, StartError> {
        Ok(Self { config, blobs })
    }

    /// Starts a worker if none is there yet and says what confines it.
    pub async fn sandbox_report(&self) -> Result<SandboxReport, String> {
        let _ = (&self.config, &self.blobs);
        Err("not yet".into())
    }
}

#[async_trait]
impl Executor for WasmExecutor {
    fn engine(&self) -> Engine {
        unimplemented!()
    }
    async fn run(&self, _batch: WorkBatch, _sink: &dyn LogSink, _cancel: CancellationToken) {}
    async fn shut_down(&self) {}
}
