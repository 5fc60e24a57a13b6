//! Rows that hang on a job.

use crate::file::Fault;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ports::journal::{TaskRun, Verdict};
use opensky_types::{
    Hash, Micros, NodeId, TaskId, Timestamp,
    job::{JobNote, JobSpec, JobState},
    resources::Usage,
    task::Outcome,
};

/// How a job stands; apart from its spec, which may be large and never changes.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct HeadRow {
    pub submitted_at: Timestamp,
    pub changed_at: Timestamp,
    pub state: JobState,
}

impl HeadRow {
    pub const VERSION: u8 = 1;
}

/// What was asked.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct SpecRow<S = JobSpec> {
    pub spec: S,
}

impl SpecRow {
    /// 2 added the budget, 3 the stages' rules.
    pub const VERSION: u8 = 3;
}

/// Steps noted together.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct NotesRow<N = Vec<JobNote>> {
    pub notes: N,
}

impl NotesRow {
    pub const VERSION: u8 = 1;
}

/// Runs judged together.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RunsRow<R = Vec<RunRow>> {
    pub runs: R,
}

impl RunsRow {
    /// 2 added the verdict, 3 the price.
    pub const VERSION: u8 = 3;
}

/// One run. `O` is `&Outcome` on the way in, so that nothing is copied.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RunRow<O = Outcome> {
    pub task: TaskId,
    pub attempt: u32,
    pub node: NodeId,
    pub outcome: O,
    pub usage: Usage,
    pub receipt: Option<Hash>,
    pub verdict: u8,
    pub price: Micros,
}

/// The payload of a [`RunsRow`] that borrows its runs.
pub(crate) fn runs_payload(runs: &[TaskRun]) -> RunsRow<Vec<RunRow<&Outcome>>> {
    RunsRow { runs: runs.iter().map(run_payload).collect() }
}

fn run_payload(run: &TaskRun) -> RunRow<&Outcome> {
    let TaskRun { task, attempt, node, outcome, usage, receipt, verdict, price } = run;
    RunRow {
        task: *task,
        attempt: *attempt,
        node: *node,
        outcome,
        usage: *usage,
        receipt: *receipt,
        verdict: verdict_code(*verdict),
        price: *price,
    }
}

impl TryFrom<RunRow> for TaskRun {
    type Error = Fault;

    fn try_from(row: RunRow) -> Result<Self, Fault> {
        let RunRow { task, attempt, node, outcome, usage, receipt, verdict, price } = row;
        Ok(Self { task, attempt, node, outcome, usage, receipt, verdict: verdict_of(verdict)?, price })
    }
}

/// The byte that stands for a verdict.
pub(crate) fn verdict_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Accepted => 0,
        Verdict::Agreed => 1,
        Verdict::Failed => 2,
        Verdict::Rejected => 3,
        Verdict::Undecided => 4,
    }
}

fn verdict_of(code: u8) -> Result<Verdict, Fault> {
    match code {
        0 => Ok(Verdict::Accepted),
        1 => Ok(Verdict::Agreed),
        2 => Ok(Verdict::Failed),
        3 => Ok(Verdict::Rejected),
        4 => Ok(Verdict::Undecided),
        _ => Err(Fault::Damaged("run")),
    }
}
