//! Reasons: why a node was not chosen, why a task moved, why a job waits. Machine-readable first;
//! `Display` is the sentence for people.

use crate::{
    job::{CheckDecision, Condition, LevelReason},
    key::NodeId,
    place::Level,
    resources::Limit,
    task::Failure,
    units::Micros,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// A test that an offer or a proposal did not pass.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize, thiserror::Error,
)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Misfit {
    /// It does not run this level.
    #[error("level not offered")]
    Level = 0,
    /// Wrong region.
    #[error("region")]
    Region = 1,
    /// Wrong kind.
    #[error("kind")]
    Kind = 2,
    /// Not among the named peers.
    #[error("not a named peer")]
    Peer = 3,
    /// Excluded by name.
    #[error("excluded by name")]
    Excluded = 4,
    /// Too few cores.
    #[error("too few cores")]
    Cores = 5,
    /// Too slow.
    #[error("score too low")]
    Score = 6,
    /// Too little machine memory.
    #[error("too little memory")]
    MachineMemory = 7,
    /// Too few GPUs.
    #[error("too few GPUs")]
    Gpu = 8,
    /// Too dear.
    #[error("price too high")]
    Price = 9,
    /// Wrong processor architecture.
    #[error("processor architecture")]
    Arch = 10,
    /// A task's limit is above what the provider allows.
    #[error("task {0} limit above what is allowed")]
    TaskLimit(Limit) = 11,
    /// Shares nothing now, for the reason its offer gives.
    #[error("not sharing now")]
    Closed = 12,
    /// All slots taken.
    #[error("no free slot")]
    Full = 13,
    /// The offer is out of date.
    #[error("offer expired")]
    Expired = 14,
    /// It refused or failed lately and is left alone for a while.
    #[error("resting after a refusal or failure")]
    Resting = 15,
    /// It already runs or ran a replica of this task.
    #[error("already has a replica")]
    AlreadyUsed = 16,
    /// It could not be asked.
    #[error("cannot be reached")]
    Unreachable = 17,
    /// The terms are not what it offers, or cannot be read.
    #[error("terms not acceptable")]
    Terms = 18,
    /// No money was put aside for it, or what was is used up.
    #[error("no money put aside")]
    Unfunded = 19,
    /// It does not take images from that registry.
    #[error("registry not allowed")]
    Registry = 20,
    /// It does not have the isolation that was asked for.
    #[error("isolation not offered")]
    Isolation = 21,
}

/// How many offers each test excluded, counted by the first test that an offer did not pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MisfitCounts {
    /// Offers looked at.
    pub offers: u32,
    /// Offers that fit.
    pub fitting: u32,
    /// Per misfit, in order, without zeros.
    pub excluded: Vec<(Misfit, u32)>,
}

