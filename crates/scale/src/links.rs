//! Where nodes are, and how long a message takes between two of them.

use crate::{chance::Chance, queue::Time};
use opensky_types::place::Region;

/// Regions that nodes are in, and their share of the nodes in percent. An assumption, not a census.
const SHARES: [(Region, usize); 7] = [
    (Region::Asia, 30),
    (Region::NorthAmerica, 27),
    (Region::Europe, 28),
    (Region::Africa, 3),
    (Region::SouthAmerica, 5),
    (Region::Oceania, 3),
    (Region::MiddleEast, 4),
];

/// One way between backbones, in milliseconds, in the order of [`SHARES`]: halves of round trips as public
/// measurements of large clouds show them, rounded.
const ONE_WAY_MS: [[u64; 7]; 7] = [
    [30, 80, 85, 110, 150, 60, 60],
    [80, 20, 45, 95, 65, 85, 80],
    [85, 45, 12, 60, 100, 130, 45],
    [110, 95, 60, 40, 150, 160, 75],
    [150, 65, 100, 150, 25, 150, 140],
    [60, 85, 130, 160, 150, 15, 115],
    [60, 80, 45, 75, 140, 115, 20],
];

/// Mean of what a node's own access adds one way, in microseconds.
const ACCESS_US: f64 = 5_000.0;
/// Mean of a message's delay in queues, as a share of the way's base.
const JITTER: f64 = 0.08;

/// The places of all nodes.
#[derive(Debug)]
pub struct Links {
    place: Vec<u8>,
    access_us: Vec<u32>,
}

impl Links {
    /// Draws a place for each of `nodes`.
    pub fn draw(nodes: usize, chance: &mut Chance) -> Self {
        let mut links = Self { place: Vec::with_capacity(nodes), access_us: Vec::with_capacity(nodes) };
        for _ in 0..nodes {
            let mut share = chance.below(100);
            let place = SHARES.iter().position(|(_, percent)| {
                let is_here = share < *percent;
                share = share.saturating_sub(*percent);
                is_here
            });
            links.place.push(place.unwrap_or(0) as u8);
            links.access_us.push(1_000 + chance.exponential(ACCESS_US) as u32);
        }
        links
    }

    /// The region of a node.
    pub fn region(&self, node: u32) -> Region {
        SHARES[usize::from(self.place[node as usize])].0
    }

    /// One message's way from one node to another.
    pub fn one_way(&self, from: u32, to: u32, chance: &mut Chance) -> Time {
        let base = self.base(from, to);
        base + chance.exponential(base as f64 * JITTER) as Time
    }

    /// There and back, without queues.
    pub fn round_trip(&self, from: u32, to: u32) -> Time {
        2 * self.base(from, to)
    }

    fn base(&self, from: u32, to: u32) -> Time {
        let (from, to) = (from as usize, to as usize);
        let backbone = ONE_WAY_MS[usize::from(self.place[from])][usize::from(self.place[to])] * 1_000;
        backbone + Time::from(self.access_us[from]) + Time::from(self.access_us[to])
    }
}

#[cfg(test)]
mod tests {
    use super::{Links, ONE_WAY_MS, SHARES};
    use crate::chance::Chance;

    #[test]
    fn t2_ways_are_as_long_there_as_back_and_shares_add_up() {
        assert_eq!(SHARES.iter().map(|(_, percent)| percent).sum::<usize>(), 100);
        for (from, row) in ONE_WAY_MS.iter().enumerate() {
            for (to, way) in row.iter().enumerate() {
                assert_eq!(*way, ONE_WAY_MS[to][from]);
            }
        }
        let mut chance = Chance::new(1, "links");
        let links = Links::draw(100, &mut chance);
        assert_eq!(links.round_trip(3, 9), links.round_trip(9, 3));
        assert!(links.one_way(3, 9, &mut chance) >= links.round_trip(3, 9) / 2);
    }
}
