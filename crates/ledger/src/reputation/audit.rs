//! Which results are audited: a draw that everyone can repeat and nobody who was to be audited chose.

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::Hash;

/// The parts of a whole that audit rates count.
pub const AUDIT_RATE_WHOLE: u32 = 100_000;

const CONTEXT: &str = "opensky audit draw 1";

/// How often results are audited, in parts of 100,000: from none to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct AuditRate(u32);

impl AuditRate {
    /// A rate of so many parts; more than all is all.
    pub const fn of_100_000(parts: u32) -> Self {
        Self(if parts < AUDIT_RATE_WHOLE { parts } else { AUDIT_RATE_WHOLE })
    }

    /// The parts of 100,000.
    pub const fn parts(self) -> u32 {
        self.0
    }
}

/// Whether the result with this receipt is audited.
///
/// `block` is the hash of a block that was not yet known when the receipt was signed, such as the one
/// that settles it; so the provider can't see while it works which of its results will be looked at.
/// The proposer of that block could try several blocks until one suits it, at the price of its turn.
pub fn audit_drawn(rate: AuditRate, block: &Hash, receipt: &Hash) -> bool {
    draw(block, receipt) < rate.parts()
}

/// A number below [`AUDIT_RATE_WHOLE`], each equally likely.
fn draw(block: &Hash, receipt: &Hash) -> u32 {
    // The last numbers of 64 bits, which would make the smallest draws likelier, are drawn again.
    const FAIR: u64 = u64::MAX - u64::MAX % AUDIT_RATE_WHOLE as u64;
    (0_u64..)
        .flat_map(|round| lanes(&Hash::of_value(CONTEXT, &(block, receipt, round))))
        .find(|lane| *lane < FAIR)
        .map_or(0, |lane| (lane % u64::from(AUDIT_RATE_WHOLE)) as u32)
}

fn lanes(hash: &Hash) -> [u64; 4] {
    std::array::from_fn(|index| {
        let mut lane = [0; 8];
        lane.copy_from_slice(&hash.as_bytes()[index * 8..index * 8 + 8]);
        u64::from_le_bytes(lane)
    })
}
