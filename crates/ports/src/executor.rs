//! Runs tasks inside their limits.

use async_trait::async_trait;
use opensky_types::{
    job::Program,
    resources::{TaskLimits, Usage},
    task::{Outcome, TaskInput},
};
use tokio_util::sync::CancellationToken;

pub use opensky_types::engine::Engine;

/// Tasks of one program for one slot, run one after the other.
#[derive(Debug, Clone)]
pub struct WorkBatch {
    /// What runs. Its blob, and those of the inputs, are in the blob store already.
    pub program: Program,
    /// Seed of deterministic randomness; each task mixes in its own item.
    pub seed: u64,
    /// Limits of each task.
    pub limits: TaskLimits,
    /// GPUs that are its own while it runs, by their places among those of the machine.
    pub gpus: Vec<u8>,
    /// The tasks.
    pub items: Vec<WorkItem>,
}

/// One task of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// The caller's name for it; comes back with the result and the log.
    pub key: u64,
    /// What it reads.
    pub input: TaskInput,
}

/// How one task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkResult {
    /// The caller's name for it.
    pub key: u64,
    /// What came out. Contents over the inline size are in the blob store.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
}

/// Which output of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Sees output as it is written and tasks as they end. Calls must not block.
pub trait LogSink: Send + Sync {
    /// A task wrote something.
    fn written(&self, key: u64, stream: LogStream, bytes: &[u8]);
    /// A task ended; the rest of its batch may still run.
    fn ended(&self, result: WorkResult);
}

/// One way to run tasks.
#[async_trait]
pub trait Executor: Send + Sync {
    /// What it runs tasks with right now. Nothing where the engine that it drives is away.
    fn engines(&self) -> Vec<Engine>;

    /// Runs a batch on one worker, in order, and tells `sink` of each end. Every item ends exactly
    /// once, whatever happens: a worker that dies fails the item it was on and the rest goes on in
    /// a new one. When `cancel` fires, what has not ended does so as [`Failure::Cancelled`].
    ///
    /// [`Failure::Cancelled`]: opensky_types::task::Failure::Cancelled
    async fn run(&self, batch: WorkBatch, sink: &dyn LogSink, cancel: CancellationToken);

    /// Ends all workers; running tasks end as cancelled.
    async fn shut_down(&self);
}
