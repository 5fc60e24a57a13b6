//! Escrows: money that a consumer puts aside for one agreement, and what happens to it.
//!
//! All amounts under an agreement are cumulative: each voucher or claim says what is owed in all since
//! the escrow was opened. So none can be paid twice, a lost one is made good by the next, and only the
//! last needs to be settled. Nobody can hold money for ever: a consumer that is silent pays what was
//! claimed once the window has passed; a provider that is silent is not paid, and the rest goes back
//! when the escrow's time is over.

pub(crate) mod claims;
pub(crate) mod due;
pub(crate) mod open;
pub(crate) mod settle;
mod voucher;

pub use voucher::VoucherStatement;

use crate::{approval::Approval, purse::Purse};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, AgreementId, Hash, Micros, PublicKey, Timestamp};

/// Most agreements that one transaction settles.
pub const ITEMS_MAX: usize = 512;

/// How long after the end of an escrow audits of its work can be reported, in milliseconds.
pub const REPORT_MS: u64 = 60 * 60 * 1000;

/// Who took part in an agreement whose escrow was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Settled {
    /// Who paid.
    pub consumer: AccountId,
    /// Who worked.
    pub provider: AccountId,
}

/// What opens an escrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Opening {
    /// The hash of what was agreed.
    pub terms: Hash,
    /// Who works.
    pub provider: AccountId,
    /// The one key whose vouchers count. It stays when the consumer's keys change, so that a consumer
    /// can't take back what it signed.
    pub voucher_key: PublicKey,
    /// How much is put aside.
    pub amount: Micros,
    /// Until when work is done under it.
    pub expires_at: Timestamp,
    /// How long the consumer may object to a claim.
    pub claim_window_ms: u64,
}

/// The name of the agreement that `consumer` opens with its transaction of number `nonce`. No other
/// transaction makes the same name, so a voucher counts for one escrow only, and nobody can take the name
/// of another's.
pub fn id_of(terms: &Hash, consumer: &AccountId, nonce: u64) -> AgreementId {
    AgreementId::from_hash(Hash::of_value("opensky escrow 1", &(terms, consumer, nonce)))
}

/// The escrow of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Escrow {
    /// Who pays.
    pub consumer: AccountId,
    /// Who is paid.
    pub provider: AccountId,
    /// The one key whose vouchers count.
    pub voucher_key: PublicKey,
    /// Whether the provider has taken part, by a claim or by giving back: a consumer alone opens what it likes.
    pub accepted: bool,
    /// What is still put aside.
    pub held: Purse,
    /// What was paid so far.
    pub paid: Micros,
    /// What the consumer objected to so far.
    pub objected: Micros,
    /// The root over the receipts last paid for.
    pub receipts: Hash,
    /// The number of the last claim.
    pub sequence: u64,
    /// How long the consumer may object to a claim.
    pub claim_window_ms: u64,
    /// When it closes by itself; while a claim waits, that is when the claim's window has passed.
    pub closes_at: Timestamp,
}

/// What a consumer pays under one agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PayItem {
    /// The agreement.
    pub agreement: AgreementId,
    /// All that is owed since the escrow was opened.
    pub cumulative: Micros,
    /// The root over the receipts that this pays for.
    pub receipts: Hash,
}

/// What a provider asks for under one agreement.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ClaimItem {
    /// What is owed, and for which receipts.
    pub owed: PayItem,
    /// How many receipts.
    pub count: u32,
    /// Higher than any before, where the claim has to wait.
    pub sequence: u64,
    /// Whether nothing comes after it, so that the rest can go back.
    pub is_last: bool,
    /// The signature over the voucher, by the key that the escrow names. With it the claim is paid at once;
    /// without, when the window has passed.
    pub voucher: Option<Approval>,
}

/// A claim that waits for its window to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PendingClaim {
    /// All that the provider says is owed.
    pub cumulative: Micros,
    /// For which receipts.
    pub receipts: Hash,
    /// How many.
    pub count: u32,
    /// Its number.
    pub sequence: u64,
    /// Whether the escrow closes after it.
    pub is_last: bool,
    /// When it is paid.
    pub due_at: Timestamp,
}
