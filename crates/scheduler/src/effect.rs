//! Orders that the scheduler gives.

use opensky_types::{
    AgreementId, JobId, NodeId, TaskId, Timestamp,
    job::{JobNote, JobState},
};

/// Something to be done, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the market for nodes with `wanted` free slots in all, none of `exclude` (to be counted as
    /// `Misfit::AlreadyUsed`). The answer is [`crate::Input::Matched`].
    Find { job: JobId, stage: u16, wanted: u32, exclude: Vec<NodeId> },
    /// Sign terms and propose them. The answer is `Agreed` or `Refused`.
    Propose { job: JobId, stage: u16, node: NodeId, slots: u16 },
    /// Hand out tasks: (task, attempt), at most 1,024. The node makes their inputs from the spec.
    Assign { job: JobId, agreement: AgreementId, node: NodeId, tasks: Vec<(TaskId, u32)> },
    /// Tell the provider to show results that it committed to.
    Reveal { agreement: AgreementId, node: NodeId, tasks: Vec<TaskId> },
    /// Tell the provider that these are not wanted any more.
    CancelTasks { agreement: AgreementId, node: NodeId, tasks: Vec<TaskId> },
    /// End the agreement; what still runs under it is not wanted.
    Close { agreement: AgreementId, node: NodeId },
    /// Runs were judged. The node writes the accepted ones to the journal first, then countersigns
    /// what it owes: all but `Rejected`.
    Judge { job: JobId, agreement: AgreementId, node: NodeId, judged: Vec<Judged> },
    /// Have the stage's check look at the result of one run, or compare those of two. The answer is
    /// [`crate::Input::Checked`].
    Check { job: JobId, task: TaskId, runs: Vec<CheckedRun> },
    /// A step worth explaining.
    Note { job: JobId, note: JobNote },
    /// The job's state changed. Comes after every judgement that led to it.
    Changed { job: JobId, state: JobState },
    /// The market leaves the node alone until then.
    Rest { node: NodeId, until: Timestamp },
}

/// A run whose result is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedRun {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Which try.
    pub attempt: u32,
}

/// The judgement on one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// Which task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
    /// What it is worth.
    pub judgement: Judgement,
}

/// What a reported run is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// Its output is the task's result.
    Accepted,
    /// It has the same output as the accepted run: honest work, output not needed.
    Agreed,
    /// The run failed, and nothing says that the provider lied.
    Failed,
    /// Its output differs from the accepted one, or from what it had committed to.
    Rejected,
    /// The job ended before its output could be compared, or it came after the task was settled
    /// without one.
    Undecided,
}
