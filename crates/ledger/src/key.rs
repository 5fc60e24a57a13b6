//! Names of entries: where each thing stands in the state.

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, AgreementId, Hash, PublicKey, Timestamp, codec};

use crate::{evm::Address, registry::Triple, tree};

/// The name of one entry of the state. Its order is the order of snapshots; new kinds go to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Key {
    /// Money and next number of an account.
    Account(AccountId) = 0,
    /// The keys of an account that has other keys than its first one.
    Keys(AccountId) = 1,
    /// A device's right to act for an account.
    Session(AccountId, PublicKey) = 2,
    /// The account that owns this node's account.
    Owner(AccountId) = 3,
    /// The escrow of an agreement.
    Escrow(AgreementId) = 4,
    /// A claim that waits for its window to pass.
    Claim(AgreementId) = 5,
    /// An inference request that has begun, by its consumer and its id.
    Charge(AccountId, Hash) = 6,
    /// What an account has at stake, and on its way out of it.
    Stake(AccountId) = 7,
    /// How far an account is trusted.
    Reputation(AccountId) = 8,
    /// A registered machine, by its number.
    Machine(u64) = 9,
    /// Which machine has these three parts.
    Triple(Triple) = 10,
    /// The machine an account was registered with.
    MachineOf(AccountId) = 11,
    /// Who validates, and who would.
    Roster = 12,
    /// All that an account withdrew to an address of a chain.
    Withdrawal(AccountId, u64, Address) = 13,
    /// A deposit that was credited, by its id on its chain.
    Deposit(u64, Hash) = 14,
    /// Something that happens by itself at a block time.
    Due(Timestamp, Due) = 15,
    /// Money that came into this ledger and money that left it.
    Supply = 16,
    /// What slashing took.
    Treasury = 17,
    /// The parameters.
    Params = 18,
    /// The rules in force, and those to come.
    Rules = 19,
    /// The keys of the validators in force, in order.
    Validators = 20,
    /// The number of machines registered.
    Machines = 21,
    /// A fault already punished, so that it is punished once.
    Punished(AccountId, Hash) = 22,
    /// The newest checkpoint for public chains, and what the next one needs.
    Checkpoints = 23,
    /// An agreement that both sides took part in and whose escrow was closed: for a while, audits of it can
    /// still be reported.
    Settled(AgreementId) = 24,
}

/// What falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Due {
    /// The window of a claim has passed.
    Claim(AgreementId) = 0,
    /// An escrow's time is over.
    Escrow(AgreementId) = 1,
    /// Stake is free again.
    Unbonding(AccountId) = 2,
    /// An inference request was never completed.
    Charge(AccountId, Hash) = 3,
    /// Nothing can be reported of a closed agreement any more.
    Settled(AgreementId) = 4,
}

impl Key {
    /// The key's place in the tree.
    pub fn leaf(&self) -> Hash {
        tree::key_hash(&codec::encode(self))
    }
}
