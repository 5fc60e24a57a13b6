//! Batches run on the executor.

use super::live::LiveOutputs;
use crate::{event::Event, node::Node};
use opensky_ports::{Clock, LogSink, LogStream, WorkBatch, WorkItem, WorkResult};
use opensky_provider::{BatchId, RunItem, TaskEnd};
use opensky_types::{
    AgreementId, TaskId, Timestamp,
    agreement::Terms,
    resources::Usage,
    task::{Content, Failure, Outcome},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Pieces of followed output of one batch that may wait for the loop; more are left out.
const WRITES_WAITING_MAX: usize = 256;
/// Longest message of a failure that is passed on, in bytes.
const FAILURE_MESSAGE_BYTES_MAX: usize = 4 * 1024;

impl Node {
    /// Runs a batch on the executor. Its ends come back as events, however it goes.
    pub(super) fn run_batch(
        &mut self,
        batch: BatchId,
        agreement: AgreementId,
        terms: &Terms,
        (items, gpus): (Vec<RunItem>, Vec<u8>),
    ) {
        let cancel = CancellationToken::new();
        self.host.running.insert(batch, cancel.clone());
        let (told, mut tells) = mpsc::unbounded_channel();
        let writes_waiting = Arc::new(AtomicUsize::new(0));
        let sink = Arc::new(BatchSink {
            batch,
            agreement,
            tasks: items.iter().map(|item| item.task.task).collect(),
            clock: Arc::clone(&self.clock),
            progress: Mutex::new(Progress { moved_at: self.clock.now(), ended: vec![false; items.len()] }),
            live: Arc::clone(&self.host.live),
            writes_waiting: Arc::clone(&writes_waiting),
            told,
        });
        let work = WorkBatch {
            program: terms.program.clone(),
            seed: terms.seed,
            limits: terms.limits,
            gpus,
            items: (0..).zip(items).map(|(key, item)| WorkItem { key, input: item.input }).collect(),
        };
        let (executor, events) = (Arc::clone(&self.executor), self.events.clone());
        let runs = Arc::clone(&sink);
        // A task of its own: should the executor panic, the batch still ends.
        let running = self.tasks.spawn(async move { executor.run(work, runs.as_ref(), cancel).await });
        self.tasks.spawn(async move {
            let finishing = async move {
                if let Err(panic) = running.await {
                    tracing::error!(%panic, "the executor panicked");
                }
                sink.end_rest();
            };
            let telling = async {
                while let Some(event) = tells.recv().await {
                    if matches!(event, Event::WorkWrote { .. }) {
                        writes_waiting.fetch_sub(1, Ordering::Relaxed);
                    }
                    if events.send(event).await.is_err() {
                        return;
                    }
                }
            };
            tokio::join!(finishing, telling);
            // If the loop is gone there is nobody left to tell.
            let _ = events.send(Event::BatchEnded { batch }).await;
        });
    }
}

/// Sees a batch run: forwards ends, and keeps what its tasks write for followers.
struct BatchSink {
    batch: BatchId,
    agreement: AgreementId,
    tasks: Vec<TaskId>,
    clock: Arc<dyn Clock>,
    progress: Mutex<Progress>,
    live: Arc<Mutex<LiveOutputs>>,
    writes_waiting: Arc<AtomicUsize>,
    /// Bounded by the batch: one end an item, and as many writes as may wait.
    told: mpsc::UnboundedSender<Event>,
}

/// How far a batch is.
struct Progress {
    /// When it started or an item last ended.
    moved_at: Timestamp,
    ended: Vec<bool>,
}

impl BatchSink {
    /// Ends what the executor has left open.
    fn end_rest(&self) {
        let ended = self.progress.lock().expect("no code panics while holding this lock").ended.clone();
        for (key, _) in (0..).zip(ended).filter(|(_, ended)| !ended) {
            let failure = Failure::WorkerLost { message: "the executor gave no result".into() };
            let outcome = Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() };
            self.ended(WorkResult { key, outcome, usage: Usage::default() });
        }
    }
}

impl LogSink for BatchSink {
    fn written(&self, key: u64, stream: LogStream, bytes: &[u8]) {
        let Some(task) = self.tasks.get(key as usize).copied() else { return };
        let follower = {
            let mut live = self.live.lock().expect("no code panics while holding this lock");
            live.write(self.agreement, task, stream, bytes)
        };
        if let Some(to) = follower
            && self.writes_waiting.load(Ordering::Relaxed) < WRITES_WAITING_MAX
        {
            self.writes_waiting.fetch_add(1, Ordering::Relaxed);
            let (agreement, bytes) = (self.agreement, bytes.to_vec());
            // The receiving end is gone only when the node is.
            let _ = self.told.send(Event::WorkWrote { to, agreement, task, stream, bytes });
        }
    }

    fn ended(&self, result: WorkResult) {
        let WorkResult { key, outcome, usage } = result;
        let Ok(item) = u32::try_from(key) else { return };
        let ended_at = self.clock.now();
        let started_at = {
            let mut progress = self.progress.lock().expect("no code panics while holding this lock");
            let Some(ended) = progress.ended.get_mut(item as usize) else { return };
            if std::mem::replace(ended, true) {
                return;
            }
            std::mem::replace(&mut progress.moved_at, ended_at)
        };
        if let Some(task) = self.tasks.get(item as usize) {
            let mut live = self.live.lock().expect("no code panics while holding this lock");
            live.end(self.agreement, *task);
        }
        let outcome = with_short_message(outcome);
        let end = TaskEnd { batch: self.batch, item, outcome, usage, started_at, ended_at };
        let _ = self.told.send(Event::WorkEnded(end));
    }
}

/// A consumer does not take a failure whose message is very long.
fn with_short_message(mut outcome: Outcome) -> Outcome {
    if let Outcome::Failed { failure, .. } = &mut outcome
        && let Failure::Trap { message }
        | Failure::InvalidProgram { message }
        | Failure::InputUnavailable { message, .. }
        | Failure::WorkerLost { message }
        | Failure::ProviderStopped { message } = failure
    {
        message.truncate(message.floor_char_boundary(FAILURE_MESSAGE_BYTES_MAX));
    }
    outcome
}
