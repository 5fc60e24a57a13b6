//! One agreement and its tasks, each in exactly one state.

use crate::{BatchId, FetchedInput, TaskAttempt, funding::Funding};
use opensky_types::{
    AgreementId, Micros, Timestamp,
    agreement::Terms,
    engine::Engine,
    job::Blob,
    task::{Content, TaskInput},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Most tasks of an agreement whose blobs are fetched ahead of a free slot.
const STAGED_MAX: usize = 64;
/// Most tasks in one batch.
const BATCH_MAX: u64 = 256;

/// Whether the program is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgramState {
    Missing,
    Fetching,
    Ready,
}

/// A task that the consumer may still speak of. Small once it is done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Queued or running.
    Live(Box<Live>),
    /// Done and committed to; the result is kept under this number.
    Committed(u64),
    /// Done and delivered, not yet countersigned.
    Delivered,
}

#[derive(Debug)]
pub(crate) struct Live {
    /// Its place in the order of assignment, kept if it has to start again.
    pub order: u64,
    pub input: TaskInput,
    /// Bytes of its blobs; `None` where it has none.
    pub blob_bytes: Option<u64>,
    pub phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its blobs are yet to be asked for.
    Unfetched,
    Fetching,
    Ready,
    Running(BatchId),
}

/// Tasks by phase, kept in step with their states by [`Agreement::move_to`].
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub unfetched: BTreeSet<(u64, TaskAttempt)>,
    pub ready: BTreeSet<(u64, TaskAttempt)>,
    /// Tasks with blobs that are being fetched or are here and do not run yet, and their bytes.
    pub staged: usize,
    pub staged_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Agreement {
    pub id: AgreementId,
    pub terms: Arc<Terms>,
    /// What runs its tasks.
    pub engine: Engine,
    pub slots: u16,
    pub program: ProgramState,
    pub tasks: BTreeMap<TaskAttempt, Task>,
    pub queue: Queue,
    pub batches: BTreeSet<BatchId>,
    /// Results kept for the consumer, by number.
    pub kept: BTreeSet<u64>,
    /// Tasks that are live.
    pub live: usize,
    pub pace: Pace,
    pub funding: Funding,
    /// When it was last given a slot, as a count of all starts.
    pub served: u64,
    /// When it last had something to do.
    pub busy_at: Timestamp,
    pub standing_at: Timestamp,
}

