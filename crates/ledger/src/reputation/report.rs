//! What members tell the ledger about each other.

use super::Fraud;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, AgreementId, Hash};

/// A node says that it was online, and others sign that they saw it.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OnlineReport {
    /// The day of the block that includes this, counted from 1970.
    pub day: u64,
    /// Who saw it, in order, each once.
    pub witnesses: Vec<AccountId>,
}

/// A consumer says what an audit of a provider's result found.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AuditReport {
    /// The agreement whose escrow is open between the two.
    pub agreement: AgreementId,
    /// The receipt of the result.
    pub receipt: Hash,
    /// What was found.
    pub verdict: Verdict,
    /// Who repeated the work and found the fault, in order, each once; none for a result that was right.
    pub witnesses: Vec<AccountId>,
}

/// What an audit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Verdict {
    /// The result is right.
    Passed = 0,
    /// It is wrong.
    Failed = 1,
    /// It was made up.
    MadeUp = 2,
}

impl Verdict {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::MadeUp => "found a made-up result",
        }
    }

    /// The fraud that it is.
    pub(super) const fn fraud(self) -> Option<Fraud> {
        match self {
            Self::Passed | Self::Failed => None,
            Self::MadeUp => Some(Fraud::Minor),
        }
    }
}
