//! Receipts: readable fields beside the bytes that prove them.

use crate::usage::UsageView;
use opensky_types::{
    AgreementId, Hash, JobId, Micros, NodeId, TaskId, Timestamp,
    codec::{self, DecodeError},
    receipt::{ReceiptError, ReceiptProof, ReceiptStanding},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Largest canonical proof, in bytes: a receipt, 24 siblings, two signatures and the
/// countersignature's bits.
pub const PROOF_BYTES_MAX: usize = 3 * 1024 * 1024;

/// A receipt as shown and as kept in a file for `opensky verify`. Only `proof` counts; the other
/// fields are for people and are checked against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// The receipt's id.
    pub id: Hash,
    /// Who vouches for it.
    pub standing: StandingView,
    /// Who did the work.
    pub provider: NodeId,
    /// For whom.
    pub consumer: NodeId,
    /// The agreement.
    pub agreement: AgreementId,
    /// The job.
    pub job: JobId,
    /// The task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
    /// The program.
    pub program: Hash,
    /// The input.
    pub input: Hash,
    /// The result.
    pub output: Hash,
    /// Whether the program ran to its end.
    pub exited: bool,
    /// What it used.
    pub usage: UsageView,
    /// The price, in micros.
    pub price: Micros,
    /// Engine and version.
    pub engine: String,
    /// Hash of the engine's configuration.
    pub engine_config: Hash,
    /// Start on the provider's clock.
    pub started_at: Timestamp,
    /// End on the provider's clock.
    pub ended_at: Timestamp,
    /// The canonical bytes of the whole proof, in hex.
    pub proof: String,
}

/// Who vouches for a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StandingView {
    /// The provider alone.
    Claimed,
    /// The provider; the consumer saw it and did not accept it.
    Rejected,
    /// Provider and consumer.
    Accepted,
}

impl From<ReceiptStanding> for StandingView {
    fn from(standing: ReceiptStanding) -> Self {
        match standing {
            ReceiptStanding::Claimed => Self::Claimed,
            ReceiptStanding::Rejected => Self::Rejected,
            ReceiptStanding::Accepted => Self::Accepted,
        }
    }
}

/// Why a receipt file does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptViewError {
    /// `proof` is not hex.
    #[error("the field 'proof' is not hex")]
    NotHex(#[from] hex::FromHexError),
    /// `proof` is not a proof.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A signature or the path to the signed root is wrong.
    #[error(transparent)]
    Invalid(#[from] ReceiptError),
    /// The readable fields say something else than the proof.
    #[error("the readable fields were changed: they differ from what was signed")]
    Altered,
}

impl ReceiptView {
    /// Checks `proof` and shows it.
    pub fn from_proof(proof: &ReceiptProof) -> Result<Self, ReceiptError> {
        let standing = proof.verify()?.into();
        let receipt = &proof.receipt;
        Ok(Self {
            id: receipt.id(),
            standing,
            provider: receipt.provider,
            consumer: receipt.consumer,
            agreement: receipt.agreement,
            job: receipt.job,
            task: receipt.task,
            attempt: receipt.attempt,
            program: receipt.program,
            input: receipt.input,
            output: receipt.output,
            exited: receipt.exited,
            usage: receipt.usage.into(),
            price: receipt.price,
            engine: receipt.engine.clone(),
            engine_config: receipt.engine_config,
            started_at: receipt.started_at,
            ended_at: receipt.ended_at,
            proof: hex::encode(codec::encode(proof)),
        })
    }

    /// Checks everything, offline: the proof's signatures and path, and that the readable fields are
    /// what was signed.
    pub fn verify(&self) -> Result<ReceiptProof, ReceiptViewError> {
        let proof: ReceiptProof = codec::decode(&hex::decode(&self.proof)?, PROOF_BYTES_MAX)?;
        if Self::from_proof(&proof)? == *self { Ok(proof) } else { Err(ReceiptViewError::Altered) }
    }
}
