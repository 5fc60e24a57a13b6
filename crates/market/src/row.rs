//! One offer as the search reads it: a compact row with everything a test or a score needs, so that
//! a search is one pass over memory in order. Scores do not depend on the demand and are kept here,
//! made anew when one of their parts changes.

use crate::Config;
use opensky_types::{
    NodeId, Timestamp,
    offer::Offer,
    place::{Level, NodeKind, Region},
    resources::TaskLimits,
};

/// Bytes of one row.
pub const ROW_BYTES: usize = size_of::<Row>();
/// A full part of a score.
const POINTS_MAX: u64 = 1_000;
/// Round trip that is worth half the points for locality, in microseconds.
const RTT_TYPICAL_US: u64 = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub expires_at: Timestamp,
    pub resting_until: Timestamp,
    pub price: u64,
    pub memory_bytes: u64,
    pub limits: TaskLimits,
    /// The start of the node's key: what a seed is mixed with to break ties.
    pub salt: u64,
    pub speed: u32,
    /// Zero until measured.
    pub rtt_us: u32,
    pub cores: u16,
    pub slots_total: u16,
    /// With this consumer's own reservations.
    pub slots_free: u16,
    pub score: u16,
    pub levels: u8,
    pub kinds: u8,
    pub region: Region,
    pub gpus: u8,
    pub arch: u8,
}

/// The start of a node's key.
pub(crate) fn salt_of(node: NodeId) -> u64 {
    let (start, _) = node.public_key().split_first_chunk().expect("a key has 32 bytes");
    u64::from_le_bytes(*start)
}

impl Row {
    /// The row of an offer that passed [`crate::sanity::check`], not measured, not resting.
    pub fn new(config: &Config, offer: &Offer) -> Self {
        let hardware = &offer.hardware;
        let mut row = Self {
            expires_at: offer.expires_at,
            resting_until: Timestamp::default(),
            price: offer.price_per_gfuel.get(),
            memory_bytes: hardware.memory_bytes,
            limits: offer.task_limits_max,
            salt: salt_of(offer.node),
            speed: hardware.score_per_core,
            rtt_us: 0,
            cores: hardware.cpu_cores,
            slots_total: offer.slots_total,
            slots_free: offer.slots_free,
            score: 0,
            levels: offer.levels.iter().fold(0, |bits, level| bits | level_bit(*level)),
            kinds: offer.kinds.iter().fold(0, |bits, kind| bits | kind_bit(*kind)),
            region: offer.region,
            gpus: u8::try_from(hardware.gpus.len()).unwrap_or(u8::MAX),
            arch: arch_code(&hardware.cpu_arch),
        };
        row.rescore(config);
        row
    }

    /// Makes the score anew, 0 to 1000.
    pub fn rescore(&mut self, config: &Config) {
        let weights = config.weights;
        let parts = [
            (weights.price, falling(self.price, config.price_typical.get())),
            (weights.speed, POINTS_MAX - falling(self.speed.into(), config.score_typical.into())),
            (weights.locality, falling(self.rtt_guess_us(config), RTT_TYPICAL_US)),
            (weights.load, POINTS_MAX * u64::from(self.slots_free) / u64::from(self.slots_total.max(1))),
        ];
        let total: u64 = parts.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let sum: u64 = parts.iter().map(|(weight, points)| u64::from(*weight) * points).sum();
        self.score = u16::try_from(sum / total.max(1)).expect("a weighted mean of at most 1000");
    }

    /// The measured round trip; before one is known, what the regions let expect. Between regions
    /// that is high enough for the home region to be served first, and others once it is full.
    fn rtt_guess_us(&self, config: &Config) -> u64 {
        match (self.rtt_us, self.region, config.home_region) {
            (0, Region::Unknown, _) | (0, _, Region::Unknown) => 60_000,
            (0, region, home) if region == home => 10_000,
            (0, _, _) => 200_000,
            (measured, _, _) => measured.into(),
        }
    }
}

/// 1000 points at zero, 500 at `typical`, towards 0 beyond. Bounded, so that no claim, however
/// large, buys more than its part of a score.
fn falling(value: u64, typical: u64) -> u64 {
    let typical = u128::from(typical.max(1));
    (u128::from(POINTS_MAX) * typical / (typical + u128::from(value))) as u64
}

pub(crate) const fn level_bit(level: Level) -> u8 {
    1 << level as u8
}

pub(crate) const fn kind_bit(kind: NodeKind) -> u8 {
    1 << kind as u8
}

/// Usual architectures have a code; 0 stands for all others, told apart by name.
pub(crate) fn arch_code(arch: &str) -> u8 {
    match arch {
        "x86_64" => 1,
        "aarch64" => 2,
        "riscv64" => 3,
        _ => 0,
    }
}
