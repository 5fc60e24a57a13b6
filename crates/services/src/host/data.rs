//! The volumes of a replica: what they begin with, when they are saved, and whether a keeper has what was saved.

use crate::SLOW_BYTES_PER_MS;
use opensky_types::{
    Timestamp,
    job::Blob,
    service::{PROBLEM_BYTES_MAX, ReplicaId, SaveId, Saved},
};

/// Wait before what could not be saved is tried again, in milliseconds.
const AGAIN_MS: u64 = 10_000;

/// A save under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saving {
    /// While the program runs.
    Meanwhile,
    /// Once it has ended for good: nothing is written any more.
    Last,
}

/// The volumes of one replica.
#[derive(Debug)]
pub(super) struct Data {
    generation: u64,
    /// Time between two saves, in milliseconds.
    every_ms: u64,
    /// What they begin with.
    begin: Option<Saved>,
    /// What was saved here last.
    saved: Option<Saved>,
    saves: u64,
    saving: Option<Saving>,
    save_at: Timestamp,
    /// Whether its program ever ran: else there is nothing new in them.
    has_run: bool,
    /// Whether the last save was made.
    is_last_saved: bool,
    /// The newest save that a keeper has.
    held: Option<SaveId>,
    /// Since when the program is over and is not to run here again.
    over_since: Option<Timestamp>,
    /// Why they could not be saved, where that is so.
    pub problem: String,
}

impl Data {
    pub const fn new(now: Timestamp, replica: ReplicaId, every_ms: u64, begin: Option<Saved>) -> Self {
        Self {
            generation: replica.generation,
            every_ms,
            begin,
            saved: None,
            saves: 0,
            saving: None,
            save_at: now,
            has_run: false,
            is_last_saved: false,
            held: None,
            over_since: None,
            problem: String::new(),
        }
    }

    pub const fn begin(&self) -> Option<Saved> {
        self.begin
    }

    /// What is to be told of them.
    pub fn told(&self) -> Option<Saved> {
        self.saved.or(self.begin)
    }

    /// Its program runs.
    pub fn on_launched(&mut self, now: Timestamp) {
        if !self.has_run {
            self.has_run = true;
            self.save_at = now.plus_ms(self.every_ms);
        }
    }

    /// Whether a save is to begin now, of a program that runs.
    pub fn begin_meanwhile(&mut self, now: Timestamp) -> bool {
        let is_due = self.saving.is_none() && now >= self.save_at;
        if is_due {
            self.saving = Some(Saving::Meanwhile);
        }
        is_due
    }

    /// Whether the last save is to begin now. The program is over and does not run here again; `leaves`: nor does the
    /// replica stay.
    pub fn begin_last(&mut self, now: Timestamp, leaves: bool) -> bool {
        if leaves && self.over_since.is_none() {
            self.over_since = Some(now);
            self.save_at = now;
        } else if !leaves && self.problem.is_empty() {
            // It ended a moment ago.
            self.save_at = self.save_at.min(now);
        }
        let is_due = self.has_run && !self.is_last_saved && self.saving.is_none() && now >= self.save_at;
        if is_due {
            self.saving = Some(Saving::Last);
        }
        is_due
    }

    pub fn on_saved(&mut self, now: Timestamp, result: Result<Blob, String>) {
        let Some(saving) = self.saving.take() else { return };
        match result {
            Ok(blob) => {
                self.problem.clear();
                self.save_at = now.plus_ms(self.every_ms);
                self.is_last_saved |= saving == Saving::Last;
                // Without a change, what is held already counts.
                if self.told().is_none_or(|before| before.blob != blob) {
                    self.saves += 1;
                    let id = SaveId { generation: self.generation, count: self.saves };
                    self.saved = Some(Saved { id, blob, at: now });
                } else if let Some(saved) = &mut self.saved {
                    saved.at = now;
                }
            }
            Err(problem) => {
                let end = problem.floor_char_boundary(PROBLEM_BYTES_MAX / 2);
                self.problem = format!("its volumes cannot be saved: {}", &problem[..end]);
                self.save_at = now.plus_ms(AGAIN_MS);
            }
        }
    }

    /// A keeper has this.
    pub fn on_held(&mut self, id: SaveId) {
        self.held = self.held.max(Some(id));
    }

    /// Whether a save is under way.
    pub const fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// Whether a keeper has all that was written here.
    pub fn is_handed_over(&self) -> bool {
        // One of a later generation is another's.
        let holds = |saved: Saved| {
            self.held.is_some_and(|held| held >= saved.id && held.generation <= self.generation)
        };
        let is_held = || self.told().is_none_or(holds);
        self.has_run && self.is_last_saved && is_held()
    }

    /// Whether the replica ends without that, while its volumes stay: its program never ran here, so that what is there
    /// is perhaps of an earlier one; a later one goes on elsewhere already; or a keeper was waited for too long.
    pub fn is_given_up(&self, now: Timestamp, patience_ms: u64) -> bool {
        let goes_on_elsewhere = self.held.is_some_and(|held| held.generation > self.generation);
        let bytes = self.told().map_or(0, |saved| saved.blob.size_bytes);
        let patience_ms = patience_ms.max(bytes / SLOW_BYTES_PER_MS);
        let is_late = self.over_since.is_some_and(|since| now.ms_since(since) >= patience_ms);
        self.saving.is_none() && (!self.has_run || goes_on_elsewhere || is_late)
    }
}
