//! Receipts: the signed record of one run, checkable by anyone, offline, one by one.

mod batch;

pub use batch::{Batch, BatchError};

use crate::{
    agreement::Terms,
    hash::{Context, Hash},
    ids::{AgreementId, JobId, TaskId},
    key::NodeId,
    merkle,
    resources::Usage,
    signed::{Signable, Signed, SignedError},
    task::{Outcome, TaskReport},
    units::{Micros, Timestamp},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// What a provider states about one run (spec V2).
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// The agreement it was done under.
    pub agreement: AgreementId,
    /// Who did it.
    pub provider: NodeId,
    /// For whom.
    pub consumer: NodeId,
    /// The job.
    pub job: JobId,
    /// The task.
    pub task: TaskId,
    /// Which try of it.
    pub attempt: u32,
    /// The program, by hash.
    pub program: Hash,
    /// The input, as [`crate::task::TaskInput::hash`].
    pub input: Hash,
    /// The result, as [`crate::task::Outcome::hash`].
    pub output: Hash,
    /// Whether the program ran to its end.
    pub exited: bool,
    /// What it used.
    pub usage: Usage,
    /// Price under the agreement.
    pub price: Micros,
    /// Engine name and version, such as `wasmtime 48.0.8`.
    pub engine: String,
    /// Hash of the engine's configuration.
    pub engine_config: Hash,
    /// Start on the provider's clock.
    pub started_at: Timestamp,
    /// End on the provider's clock.
    pub ended_at: Timestamp,
}

/// Fuel that one unit of a price buys.
const GFUEL: u128 = 1_000_000_000;

impl Receipt {
    /// The receipt of a run under `terms`. Both sides build it from the same report, so that it need
    /// not travel. `engine` is its name and configuration hash; `hashes` are those of what the task
    /// read and of its outcome.
    pub fn of(
        agreement: AgreementId,
        terms: &Terms,
        engine: (&str, Hash),
        (input, output): (Hash, Hash),
        report: &TaskReport,
    ) -> Self {
        Self {
            agreement,
            provider: terms.provider,
            consumer: terms.consumer,
            job: terms.job,
            task: report.task,
            attempt: report.attempt,
            program: terms.program.hash,
            input,
            output,
            exited: matches!(report.outcome, Outcome::Exited(_)),
            usage: report.usage,
            price: run_price(&report.outcome, report.usage.fuel, terms.price_per_gfuel),
            engine: engine.0.to_owned(),
            engine_config: engine.1,
            started_at: report.started_at,
            ended_at: report.ended_at,
        }
    }

    /// The receipt's id and Merkle leaf.
    pub fn id(&self) -> Hash {
        static CONTEXT: Context = Context::new("opensky receipt 1");
        CONTEXT.hash(self)
    }
}

/// The price of one run, rounded up to whole micros so that small tasks are not free, and capped rather than
/// wrapped. Only runs that the program itself brought to an end cost anything.
pub fn run_price(outcome: &Outcome, fuel: u64, price_per_gfuel: Micros) -> Micros {
    let is_due = match outcome {
        Outcome::Exited(_) => true,
        Outcome::Failed { failure, .. } => failure.is_programs_fault(),
    };
    if is_due { fuel_price(fuel, price_per_gfuel) } else { Micros::ZERO }
}

/// The price of so much fuel, rounded up to whole micros.
pub fn fuel_price(fuel: u64, price_per_gfuel: Micros) -> Micros {
    let micros = (u128::from(fuel) * u128::from(price_per_gfuel.get())).div_ceil(GFUEL);
    Micros::new(u64::try_from(micros).unwrap_or(u64::MAX))
}

/// What a provider signs once for many receipts.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BatchHead {
    /// The provider; equals the signer.
    pub provider: NodeId,
    /// The consumer that all receipts of the batch are for.
    pub consumer: NodeId,
    /// Merkle root over the receipts' ids.
    pub root: Hash,
    /// Number of receipts.
    pub count: u32,
    /// When it was signed.
    pub signed_at: Timestamp,
}

impl Signable for BatchHead {
    const DOMAIN: &'static [u8; 16] = b"opensky/receipts";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 256;
}

/// The consumer's signature under the receipts of a batch that it accepted.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Countersignature {
    /// The batch, by its root.
    pub root: Hash,
    /// Bit i (lowest first) set: receipt i is accepted.
    pub accepted: Vec<u8>,
}

impl Signable for Countersignature {
    const DOMAIN: &'static [u8; 16] = b"opensky/countsig";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 2 * 1024 * 1024 + 64;
}

impl Countersignature {
    /// Whether receipt `index` of the batch is accepted.
    pub fn accepts(&self, index: u32) -> bool {
        self.accepted.get(index as usize / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

/// One receipt with all that is needed to check it offline.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReceiptProof {
    /// The receipt.
    pub receipt: Receipt,
    /// Its place in the batch.
    pub index: u32,
    /// Siblings up to the root.
    pub siblings: Vec<Hash>,
    /// The provider's signature over the batch.
    pub head: Signed<BatchHead>,
    /// The consumer's, once it accepted.
    pub countersignature: Option<Signed<Countersignature>>,
}

/// Why a receipt does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// A signature is wrong.
    #[error(transparent)]
    Signature(#[from] SignedError),
    /// The batch was signed by another node than the receipt names.
    #[error("the batch is signed by {signer}, but the receipt names {named}")]
    WrongSigner { signer: NodeId, named: NodeId },
    /// The receipt is not in the signed batch.
    #[error("the receipt is not part of the signed batch")]
    NotInBatch,
    /// The consumer signed another batch.
    #[error("the countersignature is for another batch")]
    WrongBatch,
}

/// What a valid proof shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptStanding {
    /// Signed by the provider alone.
    Claimed,
    /// The consumer saw the batch and did not accept this receipt.
    Rejected,
    /// Signed by the provider and accepted by the consumer.
    Accepted,
}

impl ReceiptProof {
    /// Checks both signatures and the path from the receipt to the signed root.
    pub fn verify(&self) -> Result<ReceiptStanding, ReceiptError> {
        let head = self.head.verify()?;
        let named = self.receipt.provider;
        if self.head.signer() != named || head.provider != named || head.consumer != self.receipt.consumer {
            return Err(ReceiptError::WrongSigner { signer: self.head.signer(), named });
        }
        if !merkle::verify(&head.root, head.count, self.index, &self.receipt.id(), &self.siblings) {
            return Err(ReceiptError::NotInBatch);
        }
        let Some(signed) = &self.countersignature else { return Ok(ReceiptStanding::Claimed) };
        let countersignature = signed.verify()?;
        if signed.signer() != self.receipt.consumer {
            return Err(ReceiptError::WrongSigner { signer: signed.signer(), named: self.receipt.consumer });
        }
        if countersignature.root != head.root {
            return Err(ReceiptError::WrongBatch);
        }
        Ok(if countersignature.accepts(self.index) {
            ReceiptStanding::Accepted
        } else {
            ReceiptStanding::Rejected
        })
    }
}
