//! What happens to a job, as it happens, and logs.

use crate::progress::{NoteView, StateView, TaskCounts};
use opensky_types::{NodeId, Timestamp, reason::Reason};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One server-sent event of a job: the SSE field `event` is the tag, `data` this JSON, and `id` a
/// number that grows. A client that reconnects with `Last-Event-ID` gets what it missed or, where
/// that is no longer kept, a fresh `job` and `progress`. The stream starts with these two and ends
/// after a `job` whose state is final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum JobEvent {
    /// The job's state changed.
    Job {
        state: StateView,
        at: Timestamp,
        /// Why, in a sentence; may be empty.
        reason: String,
    },
    /// Tasks moved. Sent at most a few times a second.
    Progress {
        /// Per stage, in order.
        stages: Vec<TaskCounts>,
    },
    /// A step worth explaining.
    Note(NoteView),
    /// A kind of event that this client does not know yet.
    #[serde(other)]
    Unknown,
}

impl JobEvent {
    /// The SSE field `event`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Job { .. } => "job",
            Self::Progress { .. } => "progress",
            Self::Note(_) => "note",
            Self::Unknown => "unknown",
        }
    }
}

/// Which output of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StreamView {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Query of a task's log. The answer is the bytes of one stream, exactly as written; of a task that
/// still runs, with `follow`, as they come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Which output.
    pub stream: StreamView,
    /// Whether to stay until the task ends.
    pub follow: bool,
    /// How many of its first bytes to leave out: a reader that comes back says how many it has.
    #[serde(skip_serializing_if = "is_zero")]
    pub after: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Default for LogQuery {
    fn default() -> Self {
        Self { stream: StreamView::Stdout, follow: false, after: 0 }
    }
}

/// Query of the node's own log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FollowQuery {
    /// Whether to stay.
    pub follow: bool,
    /// Lines of the past, at most 10,000; 100 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u32>,
    /// Instead of `lines`: the place in the file to begin at, in bytes. A WebSocket says where it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// Query of a stream of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AfterQuery {
    /// The `id` of the last event that came: the stream goes on after it. As `Last-Event-ID`, which not every
    /// client can send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A reason's word and the node it names.
pub(crate) fn kind_of(reason: &Reason) -> (&'static str, Option<NodeId>) {
    match reason {
        Reason::Waiting { .. } => ("waiting", None),
        Reason::Agreed { node, .. } => ("agreed", Some(*node)),
        Reason::Refused { node, .. } => ("refused", Some(*node)),
        Reason::Placed { node, .. } => ("placed", Some(*node)),
        Reason::Retried { node, .. } => ("retried", Some(*node)),
        Reason::Hedged { node, .. } => ("hedged", Some(*node)),
        Reason::ProviderLost { node, .. } => ("provider-lost", Some(*node)),
        Reason::Accepted { .. } => ("accepted", None),
        Reason::Outvoted { node, .. } => ("outvoted", Some(*node)),
        Reason::Disagreement { .. } => ("disagreement", None),
        Reason::BrokenCommitment { node } => ("broken-commitment", Some(*node)),
        Reason::AuditDrawn => ("audit-drawn", None),
        Reason::Poisoned { .. } => ("poisoned", None),
        Reason::NoQuorum { .. } => ("no-quorum", None),
        Reason::NobodyFits { .. } => ("nobody-fits", None),
        Reason::Deadline { .. } => ("deadline", None),
        Reason::Cancelled => ("cancelled", None),
        Reason::RetriedByOwner { .. } => ("retried-by-owner", None),
        Reason::Resumed { .. } => ("resumed", None),
        Reason::Done { .. } => ("done", None),
        Reason::PutAside { node, .. } => ("put-aside", Some(*node)),
        Reason::NoMoney { node, .. } => ("no-money", Some(*node)),
        Reason::BudgetSpent { .. } => ("budget-spent", None),
        Reason::NotPutAside { node, .. } => ("not-put-aside", Some(*node)),
        Reason::TriedAgain { node, .. } => ("retried", Some(*node)),
        Reason::NotTriedAgain { node, .. } => ("not-retried", Some(*node)),
        Reason::StageSkipped { .. } | Reason::TaskSkipped { .. } => ("skipped", None),
        Reason::StageRuns { .. } => ("condition-holds", None),
        Reason::TaskFailed { node, .. } => ("failed", Some(*node)),
        Reason::LevelChosen { .. } => ("level-chosen", None),
        Reason::Checked { node, .. } => ("checked", Some(*node)),
    }
}
