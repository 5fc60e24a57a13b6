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
//! - A standing of an agreement that [`Scheduler::holds`] does not know is answered with a close.
//! - [`Judgement::Accepted`] goes to at most one run of a task, ever.

mod agreements;
mod auditing;
mod cells;
mod checking;
mod checks;
mod config;
mod draw;
mod effect;
mod graph;
mod hedging;
mod input;
mod job;
mod losses;
mod pace;
mod placement;
mod reports;
mod rests;
mod scheduler;
mod seeking;
mod stage;
pub mod tolerance;
mod turn;
mod verification;
mod view;
mod viewing;

pub use config::Config;
pub use effect::{CheckedRun, Effect, Judged, Judgement};
pub use input::{
    AUDIT_PARTS_ALL, AcceptedTask, Candidate, Committed, Ended, FailedRun, HeldAgreement, Input, Report,
    Restored,
};
pub use scheduler::Scheduler;
pub use view::{JobView, NodeRuns, RunView, StageView, TaskState, TaskView};