impl std::fmt::Display for MisfitCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} nodes fit", self.fitting, self.offers)?;
        for (position, (misfit, count)) in self.excluded.iter().enumerate() {
            write!(f, "{}{count} {misfit}", if position == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

/// A step of a job worth explaining.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize, thiserror::Error)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Reason {
    /// No node fits, or none has a free slot; the stage waits.
    #[error("stage {stage} waits for a node: {counts}")]
    Waiting { stage: u16, counts: MisfitCounts } = 0,
    /// A provider agreed.
    #[error(
        "agreement with {node} for stage {stage}: {slots} slots (rank {rank} of {fitting} that fit, score {score})"
    )]
    Agreed { stage: u16, node: NodeId, slots: u16, rank: u32, fitting: u32, score: u32 } = 1,
    /// A provider said no.
    #[error("{node} refused stage {stage}: {misfit}")]
    Refused { stage: u16, node: NodeId, misfit: Misfit } = 2,
    /// A task was handed out.
    #[error("attempt {attempt} placed on {node}")]
    Placed { attempt: u32, node: NodeId } = 3,
    /// A run failed and the task goes elsewhere; as journals of older versions have it.
    #[error("attempt {attempt} on {node} failed: {failure}; trying elsewhere")]
    Retried { attempt: u32, node: NodeId, failure: Failure } = 4,
    /// A slow run got a second copy.
    #[error(
        "attempt {attempt} on {node} is slow ({elapsed_ms} ms, expected {expected_ms} ms); a second copy was started"
    )]
    Hedged { attempt: u32, node: NodeId, elapsed_ms: u64, expected_ms: u64 } = 5,
    /// A node was lost with tasks on it.
    #[error("{node} was lost with {tasks} tasks; they go elsewhere")]
    ProviderLost { node: NodeId, tasks: u32 } = 6,
    /// Replicas agreed.
    #[error("accepted: {agreeing} of {replicas} replicas agree")]
    Accepted { agreeing: u8, replicas: u8 } = 7,
    /// A replica had another answer than the accepted one.
    #[error("{node} answered differently from the {agreeing} replicas that agree; its result is rejected")]
    Outvoted { node: NodeId, agreeing: u8 } = 8,
    /// Replicas do not agree yet.
    #[error("{replicas} replicas gave {answers} different answers; asking one more node")]
    Disagreement { replicas: u8, answers: u8 } = 9,
    /// A provider's result was not what it had committed to.
    #[error("{node} showed a result that it had not committed to; rejected")]
    BrokenCommitment { node: NodeId } = 10,
    /// A task was drawn to be run again.
    #[error("drawn for a check by a second node")]
    AuditDrawn = 11,
    /// A task failed on too many nodes.
    #[error("failed on {nodes} different nodes, last: {failure}; the job stops")]
    Poisoned { nodes: u8, failure: Failure } = 12,
    /// Replicas never agreed.
    #[error("no {agree} of {replicas} replicas agree; the job stops")]
    NoQuorum { agree: u8, replicas: u8 } = 13,
    /// No node fitted in time.
    #[error("no node fitted stage {stage} within {waited_ms} ms: {counts}")]
    NobodyFits { stage: u16, waited_ms: u64, counts: MisfitCounts } = 14,
    /// The job's own end came.
    #[error("deadline of {deadline_ms} ms reached")]
    Deadline { deadline_ms: u64 } = 15,
    /// The owner stopped it.
    #[error("cancelled by its owner")]
    Cancelled = 16,
    /// The owner asked for another try.
    #[error("retried by its owner: {tasks} tasks run again")]
    RetriedByOwner { tasks: u32 } = 17,
    /// The node came back and the job goes on.
    #[error("resumed after a restart: {accepted} tasks already done")]
    Resumed { accepted: u32 } = 18,
    /// The job's outputs are all there.
    #[error("done: {tasks} tasks")]
    Done { tasks: u32 } = 19,
    /// Money was put aside for work of a node.
    #[error("{amount} put aside for stage {stage} on {node}")]
    PutAside { stage: u16, node: NodeId, amount: Micros } = 20,
    /// The account has too little for what the job still needs.
    #[error("{available} in the account, and work on {node} needs {needed} put aside; the job stops")]
    NoMoney { node: NodeId, available: Micros, needed: Micros } = 21,
    /// The owner's bound on what the job may cost leaves nothing for what it still needs.
    #[error("of the budget of {budget}, {bound} are spent or put aside; the job stops")]
    BudgetSpent { budget: Micros, bound: Micros } = 22,
    /// The ledger did not take the escrow.
    #[error("no money could be put aside for {node}: {problem}")]
    NotPutAside { node: NodeId, problem: String } = 23,
    /// A run failed and the task goes elsewhere: by its retry policy so often at most, and after this wait.
    #[error(
        "attempt {attempt} on {node} failed: {failure}; trying elsewhere {} (failure {count} of at most {count_max})",
        after(*.after_ms)
    )]
    TriedAgain { attempt: u32, node: NodeId, failure: Failure, count: u8, count_max: u8, after_ms: u64 } = 24,
    /// A run failed in a way that the stage's retry policy does not try again.
    #[error(
        "attempt {attempt} on {node} failed: {failure}; its retry policy does not try that again; the job stops"
    )]
    NotTriedAgain { attempt: u32, node: NodeId, failure: Failure } = 25,
    /// A condition of a stage does not hold, or nothing that it reads has a result.
    #[error("stage {stage} is skipped, {tasks} tasks: {}", skipped_since(.condition.as_ref()))]
    StageSkipped { stage: u16, tasks: u32, condition: Option<Condition> } = 26,
    /// All conditions of a stage hold.
    #[error("stage {stage} runs: its conditions hold")]
    StageRuns { stage: u16 } = 27,
    /// The task that it reads has no result for it.
    #[error("skipped: {}", task_skipped_since(.condition.as_ref()))]
    TaskSkipped { condition: Option<Condition> } = 28,
    /// A task of a stage that may fail has failed for good, and that is its result.
    #[error("failed on {node}: {failure}; the stage may fail, so the job goes on")]
    TaskFailed { node: NodeId, failure: Failure } = 29,
    /// The level of a stage was chosen by rule.
    #[error("stage {stage} runs as {level}, since {}", .because.sentence())]
    LevelChosen { stage: u16, level: Level, because: LevelReason } = 30,
    /// A result was looked at by the stage's check, or two were.
    #[error("{}", checked(.node, .other.as_ref(), *.decision, .message))]
    Checked { node: NodeId, other: Option<NodeId>, decision: CheckDecision, message: String } = 31,
}

fn skipped_since(condition: Option<&Condition>) -> String {
    condition.map_or_else(
        || "what it reads was skipped".into(),
        |condition| format!("it does not hold that {condition}"),
    )
}

fn task_skipped_since(condition: Option<&Condition>) -> String {
    condition.map_or_else(
        || "what it reads failed or was skipped".into(),
        |condition| format!("it does not hold that {condition}"),
    )
}

fn checked(node: &NodeId, other: Option<&NodeId>, decision: CheckDecision, message: &str) -> String {
    let what = match (other, decision) {
        (None, CheckDecision::Passed) => format!("the result of {node} passed its check"),
        (None, CheckDecision::Failed) => format!("the result of {node} did not pass its check; rejected"),
        (None, CheckDecision::Broken) => format!("the result of {node} could not be checked"),
        (Some(other), CheckDecision::Passed) => format!("the results of {node} and {other} are alike"),
        (Some(other), CheckDecision::Failed) => format!("the results of {node} and {other} are not alike"),
        (Some(other), CheckDecision::Broken) => {
            format!("the results of {node} and {other} could not be compared")
        }
    };
    if message.is_empty() { what } else { format!("{what}: {message}") }
}

/// How soon, in words.
fn after(after_ms: u64) -> String {
    match after_ms {
        0 => "at once".into(),
        ms if ms.is_multiple_of(1_000) => format!("in {} s", ms / 1_000),
        ms => format!("in {ms} ms"),
    }
}

impl Reason {
    /// Whether it says why a job ended without its results.
    pub const fn ends_job(&self) -> bool {
        matches!(
            self,
            Self::Poisoned { .. }
                | Self::NoQuorum { .. }
                | Self::NobodyFits { .. }
                | Self::Deadline { .. }
                | Self::Cancelled
                | Self::NoMoney { .. }
                | Self::BudgetSpent { .. }
                | Self::NotTriedAgain { .. }
        )
    }
}
