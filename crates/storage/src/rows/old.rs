//! Rows of older formats, for migrations.

use super::job::{RunRow, verdict_code};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ports::journal::Verdict;
use opensky_types::{
    Hash, Micros, NodeId, TaskId,
    job::{JobSpec, StageSpec},
    resources::Usage,
    task::Outcome,
};

/// One run as format 1 kept it: only runs that counted were kept, without a verdict.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RunRowV1 {
    pub task: TaskId,
    pub attempt: u32,
    pub node: NodeId,
    pub outcome: Outcome,
    pub usage: Usage,
    pub receipt: Option<Hash>,
}

/// One run as format 2 kept it, when all work was free.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct RunRowV2 {
    pub run: RunRowV1,
    pub verdict: u8,
}

/// A job's spec before there were budgets.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct SpecRowV1 {
    pub name: String,
    pub stages: Vec<StageSpec>,
    pub wait_ms: u64,
    pub deadline_ms: Option<u64>,
    pub seed: u64,
    pub durable: bool,
}

impl From<RunRowV1> for RunRowV2 {
    /// Format 1 kept a run when it was accepted or when it failed, and only then.
    fn from(run: RunRowV1) -> Self {
        let verdict = match run.outcome {
            Outcome::Exited(_) => Verdict::Accepted,
            Outcome::Failed { .. } => Verdict::Failed,
        };
        Self { run, verdict: verdict_code(verdict) }
    }
}

impl From<RunRowV2> for RunRow {
    fn from(RunRowV2 { run, verdict }: RunRowV2) -> Self {
        let RunRowV1 { task, attempt, node, outcome, usage, receipt } = run;
        Self { task, attempt, node, outcome, usage, receipt, verdict, price: Micros::ZERO }
    }
}

impl From<SpecRowV1> for JobSpec {
    fn from(old: SpecRowV1) -> Self {
        let SpecRowV1 { name, stages, wait_ms, deadline_ms, seed, durable } = old;
        Self { name, stages, wait_ms, deadline_ms, budget: None, seed, durable }
    }
}
