//! Draws that a provider cannot foresee: which tasks are audited, and who is paired with whom.

use crate::AUDIT_PARTS_ALL;
use opensky_types::{Hash, JobId};

/// One job's source of draws, made from this node's secret: the same after a restart, unknown to
/// everybody else.
#[derive(Debug)]
pub(crate) struct Draw {
    key: Hash,
    state: u64,
}

impl Draw {
    pub fn new(secret: &[u8; 32], job: &JobId, seed: u64) -> Self {
        let key = Hash::of_value("opensky scheduler draw 1", &(secret, job, seed));
        let state = first_eight(&key);
        Self { key, state }
    }

    /// Whether a task is among the `parts` of [`AUDIT_PARTS_ALL`] that are run twice; `nth` tells the
    /// draws for its runs apart. Keyed BLAKE3 in all but name: the key goes in first.
    pub fn is_audited(&self, stage: u16, index: u32, nth: u8, parts: u32) -> bool {
        let drawn = Hash::of_value("opensky audit draw 2", &(self.key, stage, index, nth));
        first_eight(&drawn) % u64::from(AUDIT_PARTS_ALL) < u64::from(parts)
    }

    /// A number below `end`, which is not zero. SplitMix64 (Steele, Lea, Flood 2014), seeded by the
    /// key; its output is never shown to anyone.
    pub fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

fn first_eight(hash: &Hash) -> u64 {
    let bytes = hash.as_bytes();
    u64::from_le_bytes(std::array::from_fn(|position| bytes[position]))
}
