//! Entries: what the state holds under each key.

use crate::{
    account::{Account, KeySet, Session},
    checkpoint::Checkpoints,
    escrow::{Escrow, PendingClaim, Settled},
    key::Key,
    overdraft::Charge,
    params::Params,
    purse::Purse,
    registry::{Machine, MachineNumber},
    reputation::Reputation,
    rules::Rules,
    stake::Stake,
    validators::Roster,
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Hash, Micros, NodeId, codec};

/// What stands under a [`Key`] of the same name. Numbers are those of the keys.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Entry {
    /// Money and next number of an account.
    Account(Account) = 0,
    /// The keys of an account that has other keys than its first one.
    Keys(KeySet) = 1,
    /// A device's right to act.
    Session(Session) = 2,
    /// The owner of a node's account.
    Owner(AccountId) = 3,
    /// The escrow of an agreement.
    Escrow(Box<Escrow>) = 4,
    /// A claim that waits for its window to pass.
    Claim(Box<PendingClaim>) = 5,
    /// An inference request that has begun.
    Charge(Charge) = 6,
    /// What an account has at stake, and on its way out of it.
    Stake(Stake) = 7,
    /// How far an account is trusted.
    Reputation(Box<Reputation>) = 8,
    /// A registered machine.
    Machine(Box<Machine>) = 9,
    /// Which machine has these three parts.
    Triple(MachineNumber) = 10,
    /// The machine an account was registered with.
    MachineOf(MachineNumber) = 11,
    /// Who validates, and who would.
    Roster(Box<Roster>) = 12,
    /// All that an account withdrew to an address of a chain.
    Withdrawal(Micros) = 13,
    /// A deposit was credited.
    Deposit = 14,
    /// Something falls due; the key says what.
    Due = 15,
    /// What came in and what left.
    Supply(Supply) = 16,
    /// What slashing took, and what genesis put aside.
    Treasury(Purse) = 17,
    /// The parameters.
    Params(Box<Params>) = 18,
    /// The rules in force, and those to come.
    Rules(Rules) = 19,
    /// The keys of the validators in force, in order.
    Validators(Vec<NodeId>) = 20,
    /// The number of machines registered.
    Machines(MachineNumber) = 21,
    /// A fault was punished.
    Punished = 22,
    /// The newest checkpoint for public chains, and what the next one needs.
    Checkpoints(Box<Checkpoints>) = 23,
    /// Who took part in an agreement whose escrow was closed.
    Settled(Settled) = 24,
}

/// Most money in a ledger, in micros. With all that others may owe it still fits in one account, so that
/// what falls due can always be paid: if it could not, no block could be made any more.
pub const SUPPLY_MAX: u64 = 1 << 62;

/// Money that crossed the border of this ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Supply {
    /// Made in genesis or as starter grants.
    pub granted: u128,
    /// Came from public chains.
    pub deposited: u128,
    /// Went to public chains.
    pub withdrawn: u128,
}

impl Supply {
    /// What must be somewhere in the state. Each part is a sum of 64-bit amounts, of which nobody makes
    /// 2^60.
    pub fn held(&self) -> i128 {
        signed(self.granted) + signed(self.deposited) - signed(self.withdrawn)
    }

    /// Whether that is no more than [`SUPPLY_MAX`].
    pub fn is_within_limit(&self) -> bool {
        self.held() <= i128::from(SUPPLY_MAX)
    }
}

fn signed(amount: u128) -> i128 {
    i128::try_from(amount).expect("a sum of 64-bit amounts")
}

impl Entry {
    /// The money in it, in micros. [`Supply`] counts against all others, so the sum over a state is zero,
    /// and so is what any transaction changes.
    pub fn held(&self) -> i128 {
        let held = |purse: &Purse| i128::from(purse.total().get());
        match self {
            Self::Account(account) => held(&account.available),
            Self::Charge(charge) => held(&charge.held),
            Self::Escrow(escrow) => held(&escrow.held),
            Self::Stake(stake) => i128::from(stake.total().get()),
            Self::Treasury(purse) => held(purse),
            Self::Supply(supply) => -supply.held(),
            Self::Keys(_)
            | Self::Session(_)
            | Self::Owner(_)
            | Self::Claim(_)
            | Self::Reputation(_)
            | Self::Machine(_)
            | Self::Triple(_)
            | Self::MachineOf(_)
            | Self::Roster(_)
            | Self::Withdrawal(_)
            | Self::Deposit
            | Self::Due
            | Self::Params(_)
            | Self::Rules(_)
            | Self::Validators(_)
            | Self::Machines(_)
            | Self::Punished
            | Self::Checkpoints(_)
            | Self::Settled(_) => 0,
        }
    }

    /// Whether this may stand under `key`.
    pub fn fits(&self, key: &Key) -> bool {
        matches!(
            (key, self),
            (Key::Account(_), Self::Account(_))
                | (Key::Keys(_), Self::Keys(_))
                | (Key::Session(..), Self::Session(_))
                | (Key::Owner(_), Self::Owner(_))
                | (Key::Escrow(_), Self::Escrow(_))
                | (Key::Claim(_), Self::Claim(_))
                | (Key::Charge(..), Self::Charge(_))
                | (Key::Stake(_), Self::Stake(_))
                | (Key::Reputation(_), Self::Reputation(_))
                | (Key::Machine(_), Self::Machine(_))
                | (Key::Triple(_), Self::Triple(_))
                | (Key::MachineOf(_), Self::MachineOf(_))
                | (Key::Roster, Self::Roster(_))
                | (Key::Withdrawal(..), Self::Withdrawal(_))
                | (Key::Deposit(..), Self::Deposit)
                | (Key::Due(..), Self::Due)
                | (Key::Supply, Self::Supply(_))
                | (Key::Treasury, Self::Treasury(_))
                | (Key::Params, Self::Params(_))
                | (Key::Rules, Self::Rules(_))
                | (Key::Validators, Self::Validators(_))
                | (Key::Machines, Self::Machines(_))
                | (Key::Punished(..), Self::Punished)
                | (Key::Checkpoints, Self::Checkpoints(_))
                | (Key::Settled(_), Self::Settled(_))
        )
    }

    /// What the tree holds of it.
    pub fn value(&self) -> Hash {
        crate::tree::value_hash(&codec::encode(self))
    }
}
