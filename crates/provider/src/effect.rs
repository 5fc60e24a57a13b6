//! What a provider wants done.

use crate::input::TaskAttempt;
use opensky_types::{
    AgreementId, Hash, Micros, NodeId, TaskId,
    agreement::{Acceptance, Terms},
    engine::Engine,
    job::Blob,
    reason::Misfit,
    receipt::Receipt,
    resources::TaskLimits,
    task::{TaskInput, TaskReport},
};
use std::sync::Arc;

/// Names a batch of tasks handed to the executor; never used twice in the life of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Names results that are delivered under one signature; never used twice in the life of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub u64);

/// One task of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunItem {
    /// Which try of which task.
    pub task: TaskAttempt,
    /// What it reads.
    pub input: TaskInput,
}

/// The blobs that one task reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedInput {
    /// Which try of which task.
    pub task: TaskAttempt,
    /// Its blobs, at least one.
    pub blobs: Vec<Blob>,
}

/// A commitment to one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Which try of which task.
    pub task: TaskAttempt,
    /// [`opensky_types::task::commitment`] of the result.
    pub hash: Hash,
}

/// The part of an offer that the provider decides; the node adds who, where, when and the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferDraft {
    /// What runs tasks.
    pub engines: Vec<Engine>,
    /// Most tasks at a time; 0 while nothing is shared.
    pub slots_total: u16,
    /// Of those, how many no agreement holds.
    pub slots_free: u16,
    /// The largest limits for one task.
    pub task_limits_max: TaskLimits,
    /// Price of one billion fuel.
    pub price_per_gfuel: Micros,
    /// Why nothing is free: `paused`, `outside-hours`, `in-use`, `hot`, `low-memory`, `low-disk`,
    /// `starting`, `stopping` or `full`; empty otherwise.
    pub note: &'static str,
}

/// An order for the node. Carried out in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Put the agreement into the journal. Comes before its `Accept`.
    Hold { agreement: AgreementId, terms: Box<Terms> },
    /// The agreement is over: strike it from the journal, unpin its blobs, give up its fetches.
    Release { agreement: AgreementId },
    /// Sign and send.
    Accept { to: NodeId, acceptance: Acceptance },
    /// Say no to a proposal.
    Refuse { to: NodeId, agreement: AgreementId, misfit: Misfit },
    /// Say that an agreement is over, or unknown (`Misfit::Terms`); tasks without a result go
    /// elsewhere.
    End { to: NodeId, agreement: AgreementId, misfit: Misfit },
    /// Fetch and pin the program; answered by `ProgramReady` or `ProgramFailed`.
    FetchProgram { agreement: AgreementId, from: NodeId, program: Blob },
    /// Fetch and pin inputs; each task is answered by `InputsReady` or `InputsFailed`.
    FetchInputs { agreement: AgreementId, from: NodeId, inputs: Vec<FetchedInput> },
    /// Run these on one slot, in order; each item is answered by an end, whatever happens. Program,
    /// seed and limits are those of the terms. The GPUs, by their places among those of the machine, are its own.
    Run { batch: BatchId, agreement: AgreementId, terms: Arc<Terms>, items: Vec<RunItem>, gpus: Vec<u8> },
    /// Cancel a batch; its items still end, as cancelled if nothing else.
    Stop { batch: BatchId },
    /// Send commitments.
    Commit { to: NodeId, agreement: AgreementId, commitments: Vec<Committed> },
    /// Sign the receipts as one batch, journal them, send them with the reports. Receipt i belongs
    /// to report i. With `again`, this delivery was ordered before and is the same, bit for bit.
    Deliver {
        delivery: DeliveryId,
        to: NodeId,
        agreement: AgreementId,
        engine: Engine,
        reports: Arc<Vec<TaskReport>>,
        receipts: Vec<Receipt>,
        again: bool,
    },
    /// Say what is queued or runs.
    Standing { to: NodeId, agreement: AgreementId, slots: u16, tasks: Vec<TaskId> },
    /// Say that half of the money is used up, or more.
    FundsLow { to: NodeId, agreement: AgreementId, spent: Micros },
    /// Results were dropped unaccepted, since too many bytes of them were kept. For the log.
    Dropped { agreement: AgreementId, tasks: Vec<TaskAttempt> },
    /// A consumer broke the protocol, and its agreement ended: drop the peer.
    Breach { by: NodeId, agreement: AgreementId, what: &'static str },
    /// What [`Provider::offer`](crate::Provider::offer) says has changed enough to tell the sky.
    OfferChanged,
}
