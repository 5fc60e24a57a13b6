//! What happened beside what transactions say themselves: for wallets and dashboards, not in the state.

use crate::{
    registry::MachineNumber,
    reputation::{Reason, Score},
    rules::RulesVersion,
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, AgreementId, Hash, Micros};

/// Something that happened in a block. Numbers are those of histories on disk; new ones go to the end.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Event {
    /// An escrow paid its provider.
    Paid { agreement: AgreementId, consumer: AccountId, provider: AccountId, amount: Micros } = 0,
    /// A consumer objected to a claim, and got this back.
    Objected { agreement: AgreementId, consumer: AccountId, provider: AccountId, amount: Micros } = 1,
    /// An escrow was closed, and this went back to its consumer.
    Closed { agreement: AgreementId, consumer: AccountId, refunded: Micros } = 2,
    /// An inference request was never completed, and cost nothing.
    ChargeDropped { consumer: AccountId, request: Hash } = 3,
    /// A reputation moved.
    ReputationMoved { account: AccountId, reason: Reason, before: Score, after: Score } = 4,
    /// Stake came free and went back to its account.
    Unstaked { account: AccountId, amount: Micros } = 5,
    /// Stake went to the treasury.
    Slashed { account: AccountId, amount: Micros } = 6,
    /// An account was registered with a machine.
    Registered { account: AccountId, machine: MachineNumber, is_new: bool } = 7,
    /// This block ends an epoch; the validators of the next one, which has this number, may be others.
    EpochEnds { next: u64, changed: bool } = 8,
    /// Other rules are in force from this block on.
    RulesSwitched { version: RulesVersion } = 9,
}
