//! What cheating costs.

use super::Score;
use borsh::{BorshDeserialize, BorshSerialize};

/// How long who cheated a little gets no work and gains no points.
pub const FREEZE_MS: u64 = 7 * 24 * 60 * 60 * 1000;

const MINOR_POINTS: u16 = 200;
const MAJOR_POINTS: u16 = 500;

/// How bad it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Fraud {
    /// A result or a report that was made up.
    Minor = 0,
    /// An attack on others' money or on the ledger, such as two votes where there may be one.
    Major = 1,
}

/// What an account loses for a fraud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Penalty {
    /// Points of reputation.
    pub points: u16,
    /// How long it is frozen.
    pub freeze_ms: u64,
    /// Whether its stake goes to the treasury.
    pub confiscates: bool,
    /// Whether it is banned for good.
    pub bans: bool,
}

impl Penalty {
    /// The penalty for an account with this score that has committed so many major frauds before.
    ///
    /// A first major fraud costs 500 points. Who has done it before, or has not 500 points to lose,
    /// loses everything: the score, the stake, and the right to come back.
    pub(super) fn of(fraud: Fraud, score: Score, major_frauds: u8) -> Self {
        match fraud {
            Fraud::Minor => {
                Self { points: MINOR_POINTS, freeze_ms: FREEZE_MS, confiscates: false, bans: false }
            }
            Fraud::Major if major_frauds == 0 && score.get() >= MAJOR_POINTS => {
                Self { points: MAJOR_POINTS, freeze_ms: FREEZE_MS, confiscates: false, bans: false }
            }
            Fraud::Major => {
                Self { points: Score::MAX.get(), freeze_ms: FREEZE_MS, confiscates: true, bans: true }
            }
        }
    }
}
