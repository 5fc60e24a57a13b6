//! What happened beside what transactions say themselves: for wallets and dashboards, not in the state.

use crate::{
    registry::MachineNumber,
    reputation::{Reason, Score},
    rules::RulesVersion,
};
use opensky_types::{AccountId, AgreementId, Hash, Micros};

/// Something that happened in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An escrow paid its provider.
    Paid { agreement: AgreementId, consumer: AccountId, provider: AccountId, amount: Micros },
    /// A consumer objected to a claim, and got this back.
    Objected { agreement: AgreementId, consumer: AccountId, provider: AccountId, amount: Micros },
    /// An escrow was closed, and this went back to its consumer.
    Closed { agreement: AgreementId, consumer: AccountId, refunded: Micros },
    /// An inference request was never completed, and cost nothing.
    ChargeDropped { consumer: AccountId, request: Hash },
    /// A reputation moved.
    ReputationMoved { account: AccountId, reason: Reason, before: Score, after: Score },
    /// Stake came free and went back to its account.
    Unstaked { account: AccountId, amount: Micros },
    /// Stake went to the treasury.
    Slashed { account: AccountId, amount: Micros },
    /// An account was registered with a machine, and took over this debt.
    Registered { account: AccountId, machine: MachineNumber, is_new: bool, debt: Micros },
    /// This block ends an epoch; the validators of the next one, which has this number, may be others.
    EpochEnds { next: u64, changed: bool },
    /// Other rules are in force from this block on.
    RulesSwitched { version: RulesVersion },
}
