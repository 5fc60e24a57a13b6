//! How jobs and tasks stand, for people.

use opensky_types::{AgreementId, NodeId, TaskId, Timestamp, job::JobState, reason::MisfitCounts};

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// Its state.
    pub state: JobState,
    /// When it was submitted or last retried.
    pub started_at: Timestamp,
    /// Its stages, in order.
    pub stages: Vec<StageView>,
    /// Nodes with agreements or runs, in order of node.
    pub nodes: Vec<NodeRuns>,
}

/// A stage. `total` = `blocked` + `waiting` + `running` + `accepted` + `failed` + `skipped`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageView {
    /// Tasks.
    pub total: u32,
    /// Tasks whose inputs are not there yet.
    pub blocked: u32,
    /// Tasks that could run and do not.
    pub waiting: u32,
    /// Tasks with at least one run handed out or not yet judged.
    pub running: u32,
    /// Tasks with a result.
    pub accepted: u32,
    /// Tasks that failed for good: they stopped the job, unless the stage may fail.
    pub failed: u32,
    /// Tasks that are not to run.
    pub skipped: u32,
    /// Runs handed out so far.
    pub attempts: u64,
    /// Live agreements.
    pub agreements: u32,
    /// Why it waits: the market's last answer, while nothing of it can be placed.
    pub waiting_for: Option<MisfitCounts>,
}

/// What one node does for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeRuns {
    /// The node.
    pub node: NodeId,
    /// Slots agreed.
    pub slots: u32,
    /// Runs handed out and not ended.
    pub running: u32,
    /// Results of this job accepted from it since the start or restart of this node.
    pub accepted: u64,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    /// The task.
    pub task: TaskId,
    /// How it stands.
    pub state: TaskState,
    /// Runs handed out since the start or restart of this node.
    pub attempts: u32,
    /// Runs handed out and not ended.
    pub runs: Vec<RunView>,
    /// Answers gathered and not decided on.
    pub answers: u32,
    /// Nodes on which it failed by its own fault.
    pub failed_on: Vec<NodeId>,
}

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunView {
    /// Under which agreement.
    pub agreement: AgreementId,
    /// Where.
    pub node: NodeId,
    /// Which try.
    pub attempt: u32,
    /// Since when it is handed out.
    pub since: Timestamp,
}

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    /// Its inputs are not there yet.
    Blocked,
    /// It could run and does not.
    Waiting,
    /// At least one run is handed out or not judged.
    Running,
    /// It has a result.
    Accepted,
    /// It failed for good, which stopped the job, unless its stage may fail.
    Failed,
    /// It is not to run.
    Skipped,
}
