//! Machines: found again by three of their five parts, and what their accounts owe with them (spec N5,
//! N6, V7).
//!
//! A machine is indexed by every three of its parts together ([`Fingerprint::triples`]), at most ten
//! of them. Two fingerprints have three parts in common exactly if they have a triple in common, so a
//! lookup is ten point reads, and an index entry names one machine, ever. An index by single parts
//! would have to hold lists: thousands of machines share a processor's id, and whoever copied single
//! parts of others could fill the lists of their victims.
//!
//! All of this is what a machine says of itself. Honest programs tell the truth; for the others a new
//! identity costs what the puzzle costs ([`crate::puzzle`]), no less and no more. Copying a machine's
//! whole fingerprint gains nothing: the copier gets no grant, and no overdraft while an account of the
//! copied machine owes something.

mod act;
mod fingerprint;

pub(crate) use act::{debtor_beside, machine_of, register};

pub use fingerprint::{
    COMPONENTS, ComponentKind, Fingerprint, FingerprintError, MATCH_MIN, STRETCH_ROUNDS, TRIPLES, Triple,
    hash_component,
};

use crate::puzzle::Solution;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Micros, Timestamp};

/// The number of a machine: they count from zero in the order of their registration.
pub type MachineNumber = u64;

/// Most accounts that a machine stands for.
pub const ACCOUNTS_MAX: usize = 8;
/// How often new parts of a machine are added to what finds it.
pub const CHANGES_MAX: u8 = 16;

/// The one grant of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StarterGrant {
    /// How much; nothing where the genesis switches it off.
    pub amount: Micros,
    /// How long it can't be transferred.
    pub locked_ms: u64,
}

impl Default for StarterGrant {
    fn default() -> Self {
        Self { amount: Micros::new(100_000), locked_ms: 24 * 60 * 60 * 1000 }
    }
}

impl StarterGrant {
    /// No grant.
    pub const OFF: Self = Self { amount: Micros::ZERO, locked_ms: 0 };
}

/// What registers a machine.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Registration {
    /// The machine's parts.
    pub fingerprint: Fingerprint,
    /// Whether it is a virtual machine.
    pub is_virtual: bool,
    /// The solved puzzle.
    pub solution: Solution,
}

/// A registered machine.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Machine {
    /// Its parts when they were last registered.
    pub fingerprint: Fingerprint,
    /// Whether it says that it is a virtual machine.
    pub is_virtual: bool,
    /// When it was first registered.
    pub registered_at: Timestamp,
    /// How often its parts changed.
    pub changes: u8,
    /// The accounts it stands for, oldest first, each once.
    pub accounts: Vec<AccountId>,
}

/// What a registration finds in the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No machine has three of these parts.
    New,
    /// This one has.
    Known(MachineNumber),
}

/// The machine stands for as many accounts as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the machine stands for {ACCOUNTS_MAX} accounts already")]
pub struct MachineFull;

/// Which machine a fingerprint belongs to. `owner_of` reads the index: one read for each triple.
///
/// If its triples lead to several machines, the one that most of them lead to is found, and of equals
/// the one registered first.
pub fn find<E>(
    fingerprint: &Fingerprint,
    mut owner_of: impl FnMut(&Triple) -> Result<Option<MachineNumber>, E>,
) -> Result<Found, E> {
    let mut owners = Vec::with_capacity(TRIPLES);
    for triple in fingerprint.triples() {
        owners.extend(owner_of(&triple)?);
    }
    owners.sort_unstable();
    let best = owners.chunk_by(|one, next| one == next).rev().max_by_key(|run| run.len());
    Ok(best.map_or(Found::New, |run| Found::Known(run[0])))
}

impl Machine {
    /// A machine that was not known before.
    pub fn new(fingerprint: Fingerprint, is_virtual: bool, account: AccountId, now: Timestamp) -> Self {
        Self { fingerprint, is_virtual, registered_at: now, changes: 0, accounts: vec![account] }
    }

    /// Whether it stands for `account`.
    pub fn stands_for(&self, account: &AccountId) -> bool {
        self.accounts.contains(account)
    }

    /// Registers `account` with this machine, which has these parts now.
    ///
    /// What found the machine once finds it for ever, up to [`CHANGES_MAX`] changes; after that it can
    /// still be registered, but its new parts alone don't find it.
    /// Returns the triples that find it from now on, besides those that did.
    pub fn join(
        &mut self,
        fingerprint: Fingerprint,
        is_virtual: bool,
        account: AccountId,
    ) -> Result<Vec<Triple>, MachineFull> {
        if !self.stands_for(&account) {
            // Nobody is dropped for a newcomer, or its debts would be dropped too.
            if self.accounts.len() >= ACCOUNTS_MAX {
                return Err(MachineFull);
            }
            self.accounts.push(account);
        }
        self.is_virtual |= is_virtual;
        if fingerprint == self.fingerprint || self.changes >= CHANGES_MAX {
            return Ok(Vec::new());
        }
        let had: Vec<Triple> = self.fingerprint.triples().collect();
        self.changes += 1;
        self.fingerprint = fingerprint;
        Ok(fingerprint.triples().filter(|triple| !had.contains(triple)).collect())
    }

    /// The machine stands for `account` no longer.
    pub fn leave(&mut self, account: &AccountId) {
        self.accounts.retain(|one| one != account);
    }

    /// Asserts what holds of every machine.
    pub fn check(&self) {
        assert!(self.accounts.len() <= ACCOUNTS_MAX, "{} accounts", self.accounts.len());
        let repeated = |index: usize| self.accounts[..index].contains(&self.accounts[index]);
        assert!(!(0..self.accounts.len()).any(repeated), "each account once");
        assert!(self.changes <= CHANGES_MAX, "{} changes", self.changes);
    }
}
