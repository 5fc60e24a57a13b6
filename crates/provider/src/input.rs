//! What happens to a provider.

use crate::{
    effect::{BatchId, DeliveryId},
    gate::Reserved,
};
use opensky_types::{
    AgreementId, Micros, NodeId, TaskId, Timestamp,
    agreement::Terms,
    engine::Engine,
    limits::ContributionLimits,
    resources::{HardwareProfile, Readings, Usage},
    task::{Assignment, Failure, Outcome},
};

/// One try of one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskAttempt {
    /// Which task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
}

/// How one item of a batch ended, as the executor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEnd {
    /// The batch of the [`Effect::Run`](crate::Effect::Run).
    pub batch: BatchId,
    /// The item's position in that batch: the natural `WorkItem::key`.
    pub item: u32,
    /// How it ended. `Cancelled` where a [`Effect::Stop`](crate::Effect::Stop) came first.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// A fact for the core. `from` is the node that the message came from, as the transport proved.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The owner's limits, at start and whenever they change.
    Limits(ContributionLimits),
    /// What runs tasks here, at start and whenever that changes.
    Engines(Vec<Engine>),
    /// The machine, once it is known. Nothing is offered before limits, machine and a first reading.
    Hardware(HardwareProfile),
    /// How the machine is doing, every few seconds.
    Readings(Readings),
    /// Terms whose signature holds. A repetition is answered like the first time.
    Proposed { from: NodeId, agreement: AgreementId, terms: Box<Terms> },
    /// Tasks to run. A task and attempt already known is not run again.
    Assigned { from: NodeId, agreement: AgreementId, tasks: Vec<Assignment> },
    /// The program of an agreement is in the blob store.
    ProgramReady { agreement: AgreementId },
    /// It could not be fetched. All tasks waiting for it fail; the next assignment tries again.
    ProgramFailed { agreement: AgreementId, failure: Failure },
    /// All blobs that these tasks read are in the blob store.
    InputsReady { agreement: AgreementId, tasks: Vec<TaskAttempt> },
    /// A blob that a task reads could not be fetched.
    InputsFailed { agreement: AgreementId, task: TaskAttempt, failure: Failure },
    /// Items of batches ended: as many as have come in since the last call, since all that are told
    /// of together are delivered under one signature.
    Ended { ends: Vec<TaskEnd> },
    /// The consumer wants to see results that were committed to.
    Reveal { from: NodeId, agreement: AgreementId, tasks: Vec<TaskId> },
    /// The consumer no longer wants these.
    CancelTasks { from: NodeId, agreement: AgreementId, tasks: Vec<TaskId> },
    /// The consumer is done with the agreement.
    Close { from: NodeId, agreement: AgreementId },
    /// The consumer is back and asks where things stand.
    Resume { from: NodeId, agreement: AgreementId },
    /// The ledger shows that so much is put aside for an agreement, in all since it began.
    Funded { agreement: AgreementId, amount: Micros },
    /// The consumer signed the receipts of a delivery: its results need no longer be kept.
    Countersigned { from: NodeId, delivery: DeliveryId },
    /// A node is connected and ready. What it missed waits until it resumes each agreement.
    ConsumerUp { node: NodeId },
    /// The last connection to a node is gone.
    ConsumerLost { node: NodeId },
    /// Agreements that were held when the node last stopped, and what was earned under each; right after
    /// the engines when it starts.
    Restored { agreements: Vec<(AgreementId, Terms, Micros)> },
    /// Services on this node take so much of what its owner shares.
    Reserved(Reserved),
    /// The node shuts down: nothing new, and all that is open ends.
    Drain,
    /// Time has passed. Due about every 100 ms while agreements are open, every second otherwise.
    Tick,
}
