//! What happened beside what transactions say themselves: for wallets and dashboards, not in the state.

use opensky_types::{AccountId, AgreementId, Hash, Micros};

/// Something that happened in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An escrow paid its provider.
    Paid { agreement: AgreementId, provider: AccountId, amount: Micros },
    /// A consumer objected to a claim, and got this back.
    Objected { agreement: AgreementId, consumer: AccountId, provider: AccountId, amount: Micros },
    /// An escrow was closed, and this went back to its consumer.
    Closed { agreement: AgreementId, consumer: AccountId, refunded: Micros },
    /// An inference request was never completed, and cost nothing.
    ChargeDropped { consumer: AccountId, request: Hash },
}
