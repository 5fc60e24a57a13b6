//! How jobs stand: lists, details, runs, notes.

use crate::{content::ContentView, job::VerifyView, usage::UsageView};
use opensky_types::{
    Hash, JobId, Micros, NodeId, TaskId, Timestamp,
    job::{JobNote, JobState},
    place::Level,
    reason::MisfitCounts,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateView {
    /// Nothing has run yet; nodes that fit are being looked for.
    Waiting,
    /// Tasks are running.
    Running,
    /// Every task has an accepted result.
    Succeeded,
    /// Stopped by a poisoned task, a deadline or no node that fits.
    Failed,
    /// Stopped by its owner.
    Cancelled,
}

impl StateView {
    /// Whether nothing more will happen unless the owner retries.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<JobState> for StateView {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Waiting => Self::Waiting,
            JobState::Running => Self::Running,
            JobState::Succeeded => Self::Succeeded,
            JobState::Failed => Self::Failed,
            JobState::Cancelled => Self::Cancelled,
        }
    }
}

/// The answer to a submission. The job is on disk if it was submitted as durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    /// Its id.
    pub job: JobId,
    /// Tasks in all.
    pub tasks: u64,
}

/// Tasks by where they are; the numbers add up to the count of tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskCounts {
    /// Not handed out: waiting for a slot, for inputs or for an earlier stage.
    pub waiting: u32,
    /// Handed out, running, or being compared with replicas.
    pub running: u32,
    /// With an accepted result.
    pub done: u32,
    /// Given up, or failed for good in a stage that may fail.
    pub failed: u32,
    /// Not to run, by a condition or because what they read has no result.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl TaskCounts {
    /// All of them.
    pub const fn total(&self) -> u32 {
        self.waiting + self.running + self.done + self.failed + self.skipped
    }

    /// The sum over stages.
    pub fn plus(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            running: self.running + other.running,
            done: self.done + other.done,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    /// How a stage with these tasks stands in a job of this state.
    pub const fn stage_state(&self, job: StateView) -> StageStateView {
        let is_over = self.waiting + self.running == 0;
        if self.skipped == self.total() {
            StageStateView::Skipped
        } else if is_over && self.failed == 0 {
            StageStateView::Succeeded
        } else if is_over {
            StageStateView::Failed
        } else if job.is_final() {
            if self.failed > 0 { StageStateView::Failed } else { StageStateView::Stopped }
        } else if self.running + self.done + self.failed > 0 {
            StageStateView::Running
        } else {
            StageStateView::Waiting
        }
    }
}

/// How a stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StageStateView {
    /// Nothing of it has run yet.
    Waiting,
    /// Tasks of it have run, and some are left.
    Running,
    /// Every task that was not skipped has its result.
    Succeeded,
    /// A task failed for good.
    Failed,
    /// None of its tasks is to run.
    Skipped,
    /// The job ended before it.
    Stopped,
}

impl StageStateView {
    /// The word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Stopped => "stopped",
        }
    }
}

/// A job in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobSummary {
    /// Its id.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: StateView,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it reached its state.
    pub changed_at: Timestamp,
    /// Its tasks.
    pub tasks: TaskCounts,
    /// Why it waits or ended, in a sentence; empty if there is nothing to say.
    pub reason: String,
}

/// Query of the list of jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct JobsQuery {
    /// Only jobs submitted before this moment (milliseconds since 1970): how to page on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// At most this many (1 to 1000); 50 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Jobs, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Jobs {
    /// They.
    pub jobs: Vec<JobSummary>,
}

/// A job in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobDetail {
    /// What the list says.
    #[serde(flatten)]
    pub summary: JobSummary,
    /// Seed of deterministic randomness and of the audit draw.
    pub seed: u64,
    /// Milliseconds that tasks wait for a node that fits.
    pub wait_ms: u64,
    /// Milliseconds after which the job is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Its stages, in order.
    pub stages: Vec<StageView>,
    /// Nodes that ran something, in order of id.
    pub nodes: Vec<JobNodeView>,
    /// Everything that all runs used, replicas and failed runs with it.
    pub usage: UsageView,
    /// What it cost so far, in micros.
    pub cost_micros: u64,
    /// Most that it may cost, in micros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_micros: Option<Micros>,
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageView {
    /// Its name.
    pub name: String,
    /// Its program.
    pub program: Hash,
    /// How it runs.
    pub level: Level,
    /// How results are checked.
    pub verify: VerifyView,
    /// How it stands.
    pub state: StageStateView,
    /// Its tasks.
    pub tasks: TaskCounts,
    /// Whether it is the last: no other stage reads its outputs.
    pub is_last: bool,
    /// Set while it waits for a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<MisfitCountsView>,
}

