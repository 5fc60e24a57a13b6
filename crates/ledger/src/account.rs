//! Accounts: money, next number, keys.

use crate::purse::Purse;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Micros, PublicKey, Timestamp};

/// Most keys of an account.
pub const KEYS_MAX: usize = 16;

/// The money of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// The number that its next transaction must carry.
    pub nonce: u64,
    /// What it can spend.
    pub available: Purse,
    /// What an overdraft left it owing; its money pays this first.
    pub debt: Option<Debt>,
    /// Until when granted money may not be transferred.
    pub grant_locked_until: Timestamp,
}

/// What a request cost beyond what its consumer had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Debt {
    /// How much, above zero.
    pub amount: Micros,
    /// Whoever served the request, and gets it.
    pub creditor: AccountId,
}

impl Account {
    /// What it owes.
    pub fn owes(&self) -> Micros {
        self.debt.map_or(Micros::ZERO, |debt| debt.amount)
    }

    /// What it has less what it owes, in micros.
    pub fn balance(&self) -> i128 {
        i128::from(self.available.total().get()) - i128::from(self.owes().get())
    }

    /// Pays what it owes, as far as it has it: what is paid, to whom, and what stays. `None` if there is
    /// nothing to pay, or nothing to pay it with.
    pub fn repaid(mut self) -> Option<(Purse, AccountId, Self)> {
        let Debt { amount, creditor } = self.debt?;
        let paid = amount.min(self.available.total());
        let left = amount.checked_sub(paid)?;
        // Granted money pays debts first: it is worth less to its owner.
        let (taken, rest) = self.available.split(paid)?;
        self.available = rest;
        self.debt = (left > Micros::ZERO).then_some(Debt { amount: left, creditor });
        (!taken.is_empty()).then_some((taken, creditor, self))
    }
}

/// The keys of an account, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KeySet {
    /// In order, each once.
    pub keys: Vec<PublicKey>,
    /// From one to the number of keys.
    pub threshold: u8,
}

impl KeySet {
    /// Whether the keys are in order, each once, within the cap, and the threshold can be met.
    pub fn is_sound(&self) -> bool {
        self.keys.len() <= KEYS_MAX
            && self.keys.is_sorted_by(|one, next| one < next)
            && (1..=self.keys.len()).contains(&usize::from(self.threshold))
    }

    /// Whether enough of these keys are among `signers`.
    pub fn is_met_by(&self, signers: &[PublicKey]) -> bool {
        let signed = self.keys.iter().filter(|key| signers.contains(key)).count();
        signed >= usize::from(self.threshold)
    }
}

/// A device's right to act for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Session {
    /// The kinds of action it may sign, bit by bit.
    pub scope: u64,
    /// How much it may still move.
    pub left: Micros,
    /// From when it may do nothing any more.
    pub expires_at: Timestamp,
}

/// Whether `key` alone stands for `account` by its name.
pub fn is_first_key(account: &AccountId, key: &PublicKey) -> bool {
    AccountId::of_key(key) == *account
}
