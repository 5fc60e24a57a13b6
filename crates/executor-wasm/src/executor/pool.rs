//! The worker processes that run tasks.

use super::{
    Config,
    process::{Process, SpawnError},
};
use crate::frame::Role;
use opensky_executor::scratch::remove_tree;
use opensky_types::Hash;
use std::{
    ops::{Deref, DerefMut},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Workers, started when first needed and kept. At most as many run as the executor may use.
pub struct Pool {
    config: Config,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Worker>>,
    started: AtomicU64,
}

/// A worker with its folder.
struct Worker {
    process: Process,
    /// Held for its drop.
    _scratch: ScratchDir,
    /// The program it ran last: the next one of it finds it loaded, and its memory warm.
    program: Option<Hash>,
}

/// A folder that goes when its worker does.
struct ScratchDir(PathBuf);

impl Drop for ScratchDir {
    fn drop(&mut self) {
        // A file that cannot be removed now is at the next start, which empties the parent folder.
        if let Err(error) = remove_tree(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "cannot remove a scratch folder");
        }
    }
}

/// The right to use one worker. Dropped without [`Lease::give_back`], it kills the worker, whose
/// state nobody knows then.
pub struct Lease {
    worker: Worker,
    permit: OwnedSemaphorePermit,
}

impl Deref for Lease {
    type Target = Process;
    fn deref(&self) -> &Process {
        &self.worker.process
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.worker.process
    }
}

impl Pool {
    pub fn new(config: Config) -> Self {
        let permits = Arc::new(Semaphore::new(config.workers));
        Self { config, permits, idle: Mutex::new(Vec::new()), started: AtomicU64::new(0) }
    }

    /// A worker, preferably one that ran `program` last; waits for one to come free.
    pub async fn lease(&self, program: Option<Hash>) -> Result<Lease, SpawnError> {
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let idle = self.take_idle(program);
        let mut worker = match idle {
            Some(worker) => worker,
            None => self.start().await?,
        };
        if program.is_some() {
            worker.program = program;
        }
        Ok(Lease { worker, permit })
    }

    fn take_idle(&self, program: Option<Hash>) -> Option<Worker> {
        let mut idle = self.idle();
        // Otherwise the one idle for longest, so that warm ones stay warm.
        let position = idle.iter().position(|worker| worker.program == program).unwrap_or(0);
        if idle.is_empty() { None } else { Some(idle.remove(position)) }
    }

    async fn start(&self) -> Result<Worker, SpawnError> {
        let number = self.started.fetch_add(1, Relaxed);
        let path = self.config.scratch_dir.join(format!("worker-{number}"));
        std::fs::create_dir(&path).map_err(|source| SpawnError::Start { program: path.clone(), source })?;
        let scratch = ScratchDir(path);
        let role = Role::Run {
            cache_dir: self.config.cache_dir.to_string_lossy().into_owned(),
            scratch_dir: scratch.0.to_string_lossy().into_owned(),
        };
        let process =
            Process::spawn(&self.config.worker_command, 1, role, self.config.worker_memory_bytes_max).await?;
        tracing::debug!(number, pid = process.pid(), "worker started");
        Ok(Worker { process, _scratch: scratch, program: None })
    }

    /// Takes a worker back that waits for orders.
    pub fn give_back(&self, lease: Lease) {
        let Lease { worker, permit } = lease;
        self.idle().push(worker);
        drop(permit);
    }

    /// Waits until no worker is in use, then ends all of them. Nothing is leased afterwards.
    pub async fn shut_down(&self) {
        let all = u32::try_from(self.config.workers).unwrap_or(u32::MAX);
        let _permits = self.permits.acquire_many(all).await.expect("the semaphore is never closed");
        let idle = std::mem::take(&mut *self.idle());
        for mut worker in idle {
            worker.process.kill().await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().expect("no user of the pool panics")
    }
}
