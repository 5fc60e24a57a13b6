//! The consumer's side of jobs: which task runs where, when it runs again, and which result counts.
//!
//! What it is: a pure core. One [`Scheduler`] holds every job of a node; facts go in as [`Input`],
//! orders come out as [`Effect`]. What it never does: I/O, reading a clock, drawing randomness,
//! naming inputs or outputs by content (the node makes those from the job's spec).
//! Where to start: [`Input`] and [`Effect`], then `job.rs` (one job), `stage.rs` (its queues) and
//! `verification.rs` (which result counts).
//!
//! What the node must keep to:
//! - It hands in [`Input::Tick`] at least every 100 ms while a job is active.
//! - An assigned run gets exactly one judgement, or none if the provider never reports it. A report
//!   of a run that was never assigned, or was judged before, gets none: the node answers a repeated
//!   report from its own journal.
//! - [`Judgement::Accepted`] goes to at most one run of a task, ever.

mod config;
mod effect;
mod input;
mod view;

pub use config::Config;
pub use effect::{Effect, Judged, Judgement};
pub use input::{
    AcceptedTask, Candidate, Committed, Ended, FailedRun, HeldAgreement, Input, Report, Restored,
};
pub use view::{JobView, NodeRuns, RunView, StageView, TaskState, TaskView};

use opensky_types::{JobId, TaskId, Timestamp};

/// All active jobs of a node.
#[derive(Debug)]
pub struct Scheduler {
    config: Config,
}

impl Scheduler {
    /// A scheduler without jobs.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Takes in one fact and appends what is to be done about it.
    pub fn handle(&mut self, _now: Timestamp, _input: Input, _effects: &mut Vec<Effect>) {
        let _ = &self.config;
    }

    /// How a job stands; `None` for a job that is not known or was forgotten.
    pub fn job(&self, _job: &JobId) -> Option<JobView> {
        None
    }

    /// How one task stands.
    pub fn task(&self, _job: &JobId, _task: TaskId) -> Option<TaskView> {
        None
    }

    /// Ids of all jobs held, in order.
    pub fn jobs(&self) -> impl Iterator<Item = JobId> + '_ {
        std::iter::empty()
    }

    /// Asserts every invariant. For tests: it looks at every task.
    pub fn check(&self) {}
}
