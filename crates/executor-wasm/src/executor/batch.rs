//! One batch on one worker: orders go out ahead of the results, so that the worker never waits for
//! the executor, and every item ends exactly once whatever happens to the worker.

use super::{
    Shared,
    cache::Artefact,
    pool::Lease,
    process::Progress,
    task::{RunningTask, Violation, whole_stdin},
};
use crate::frame::{self, Order, Prepare, Report, Stdin};
use opensky_ports::executor::{LogSink, LogStream, WorkBatch, WorkItem, WorkResult};
use opensky_types::{
    resources::{Limit, Usage},
    task::{Content, Failure, Outcome},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Tasks sent ahead of the one that runs.
const AHEAD_MAX: usize = 128;
/// Bytes of orders sent ahead.
const AHEAD_BYTES_MAX: usize = 256 << 10;
/// How far past its wall limit a task may be before its worker is killed. Workers stop tasks by
/// themselves; this is for one that cannot any more.
const GRACE: Duration = Duration::from_millis(800);
/// Artefacts that may turn out unusable in a row.
const UNUSABLE_MAX: u32 = 2;

/// A batch that runs.
pub struct Batch<'a> {
    shared: &'a Shared,
    batch: &'a WorkBatch,
    sink: &'a dyn LogSink,
    cancel: &'a CancellationToken,
    /// Items that ended; the next one is the one that its worker is on.
    ended: usize,
    unusable: u32,
}

/// Why a worker is done with the batch.
enum Stop {
    /// All items ended; the worker waits for orders.
    Finished,
    /// The consumer or the node said stop.
    Cancelled,
    /// The worker is of no more use, and this is what the item it was on fails with.
    Lost(Failure),
    /// It cannot use the artefact, though it may be intact.
    Unusable { message: String, is_intact: bool },
}

impl<'a> Batch<'a> {
    pub fn new(
        shared: &'a Shared,
        batch: &'a WorkBatch,
        sink: &'a dyn LogSink,
        cancel: &'a CancellationToken,
    ) -> Self {
        Self { shared, batch, sink, cancel, ended: 0, unusable: 0 }
    }

    /// Runs it until every item ended.
    pub async fn run(mut self) {
        while self.ended < self.batch.items.len() {
            if let Err(failure) = self.run_on_one_worker().await {
                self.end_rest(&failure);
            }
        }
    }

    fn end_rest(&mut self, failure: &Failure) {
        while let Some(item) = self.batch.items.get(self.ended) {
            let outcome = Outcome::Failed {
                failure: failure.clone(),
                stdout: Content::empty(),
                stderr: Content::empty(),
            };
            self.end(item, outcome, Usage::default());
        }
    }

    fn end(&mut self, item: &WorkItem, outcome: Outcome, usage: Usage) {
        self.ended += 1;
        self.sink.ended(WorkResult { key: item.key, outcome, usage });
    }

    /// Runs what it can on one worker. An error is why all the items that are left fail.
    async fn run_on_one_worker(&mut self) -> Result<(), Failure> {
        let program = self.batch.program.hash;
        let (artefact, lease) = tokio::select! {
            biased;
            () = stopped(self.shared, self.cancel) => return Err(Failure::Cancelled),
            ready = async {
                let artefact = self.shared.compiler.artefact(program).await?;
                let lease = self.shared.pool.lease(Some(program)).await;
                let lease = lease.map_err(|error| Failure::WorkerLost { message: error_chain(&error) })?;
                Ok::<_, Failure>((artefact, lease))
            } => ready?,
        };
        let mut exchange = Exchange::new(self, lease, &artefact)?;
        let stop = exchange.drive().await;
        let Exchange { mut lease, task, .. } = exchange;
        let failure = match stop {
            Stop::Finished => {
                self.shared.pool.give_back(lease);
                return Ok(());
            }
            Stop::Unusable { message, is_intact } => {
                lease.kill().await;
                return self.recompile(&artefact, message, is_intact);
            }
            Stop::Cancelled => Failure::Cancelled,
            Stop::Lost(failure) => failure,
        };
        lease.kill().await;
        if let Some(item) = self.batch.items.get(self.ended) {
            let (outcome, usage) = task.stopped(&self.shared.blobs, failure).await;
            self.end(item, outcome, usage);
        }
        Ok(())
    }

    /// Throws the artefact away, so that the next try makes a new one. An intact one that was made
    /// for just this try and is refused again tells about the program, not about the artefact.
    fn recompile(&mut self, artefact: &Artefact, message: String, is_intact: bool) -> Result<(), Failure> {
        let program = self.batch.program.hash;
        tracing::debug!(%program, message, "compiled program is not usable");
        self.shared.compiler.discard(program, artefact);
        self.unusable += 1;
        if self.unusable < UNUSABLE_MAX {
            return Ok(());
        }
        if !is_intact {
            return Err(Failure::WorkerLost { message: format!("the compiled program: {message}") });
        }
        let failure = Failure::InvalidProgram { message };
        self.shared.compiler.refuse(program, failure.clone());
        Err(failure)
    }
}

/// Resolves when the batch must stop.
async fn stopped(shared: &Shared, cancel: &CancellationToken) {
    tokio::select! {
        () = cancel.cancelled() => {}
        () = shared.stopping.cancelled() => {}
    }
}

fn error_chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The talk with one worker about one batch.
struct Exchange<'b, 'a> {
    run: &'b mut Batch<'a>,
    lease: Lease,
    /// Orders to be written, from `written` on.
    outbound: Vec<u8>,
    written: usize,
    /// Items whose order is in `outbound` or out.
    sent: usize,
    task: RunningTask,
}

