//! How a consumer judges offers.

use opensky_types::{Micros, limits::PRICE_PER_GFUEL, offer::OFFER_LIFE_MS_MAX, place::Region};

/// What counts, in shares of their sum. Each part is worth 0 to 1000 points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    /// Cheap.
    pub price: u32,
    /// Measured speed of one core.
    pub speed: u32,
    /// Near: by round trip where measured, by region otherwise.
    pub locality: u32,
    /// Mostly free.
    pub load: u32,
}

/// Sizes and taste of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Most nodes whose offers are kept. Beyond it they are a sample: each node is as likely in it as any other,
    /// whatever it offers.
    pub nodes_max: usize,
    /// Draws that sample. Others must not know it: they could make keys that are always in it.
    pub salt: u64,
    /// This node's region: it is served first, others once it is full.
    pub home_region: Region,
    /// Longest time that an offer may hold from now on, in ms.
    pub offer_ttl_ms_max: u64,
    /// How far in the future an offer may have been made, since clocks differ, in ms.
    pub clock_skew_ms_max: u64,
    /// What counts in a score.
    pub weights: Weights,
    /// Measured score of one core that is worth half the points for speed.
    pub score_typical: u32,
    /// Price of one billion fuel that is worth half the points for price.
    pub price_typical: Micros,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            nodes_max: 200_000,
            salt: 0,
            home_region: Region::Unknown,
            offer_ttl_ms_max: OFFER_LIFE_MS_MAX,
            clock_skew_ms_max: 2 * 60 * 1000,
            weights: Weights { price: 30, speed: 30, locality: 25, load: 15 },
            score_typical: 1_000,
            price_typical: PRICE_PER_GFUEL,
        }
    }
}
