//! Tabs: what is owed under one agreement, as each of its two sides keeps it between visits to the ledger.
//!
//! With each batch of receipts that it accepts, the consumer signs a voucher for all that it owes so far;
//! the provider keeps the newest and settles with it when it suits. So a job of any size costs the ledger
//! an opening and a claim for each agreement, and claims of many agreements travel together.

mod payee;
mod payer;

pub use payee::{PayeeTab, Settling, VoucherProblem};
pub use payer::PayerTab;

use crate::{
    approval::Approval,
    escrow::{PayItem, VoucherStatement},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Hash, Keypair};

/// A consumer's signature under all that it owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Voucher {
    /// What is owed, and for which receipts.
    pub owed: PayItem,
    /// By the key that the escrow names.
    pub approval: Approval,
}

impl Voucher {
    /// Signs what the account of `key` owes to `payee`.
    pub fn sign(sky: Hash, key: &Keypair, payee: AccountId, owed: PayItem) -> Self {
        let statement = VoucherStatement::between(sky, AccountId::of_node(key.id()), payee, owed);
        Self { owed, approval: Approval::sign(key, &statement) }
    }
}

/// One side's tab.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Tab {
    /// Of the one who pays.
    Payer(PayerTab) = 0,
    /// Of the one who is paid.
    Payee(PayeeTab) = 1,
}
