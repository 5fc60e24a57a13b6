//! Work between a consumer and a provider: one long-lived stream per pair carries all agreements.

use crate::frame::Message;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ledger::tab::Voucher;
use opensky_types::{
    AgreementId, Hash, Micros, Signed, TaskId,
    agreement::{Acceptance, Terms},
    reason::Misfit,
    receipt::{BatchHead, Countersignature},
    task::{Assignment, TaskReport},
};

/// Protocol name and version.
pub const PROTOCOL: &str = "/opensky/work/1";
/// Most tasks in one message.
pub const TASKS_MAX: usize = 1_024;

/// Consumer to provider.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ToProvider {
    /// These terms?
    Propose { terms: Signed<Terms> } = 0,
    /// Run these.
    Assign { agreement: AgreementId, tasks: Vec<Assignment> } = 1,
    /// Show the results that you committed to.
    Reveal { agreement: AgreementId, tasks: Vec<TaskId> } = 2,
    /// Stop these; their results are not wanted.
    Cancel { agreement: AgreementId, tasks: Vec<TaskId> } = 3,
    /// No more tasks will come; stop what runs.
    Close { agreement: AgreementId } = 4,
    /// I am back: send again what was not countersigned, and say what still runs.
    Resume { agreement: AgreementId } = 5,
    /// Your receipts, signed; with a voucher where they are paid for.
    Countersign { countersignature: Signed<Countersignature>, voucher: Option<Voucher> } = 6,
    /// Send this task's output as it is written, from the start; or stop doing so.
    Follow { agreement: AgreementId, task: TaskId, on: bool } = 7,
    /// Still here.
    Heartbeat = 8,
    /// Money is put aside for this, by my account's transaction of that number; so much is owed so far.
    Fund { agreement: AgreementId, nonce: u64, voucher: Option<Voucher> } = 9,
}

impl Message for ToProvider {
    const SIZE_BYTES_MAX: usize = 8 * 1024 * 1024;
}

/// Provider to consumer.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ToConsumer {
    /// Agreed.
    Accept { acceptance: Signed<Acceptance> } = 0,
    /// Not agreed.
    Refuse { agreement: AgreementId, misfit: Misfit } = 1,
    /// These ended, and this is the commitment to each result.
    Committed { agreement: AgreementId, commitments: Vec<Commitment> } = 2,
    /// Results with their receipts; report i belongs to receipt i of the batch.
    Results { agreement: AgreementId, engine: EngineUsed, reports: Vec<TaskReport>, head: Signed<BatchHead> } =
        3,
    /// What a followed task wrote.
    Output { agreement: AgreementId, task: TaskId, stderr: bool, bytes: Vec<u8> } = 4,
    /// How an agreement stands, every few seconds and after a resume: what is queued or runs.
    Standing { agreement: AgreementId, slots: u16, tasks: Vec<TaskId> } = 5,
    /// The provider ends the agreement; tasks without a result go elsewhere.
    Ended { agreement: AgreementId, misfit: Misfit } = 6,
    /// Still here.
    Heartbeat = 7,
    /// What you put aside is used up by half or more: work for so much was done.
    FundsLow { agreement: AgreementId, spent: Micros } = 8,
}

impl Message for ToConsumer {
    const SIZE_BYTES_MAX: usize = 16 * 1024 * 1024;
}

/// A commitment to one result.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Commitment {
    /// Which task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
    /// [`opensky_types::task::commitment`] of the result.
    pub hash: Hash,
}

/// Engine facts that all receipts of a message share.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct EngineUsed {
    /// Name and version.
    pub name: String,
    /// Configuration hash.
    pub config: Hash,
}