/// Why no node, or too few, could be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MisfitCountsView {
    /// Offers looked at.
    pub offers: u32,
    /// Offers that fit.
    pub fitting: u32,
    /// How many each constraint excluded.
    pub excluded: Vec<MisfitCountView>,
    /// All of it in a sentence.
    pub sentence: String,
}

/// Offers that one constraint excluded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MisfitCountView {
    /// The constraint, in words.
    pub constraint: String,
    /// How many offers.
    pub offers: u32,
}

impl From<&MisfitCounts> for MisfitCountsView {
    fn from(counts: &MisfitCounts) -> Self {
        let excluded = counts
            .excluded
            .iter()
            .map(|(misfit, offers)| MisfitCountView { constraint: misfit.to_string(), offers: *offers });
        Self {
            offers: counts.offers,
            fitting: counts.fitting,
            excluded: excluded.collect(),
            sentence: counts.to_string(),
        }
    }
}

/// What one node did for a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobNodeView {
    /// Who.
    pub node: NodeId,
    /// Runs whose result was taken.
    pub accepted: u32,
    /// Runs that confirmed a result.
    pub agreed: u32,
    /// Runs that failed.
    pub failed: u32,
    /// Runs that were outvoted.
    pub rejected: u32,
    /// What they used in all.
    pub usage: UsageView,
    /// What they cost, in micros.
    pub cost_micros: u64,
}

/// How a run was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictView {
    /// Its result is the task's result.
    Accepted,
    /// It agrees with the accepted result.
    Agreed,
    /// It failed.
    Failed,
    /// It differs from the accepted result, or broke its commitment.
    Rejected,
    /// The job ended before it could be compared.
    Undecided,
}

/// Query of a job's runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct RunsQuery {
    /// [`Runs::next`] of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most this many (1 to 1000); 100 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only runs judged so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<VerdictView>,
    /// Only runs of this task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Only runs of tasks of this stage, by position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<u16>,
}

/// A page of runs, in the order they were judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Runs {
    /// They.
    pub runs: Vec<RunView>,
    /// Where the next page starts; absent at the end. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One run of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// Which task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
    /// Who ran it.
    pub node: NodeId,
    /// How it was judged.
    pub verdict: VerdictView,
    /// Whether the result that was accepted is that the task failed: in a stage that may fail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Its exit code, if it ran to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Why it did not, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The hash that replicas are compared by.
    pub output: Hash,
    /// Standard output, kept for failed runs too.
    pub stdout: ContentView,
    /// Standard error.
    pub stderr: ContentView,
    /// Files under `/out`, in order of path.
    pub files: Vec<FileView>,
    /// What it used.
    pub usage: UsageView,
    /// Its receipt, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Hash>,
}

/// A file that a task left under `/out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileView {
    /// Its path below `/out`, with `/` between parts. Chosen by the program: never trust it.
    pub path: String,
    /// What is in it.
    #[serde(flatten)]
    pub content: ContentView,
}

/// Query of a job's notes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct NotesQuery {
    /// Only notes about this task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
}

/// What was noted, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notes {
    /// They.
    pub notes: Vec<NoteView>,
}

/// A step worth explaining.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoteView {
    /// When.
    pub at: Timestamp,
    /// The task, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// What kind of step, for programs: `placed`, `retried`, `waiting`, …
    pub kind: String,
    /// What happened and why, in a sentence.
    pub sentence: String,
    /// The node, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
}

impl From<&JobNote> for NoteView {
    fn from(note: &JobNote) -> Self {
        let (kind, node) = crate::event::kind_of(&note.reason);
        Self { at: note.at, task: note.task, kind: kind.into(), sentence: note.reason.to_string(), node }
    }
}