impl<'b, 'a> Exchange<'b, 'a> {
    fn new(run: &'b mut Batch<'a>, lease: Lease, artefact: &Arc<Artefact>) -> Result<Self, Failure> {
        let batch = run.batch;
        let mut outbound = Vec::with_capacity(4 << 10);
        let prepare = Prepare {
            artefact_name: artefact.name.clone(),
            artefact_hash: artefact.hash,
            level: batch.program.level,
            function: batch.program.function.clone(),
            args: batch.program.args.clone(),
            env: batch.program.env.clone(),
            deterministic: batch.program.deterministic,
            seed: batch.seed,
            limits: batch.limits,
        };
        frame::append(&mut outbound, &Order::Prepare(Box::new(prepare)));
        if outbound.len() > frame::FRAME_BYTES_MAX {
            let message = format!("arguments and environment take {} bytes, too many", outbound.len());
            return Err(Failure::InvalidProgram { message });
        }
        let sent = run.ended;
        Ok(Self { run, lease, outbound, written: 0, sent, task: RunningTask::new() })
    }

    async fn drive(&mut self) -> Stop {
        let sleep = tokio::time::sleep_until(self.deadline().into());
        tokio::pin!(sleep);
        loop {
            if self.run.ended == self.run.batch.items.len() {
                return Stop::Finished;
            }
            self.order_ahead();
            let progress = tokio::select! {
                biased;
                () = stopped(self.run.shared, self.run.cancel) => return Stop::Cancelled,
                () = &mut sleep => {
                    let deadline = self.deadline();
                    if Instant::now() >= deadline {
                        return Stop::Lost(Failure::Limit { limit: Limit::Time });
                    }
                    sleep.as_mut().reset(deadline.into());
                    continue;
                }
                progress = self.lease.progress(&self.outbound[self.written..]) => progress,
            };
            match progress {
                Progress::Sent(size) => self.written += size,
                Progress::Received => {
                    if let Some(stop) = self.take_reports().await {
                        return stop;
                    }
                }
                Progress::Gone => return self.lost().await,
            }
        }
    }

    /// When the worker should have stopped the task that it is on by itself.
    fn deadline(&self) -> Instant {
        let limit = Duration::from_millis(self.run.batch.limits.wall_ms) + GRACE;
        let started = self.task.started();
        // A limit that no clock reaches is no limit.
        started.checked_add(limit).unwrap_or(started + Duration::from_secs(1 << 30))
    }

    /// Keeps the worker supplied.
    fn order_ahead(&mut self) {
        if self.written == self.outbound.len() {
            self.outbound.clear();
            self.written = 0;
        }
        while self.sent - self.run.ended < AHEAD_MAX && self.outbound.len() < AHEAD_BYTES_MAX {
            let Some(item) = self.run.batch.items.get(self.sent) else { return };
            let stdin = whole_stdin(item).map_or(Stdin::OnDemand, Stdin::Whole);
            frame::append(&mut self.outbound, &Order::Run { item: item.input.item.clone(), stdin });
            self.sent += 1;
        }
    }

    /// What became of a worker that hung up. What it said before still counts.
    async fn lost(&mut self) -> Stop {
        if let Some(stop) = self.take_reports().await {
            return stop;
        }
        if self.run.ended == self.run.batch.items.len() {
            return Stop::Lost(Failure::WorkerLost { message: "it ended after its last task".into() });
        }
        Stop::Lost(Failure::WorkerLost { message: self.lease.end().await })
    }

    async fn take_reports(&mut self) -> Option<Stop> {
        while self.run.ended < self.run.batch.items.len() {
            match self.lease.next_report() {
                Ok(None) => return None,
                Ok(Some(report)) => match self.take(report).await {
                    Ok(None) => {}
                    Ok(Some(stop)) => return Some(stop),
                    Err(violation) => return Some(Stop::Lost(violation.into())),
                },
                Err(_) => return Some(Stop::Lost(Violation("a frame that cannot be read").into())),
            }
        }
        None
    }

    async fn take(&mut self, report: Report) -> Result<Option<Stop>, Violation> {
        let blobs = &self.run.shared.blobs;
        let limits = &self.run.batch.limits;
        let item = &self.run.batch.items[self.run.ended];
        match report {
            Report::Output { is_stderr, bytes } => {
                self.task.wrote(blobs, limits, is_stderr, &bytes).await?;
                let stream = if is_stderr { LogStream::Stderr } else { LogStream::Stdout };
                self.run.sink.written(item.key, stream, &bytes);
            }
            Report::WantInput => {
                let piece = self.task.next_piece(blobs, item).await;
                let order = piece.map_or(Order::InputLost, Order::Piece);
                frame::append(&mut self.outbound, &order);
            }
            Report::File { path, size_bytes } => {
                self.task.file_starts(blobs, limits, path, size_bytes).await?;
            }
            Report::Piece(bytes) => self.task.file_piece(blobs, &bytes).await?,
            Report::Ended(ended) => {
                if self.sent == self.run.ended {
                    return Err(Violation("the end of a task it was not given"));
                }
                let task = std::mem::replace(&mut self.task, RunningTask::new());
                let (outcome, usage) = task.ended(blobs, item, *ended).await?;
                self.run.end(item, outcome, usage);
            }
            Report::Unusable { message, is_intact } => {
                return Ok(Some(Stop::Unusable { message, is_intact }));
            }
            Report::Fatal { message } => return Ok(Some(Stop::Lost(Failure::WorkerLost { message }))),
            Report::Ready { .. }
            | Report::Compiled { .. }
            | Report::NotCompiled { .. }
            | Report::Serving
            | Report::NotServing { .. } => {
                return Err(Violation("a report out of place"));
            }
        }
        Ok(None)
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::WorkerLost { message: violation.to_string() }
    }
}
