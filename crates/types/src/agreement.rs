//! Agreements: one stage of a job, one provider, fixed terms.

use crate::{
    hash::Hash,
    ids::{AgreementId, JobId},
    job::Program,
    key::NodeId,
    resources::TaskLimits,
    signed::{Signable, Signed},
    units::{Micros, Timestamp},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// The terms a consumer signs and proposes. Tasks are assigned under them later, as slots free.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Terms {
    /// The sky, by its genesis.
    pub sky: Hash,
    /// Who has the work; equals the signer.
    pub consumer: NodeId,
    /// Who is to do it.
    pub provider: NodeId,
    /// The job.
    pub job: JobId,
    /// Stage of the job, by position.
    pub stage: u16,
    /// What runs.
    pub program: Program,
    /// Seed of the job's deterministic randomness.
    pub seed: u64,
    /// Limits of each task.
    pub limits: TaskLimits,
    /// Most tasks that may run at a time.
    pub slots: u16,
    /// Price of one billion fuel; zero in a free sky.
    pub price_per_gfuel: Micros,
    /// How it is paid; none where it costs nothing.
    pub payment: Option<Payment>,
    /// Whether results are committed to before they are shown.
    pub commit_first: bool,
    /// How long finished work is kept and running work goes on while the consumer is away, in ms.
    pub orphan_grace_ms: u64,
    /// When the terms were made; with `nonce` it keeps equal agreements apart.
    pub made_at: Timestamp,
    /// Random.
    pub nonce: u64,
}

/// How work under an agreement is paid: out of an escrow that the consumer opens on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Payment {
    /// What the consumer puts aside at first.
    pub escrow: Micros,
    /// Until when work is done under it.
    pub expires_at: Timestamp,
    /// How long the consumer may object to what is claimed without its signature, in ms.
    pub claim_window_ms: u64,
}

impl Signable for Terms {
    const DOMAIN: &'static [u8; 16] = b"opensky/terms\0\0\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 128 * 1024;
}

impl Signed<Terms> {
    /// The agreement's id.
    pub fn agreement_id(&self) -> AgreementId {
        AgreementId::from_hash(self.content_hash())
    }
}

/// The provider's signature under an agreement.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Acceptance {
    /// The agreement.
    pub agreement: AgreementId,
    /// Slots granted, at most those asked for.
    pub slots: u16,
}

impl Signable for Acceptance {
    const DOMAIN: &'static [u8; 16] = b"opensky/accept\0\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 256;
}
