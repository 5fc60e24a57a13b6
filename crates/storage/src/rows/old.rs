//! Rows of older formats, for migrations.

use super::job::{RunRow, SpecRow, verdict_code};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ports::journal::Verdict;
use opensky_types::{
    Hash, Micros, NodeId, TaskId,
    job::{JobSpec, LevelReason, Program, Retry, StageInputs, StageSpec, Verify},
    offer::Constraints,
    resources::{TaskLimits, Usage},
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
    pub stages: Vec<StageRowV2>,
    pub wait_ms: u64,
    pub deadline_ms: Option<u64>,
    pub seed: u64,
    pub durable: bool,
}

/// A job's spec before stages had rules for retries.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct SpecRowV2 {
    pub name: String,
    pub stages: Vec<StageRowV2>,
    pub wait_ms: u64,
    pub deadline_ms: Option<u64>,
    pub budget: Option<Micros>,
    pub seed: u64,
    pub durable: bool,
}

/// A stage of these.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct StageRowV2 {
    pub name: String,
    pub program: Program,
    pub inputs: StageInputs,
    pub after: Vec<u16>,
    pub limits: TaskLimits,
    pub constraints: Constraints,
    pub verify: Verify,
    pub failures_max: u8,
    pub accept_any_exit: bool,
    pub hedge: bool,
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

impl From<SpecRowV1> for SpecRowV2 {
    fn from(old: SpecRowV1) -> Self {
        let SpecRowV1 { name, stages, wait_ms, deadline_ms, seed, durable } = old;
        Self { name, stages, wait_ms, deadline_ms, budget: None, seed, durable }
    }
}

impl From<SpecRowV2> for SpecRow {
    fn from(old: SpecRowV2) -> Self {
        let SpecRowV2 { name, stages, wait_ms, deadline_ms, budget, seed, durable } = old;
        let stages = stages.into_iter().map(StageSpec::from).collect();
        Self { spec: JobSpec { name, stages, wait_ms, deadline_ms, budget, seed, durable } }
    }
}

impl From<StageRowV2> for StageSpec {
    fn from(old: StageRowV2) -> Self {
        Self {
            name: old.name,
            program: old.program,
            level_reason: LevelReason::Given,
            check: None,
            inputs: old.inputs,
            after: old.after,
            limits: old.limits,
            constraints: old.constraints,
            verify: old.verify,
            failures_max: old.failures_max,
            retry: Retry::default(),
            when: Vec::new(),
            may_fail: false,
            accept_any_exit: old.accept_any_exit,
            hedge: old.hedge,
        }
    }
}

/// What versions before stages had such rules would have written of a job that uses none.
#[cfg(test)]
impl From<JobSpec> for SpecRowV2 {
    fn from(spec: JobSpec) -> Self {
        let stage = |stage: StageSpec| StageRowV2 {
            name: stage.name,
            program: stage.program,
            inputs: stage.inputs,
            after: stage.after,
            limits: stage.limits,
            constraints: stage.constraints,
            verify: stage.verify,
            failures_max: stage.failures_max,
            accept_any_exit: stage.accept_any_exit,
            hedge: stage.hedge,
        };
        let JobSpec { name, stages, wait_ms, deadline_ms, budget, seed, durable } = spec;
        let stages = stages.into_iter().map(stage).collect();
        Self { name, stages, wait_ms, deadline_ms, budget, seed, durable }
    }
}
