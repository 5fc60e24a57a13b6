//! The messages that are signed as typed data.

use super::{
    Keccak,
    typed::{Encoder, TypedData},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Hash, Micros, Timestamp};

/// What validators sign at the end of an epoch, and what a vault on a chain accepts from enough of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Checkpoint {
    /// The epoch that ended.
    pub epoch: u64,
    /// The struct hash of the checkpoint before; zero for the first.
    pub previous: Keccak,
    /// The root of all withdrawal claims ([`super::claims`]).
    pub root: Keccak,
    /// Their sum, in micros.
    pub total: u128,
    /// The number of the set of validators that signs.
    pub set_id: u64,
}

impl TypedData for Checkpoint {
    const TYPE: &'static str =
        "Checkpoint(uint64 epoch,bytes32 previous,bytes32 root,uint128 total,uint64 setId)";
    fn fields(&self, encoder: &mut Encoder) {
        encoder.integer(self.epoch.into());
        encoder.word(self.previous.as_bytes());
        encoder.word(self.root.as_bytes());
        encoder.integer(self.total);
        encoder.integer(self.set_id.into());
    }
}

/// What a consumer owes under an agreement so far. Each voucher stands for all before it, so only the
/// highest is ever settled, by the ledger or by an escrow contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voucher {
    /// The agreement, which names the escrow.
    pub agreement: Hash,
    /// The account that pays.
    pub payer: Hash,
    /// The account that is paid.
    pub payee: Hash,
    /// All that is owed since the escrow was opened.
    pub cumulative: Micros,
    /// The root over the receipts that this pays for; zero where none are named.
    pub receipts: Hash,
}

impl TypedData for Voucher {
    const TYPE: &'static str =
        "Voucher(bytes32 agreement,bytes32 payer,bytes32 payee,uint64 cumulative,bytes32 receipts)";
    fn fields(&self, encoder: &mut Encoder) {
        encoder.word(self.agreement.as_bytes());
        encoder.word(self.payer.as_bytes());
        encoder.word(self.payee.as_bytes());
        encoder.integer(self.cumulative.get().into());
        encoder.word(self.receipts.as_bytes());
    }
}

/// What an account with an Ethereum key signs to act on the ledger: the transaction's hash, and beside
/// it what a person can read. Whoever checks it makes the text anew from the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionText<'a> {
    /// The action in words, for example `Transfer 1.500000 credits to …`.
    pub action: &'a str,
    /// The account that acts.
    pub account: Hash,
    /// Its next number.
    pub nonce: u64,
    /// Until which block time it may be included, in milliseconds since 1970.
    pub valid_until: Timestamp,
    /// The transaction's hash, which covers all of it.
    pub transaction: Hash,
}

impl TypedData for TransactionText<'_> {
    const TYPE: &'static str =
        "Transaction(string action,bytes32 account,uint64 nonce,uint64 validUntil,bytes32 transaction)";
    fn fields(&self, encoder: &mut Encoder) {
        encoder.text(self.action);
        encoder.word(self.account.as_bytes());
        encoder.integer(self.nonce.into());
        encoder.integer(self.valid_until.as_millis().into());
        encoder.word(self.transaction.as_bytes());
    }
}

/// What a wallet signs once so that a device may act for it for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionKey {
    /// The account that lends its rights.
    pub account: Hash,
    /// The device's ed25519 key.
    pub key: [u8; 32],
    /// Which kinds of action it may sign, one bit each.
    pub scope: u64,
    /// How much it may move in all.
    pub cap: Micros,
    /// From when it may do nothing any more, in milliseconds since 1970.
    pub expiry: Timestamp,
}

impl TypedData for SessionKey {
    const TYPE: &'static str =
        "SessionKey(bytes32 account,bytes32 key,uint64 scope,uint64 cap,uint64 expiry)";
    fn fields(&self, encoder: &mut Encoder) {
        encoder.word(self.account.as_bytes());
        encoder.word(&self.key);
        encoder.integer(self.scope.into());
        encoder.integer(self.cap.get().into());
        encoder.integer(self.expiry.as_millis().into());
    }
}
