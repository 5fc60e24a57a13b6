//! What runs: one batch per slot.

use crate::{BatchId, TaskAttempt, agreement::Agreement};
use opensky_types::{AgreementId, Timestamp};
use std::collections::BTreeMap;

/// How an item of a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// To be run, or running, for its task.
    Wanted,
    /// Whatever it ends with is of no use: cancelled, or its task went back into the queue.
    Released,
    Ended,
}

#[derive(Debug)]
pub(crate) struct Batch {
    pub agreement: AgreementId,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
    /// Its own while it runs, by their places among those of the machine.
    pub gpus: Vec<u8>,
    pub items: Vec<(TaskAttempt, Item)>,
    /// Items that have not ended.
    left: usize,
    /// The first item that has not ended: the one that runs, since they run in order.
    head: usize,
    /// Set once the executor was told to stop: why.
    pub stopped: Option<&'static str>,
    /// When it started or an item last ended.
    pub moved_at: Timestamp,
}

impl Batch {
    /// Marks an item as ended and says which task it was and whether that is of use. `None` if there
    /// is no such item or it ended before.
    pub fn end(&mut self, now: Timestamp, item: u32) -> Option<(TaskAttempt, bool)> {
        let (task, state) = self.items.get_mut(item as usize)?;
        let before = std::mem::replace(state, Item::Ended);
        if before == Item::Ended {
            return None;
        }
        let ended = (*task, before == Item::Wanted);
        self.left -= 1;
        self.moved_at = now;
        while self.items.get(self.head).is_some_and(|(_, state)| *state == Item::Ended) {
            self.head += 1;
        }
        Some(ended)
    }

    pub fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Whether the item that runs now is of no use to anybody.
    pub fn is_head_released(&self) -> bool {
        self.items.get(self.head).is_some_and(|(_, state)| *state == Item::Released)
    }

    pub fn has_followers(&self) -> bool {
        self.items.iter().skip(self.head + 1).any(|(_, state)| *state == Item::Wanted)
    }

    /// Lets go of all wanted items behind the one that runs, and says which tasks they were.
    pub fn release_followers(&mut self) -> Vec<TaskAttempt> {
        let followers = self.items.iter_mut().skip(self.head + 1).filter(|(_, state)| *state == Item::Wanted);
        followers
            .map(|(task, state)| {
                *state = Item::Released;
                *task
            })
            .collect()
    }

    /// Lets go of one task.
    pub fn release(&mut self, task: TaskAttempt) {
        for (_, state) in self.items.iter_mut().filter(|(of, state)| *of == task && *state == Item::Wanted) {
            *state = Item::Released;
        }
    }

    pub fn release_all(&mut self) {
        for (_, state) in self.items.iter_mut().filter(|(_, state)| *state == Item::Wanted) {
            *state = Item::Released;
        }
    }
}

/// What a batch takes of the machine.
#[derive(Debug)]
pub(crate) struct Share {
    pub memory_bytes: u64,
    pub disk_bytes: u64,
    pub gpus: Vec<u8>,
}

/// All batches, and what they may use together.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    pub open: BTreeMap<BatchId, Batch>,
    next: u64,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
}

impl Batches {
    pub fn add(
        &mut self,
        now: Timestamp,
        agreement: AgreementId,
        Share { memory_bytes, disk_bytes, gpus }: Share,
        tasks: &[TaskAttempt],
    ) -> BatchId {
        let id = BatchId(self.next);
        self.next += 1;
        self.memory_bytes = self.memory_bytes.saturating_add(memory_bytes);
        self.disk_bytes = self.disk_bytes.saturating_add(disk_bytes);
        let items = tasks.iter().map(|task| (*task, Item::Wanted)).collect();
        let left = tasks.len();
        let batch = Batch {
            agreement,
            memory_bytes,
            disk_bytes,
            gpus,
            items,
            left,
            head: 0,
            stopped: None,
            moved_at: now,
        };
        self.open.insert(id, batch);
        id
    }

    pub fn remove(&mut self, id: BatchId) {
        if let Some(batch) = self.open.remove(&id) {
            self.memory_bytes -= batch.memory_bytes;
            self.disk_bytes -= batch.disk_bytes;
        }
    }

    /// Whether a GPU is some batch's own.
    pub fn has_gpu(&self, place: u8) -> bool {
        self.open.values().any(|batch| batch.gpus.contains(&place))
    }

    /// Tasks of an agreement that are in a batch and have not ended.
    pub fn tasks_left(&self, agreement: &Agreement) -> usize {
        agreement.batches.iter().filter_map(|id| self.open.get(id)).map(|batch| batch.left).sum()
    }

    /// Batches not told to stop, newest first.
    pub fn active(&self) -> impl Iterator<Item = (BatchId, &Batch)> {
        self.open.iter().rev().filter(|(_, batch)| batch.stopped.is_none()).map(|(id, batch)| (*id, batch))
    }
}
