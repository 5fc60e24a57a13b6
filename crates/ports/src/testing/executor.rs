//! An executor whose programs are a closure.

use super::lock;
use crate::executor::{Engine, Executor, LogSink, LogStream, WorkBatch, WorkItem, WorkResult};
use async_trait::async_trait;
use opensky_types::{
    Hash,
    offer::ContainerOffer,
    place::Level,
    resources::Usage,
    samples,
    task::{Content, Failure, Outcome, TaskOutput},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// What a fake program does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeRun {
    /// How it ends.
    pub outcome: Outcome,
    /// What it uses.
    pub usage: Usage,
    /// How long it runs on tokio's clock, in milliseconds; `None`: until it is cancelled.
    pub wall_ms: Option<u64>,
}

impl FakeRun {
    /// A program that writes `stdout` and exits with 0 at once.
    pub fn writes(stdout: impl Into<Vec<u8>>) -> Self {
        let output = TaskOutput {
            exit_code: 0,
            stdout: Content::Inline(stdout.into()),
            stderr: Content::empty(),
            files: Vec::new(),
        };
        Self { outcome: Outcome::Exited(output), usage: samples::usage(), wall_ms: Some(0) }
    }

    /// A program that fails at once.
    pub fn fails(failure: Failure) -> Self {
        let outcome = Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() };
        Self { outcome, usage: samples::usage(), wall_ms: Some(0) }
    }

    /// The same, but it takes so many milliseconds.
    pub fn in_ms(self, millis: u64) -> Self {
        Self { wall_ms: Some(millis), ..self }
    }

    /// The same, but after its output it runs until it is cancelled.
    pub fn forever(self) -> Self {
        Self { wall_ms: None, ..self }
    }
}

type Program = dyn Fn(&WorkBatch, &WorkItem) -> FakeRun + Send + Sync;

/// An executor that asks a closure what each task does. Clones share one executor.
#[derive(Clone)]
pub struct FakeExecutor {
    program: Arc<Program>,
    levels: Vec<Level>,
    containers: ContainerOffer,
    stopped: CancellationToken,
    ran: Arc<Mutex<Vec<u64>>>,
}

impl FakeExecutor {
    /// An executor whose programs are `program`.
    pub fn new(program: impl Fn(&WorkBatch, &WorkItem) -> FakeRun + Send + Sync + 'static) -> Self {
        Self {
            program: Arc::new(program),
            levels: vec![Level::Function, Level::Vm],
            containers: ContainerOffer::default(),
            stopped: CancellationToken::new(),
            ran: Arc::new(Mutex::new(Vec::new())),
        }
    }

    /// An executor whose programs write their item and a newline.
    pub fn echo() -> Self {
        Self::new(|_, item| FakeRun::writes(format!("{}\n", item.input.item)))
    }

    /// The same, and it says that it runs containers too.
    pub fn with_containers(mut self) -> Self {
        self.levels.push(Level::Container);
        self
    }

    /// The same, and what containers find in it.
    pub fn with_container_offer(self, containers: ContainerOffer) -> Self {
        Self { containers, ..self.with_containers() }
    }

    /// Keys of the tasks that were started, in order.
    pub fn ran(&self) -> Vec<u64> {
        lock(&self.ran).clone()
    }

    async fn run_item(
        &self,
        batch: &WorkBatch,
        item: &WorkItem,
        sink: &dyn LogSink,
        cancel: &CancellationToken,
    ) -> WorkResult {
        if self.stopped.is_cancelled() || cancel.is_cancelled() {
            return cancelled(item, Content::empty());
        }
        lock(&self.ran).push(item.key);
        let run = (self.program)(batch, item);
        for (stream, content) in
            [(LogStream::Stdout, run.outcome.stdout()), (LogStream::Stderr, run.outcome.stderr())]
        {
            if let Content::Inline(bytes) = content
                && !bytes.is_empty()
            {
                sink.written(item.key, stream, bytes);
            }
        }
        tokio::select! {
            biased;
            () = self.stopped.cancelled() => cancelled(item, run.outcome.stdout().clone()),
            () = cancel.cancelled() => cancelled(item, run.outcome.stdout().clone()),
            () = wait(run.wall_ms) => WorkResult { key: item.key, outcome: run.outcome, usage: run.usage },
        }
    }
}

async fn wait(wall_ms: Option<u64>) {
    match wall_ms {
        Some(0) => {}
        Some(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        None => std::future::pending().await,
    }
}

fn cancelled(item: &WorkItem, stdout: Content) -> WorkResult {
    let outcome = Outcome::Failed { failure: Failure::Cancelled, stdout, stderr: Content::empty() };
    WorkResult { key: item.key, outcome, usage: Usage::default() }
}

#[async_trait]
impl Executor for FakeExecutor {
    fn engines(&self) -> Vec<Engine> {
        vec![Engine {
            name: "fake 1.0.0".into(),
            config: Hash::of(b"fake engine configuration"),
            levels: self.levels.clone(),
            containers: self.containers.clone(),
        }]
    }

    async fn run(&self, batch: WorkBatch, sink: &dyn LogSink, cancel: CancellationToken) {
        for item in &batch.items {
            let result = self.run_item(&batch, item, sink, &cancel).await;
            sink.ended(result);
        }
    }

    async fn shut_down(&self) {
        self.stopped.cancel();
    }
}