impl Agreement {
    pub fn new(
        (id, terms): (AgreementId, Terms),
        engine: Engine,
        slots: u16,
        spent: Micros,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            funding: Funding::new(&terms, spent, now),
            terms: Arc::new(terms),
            engine,
            slots,
            program: ProgramState::Missing,
            tasks: BTreeMap::new(),
            queue: Queue::default(),
            batches: BTreeSet::new(),
            kept: BTreeSet::new(),
            live: 0,
            pace: Pace::default(),
            served: 0,
            busy_at: now,
            standing_at: now,
        }
    }

    /// Takes in a task that is not known yet.
    pub fn add(&mut self, task: TaskAttempt, order: u64, input: TaskInput) {
        let blob_bytes = blobs(&input).map(|blob| blob.size_bytes).reduce(u64::saturating_add);
        let phase = if blob_bytes.is_some() { Phase::Unfetched } else { Phase::Ready };
        self.queue.enter(phase, order, task, blob_bytes);
        self.live += 1;
        self.tasks.insert(task, Task::Live(Box::new(Live { order, input, blob_bytes, phase })));
    }

    /// Moves a live task on, or back.
    pub fn move_to(&mut self, task: TaskAttempt, phase: Phase) {
        let Some(Task::Live(live)) = self.tasks.get_mut(&task) else { return };
        self.queue.leave(live.phase, live.order, task, live.blob_bytes);
        live.phase = phase;
        self.queue.enter(phase, live.order, task, live.blob_bytes);
    }

    /// Takes a live task out.
    pub fn take_live(&mut self, task: TaskAttempt) -> Option<Box<Live>> {
        match self.tasks.remove(&task)? {
            Task::Live(live) => {
                self.queue.leave(live.phase, live.order, task, live.blob_bytes);
                self.live -= 1;
                Some(live)
            }
            done => {
                self.tasks.insert(task, done);
                None
            }
        }
    }

    pub fn phase(&self, task: TaskAttempt) -> Option<Phase> {
        match self.tasks.get(&task) {
            Some(Task::Live(live)) => Some(live.phase),
            _ => None,
        }
    }

    /// Tasks that are queued or run.
    pub fn live_tasks(&self) -> impl Iterator<Item = TaskAttempt> {
        self.tasks.iter().filter(|(_, state)| matches!(state, Task::Live(_))).map(|(task, _)| *task)
    }

    /// Chooses the tasks whose blobs to fetch next: the oldest, a few ahead of the free slots, and at
    /// least one whatever its size.
    pub fn stage(&mut self, staged_bytes_max: u64) -> Vec<FetchedInput> {
        let mut inputs = Vec::new();
        while self.queue.staged < STAGED_MAX {
            let Some((_, task)) = self.queue.unfetched.first().copied() else { break };
            let Some(Task::Live(live)) = self.tasks.get(&task) else { break };
            let bytes = self.queue.staged_bytes.saturating_add(live.blob_bytes.unwrap_or(0));
            if self.queue.staged > 0 && bytes > staged_bytes_max {
                break;
            }
            inputs.push(FetchedInput { task, blobs: blobs(&live.input).collect() });
            self.move_to(task, Phase::Fetching);
        }
        inputs
    }
}

impl Queue {
    fn enter(&mut self, phase: Phase, order: u64, task: TaskAttempt, blob_bytes: Option<u64>) {
        match phase {
            Phase::Unfetched => {
                self.unfetched.insert((order, task));
            }
            Phase::Ready => {
                self.ready.insert((order, task));
            }
            Phase::Fetching | Phase::Running(_) => {}
        }
        if let (Phase::Fetching | Phase::Ready, Some(bytes)) = (phase, blob_bytes) {
            self.staged += 1;
            self.staged_bytes = self.staged_bytes.saturating_add(bytes);
        }
    }

    fn leave(&mut self, phase: Phase, order: u64, task: TaskAttempt, blob_bytes: Option<u64>) {
        match phase {
            Phase::Unfetched => {
                self.unfetched.remove(&(order, task));
            }
            Phase::Ready => {
                self.ready.remove(&(order, task));
            }
            Phase::Fetching | Phase::Running(_) => {}
        }
        if let (Phase::Fetching | Phase::Ready, Some(bytes)) = (phase, blob_bytes) {
            self.staged -= 1;
            self.staged_bytes = self.staged_bytes.saturating_sub(bytes);
        }
    }
}

/// How long tasks of an agreement take: a moving average over about eight of them.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Zero until measured.
    task_us: u64,
}

impl Pace {
    pub fn observe(&mut self, wall_us: u64) {
        let wall_us = wall_us.max(1);
        self.task_us = match self.task_us {
            0 => wall_us,
            average => (average.saturating_mul(7).saturating_add(wall_us) / 8).max(1),
        };
    }

    /// Tasks for one batch: as many as make up `target_us`, but never so many that another free
    /// slot would go without. Before anything was measured, one.
    pub fn batch_len(&self, target_us: u64, ready: usize, slots_free: usize) -> usize {
        if self.task_us == 0 {
            return 1;
        }
        let by_time = (target_us / self.task_us).clamp(1, BATCH_MAX) as usize;
        by_time.min(ready.div_ceil(slots_free.max(1)))
    }
}

fn blobs(input: &TaskInput) -> impl Iterator<Item = Blob> {
    input
        .stdin
        .iter()
        .filter_map(|content| if let Content::Blob(blob) = content { Some(*blob) } else { None })
}
