//! What the tests share.

use opensky_ledger::registry::Fingerprint;
use opensky_types::{AccountId, Hash, Timestamp};

pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// A day on which nothing happened before.
pub const DAY: u64 = 20_000;

pub fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 32])
}

/// So many milliseconds into a day.
pub fn on_day(day: u64, millis: u64) -> Timestamp {
    Timestamp::from_millis(day * DAY_MS + millis)
}

/// A fingerprint of parts by number; zero for a part that could not be read.
pub fn fingerprint(parts: [u8; 5]) -> Fingerprint {
    let part = |number: u8| (number != 0).then(|| Hash::of(&[number]));
    Fingerprint::new(parts.map(part)).expect("three parts or more")
}
