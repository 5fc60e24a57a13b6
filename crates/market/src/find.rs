//! The search: filter, score, spread.

use crate::{
    Market,
    filter::{EXCLUDED, Filter, PEER, Tally, USED},
    row::Row,
};
use opensky_types::{
    NodeId, Timestamp,
    offer::Demand,
    place::Region,
    reason::{Misfit, MisfitCounts},
};
use std::{cmp::Reverse, collections::BinaryHeap};

/// Most nodes of one search.
const WANTED_MAX: usize = 4_096;
/// Scores closer than this are near ties, which the seed decides. A power of two.
const SPREAD_POINTS: u32 = 32;
/// What each node already taken from a region costs the next one from there, so that a near tie
/// between regions is shared and one region's failure does not take all.
const CROWD_POINTS: u32 = 4;

/// A node that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which.
    pub node: NodeId,
    /// How good it is, 0 to 1000.
    pub score: u32,
    /// Slots that seem free there, this consumer's latest reservations counted.
    pub slots_free: u16,
    /// Its place in the list, from 1.
    pub rank: u32,
    /// Where it is.
    pub region: Region,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// The best nodes with a free slot, best first.
    pub ranked: Vec<Match>,
    /// Nodes that would fit but have no free slot, best first. Providers share their slots among
    /// consumers, so one that holds no slots at all for its work may still be let in there.
    pub busy: Vec<Match>,
    /// How many offers were looked at and what excluded the others. Those in `busy` are counted as
    /// [`Misfit::Full`](opensky_types::reason::Misfit::Full).
    pub counts: MisfitCounts,
}

impl Market {
    /// The `wanted` best nodes for a demand, without those in `used`. `seed` breaks near ties, so
    /// that consumers with different seeds do not all run to the same node.
    pub fn find(
        &self,
        now: Timestamp,
        demand: &Demand,
        wanted: usize,
        used: &[NodeId],
        seed: u64,
    ) -> Matches {
        let filter = Filter::new(now, demand);
        let marks = self.marks(demand, used);
        let wanted = wanted.min(WANTED_MAX);
        let (mut free, mut busy) = (Shortlist::new(wanted, seed), Shortlist::new(wanted, seed));
        let mut tally = Tally::default();
        let mut fitting = 0;
        for (position, row) in self.rows.iter().enumerate() {
            let mark = marks.get(position).copied().unwrap_or(0);
            match filter.misfit(row, mark, || &self.listings[position].offer) {
                None => {
                    fitting += 1;
                    free.consider(row, position);
                }
                Some(misfit) => {
                    if misfit == Misfit::Full {
                        busy.consider(row, position);
                    }
                    tally.count(misfit);
                }
            }
        }
        Matches {
            ranked: self.matches(free),
            busy: self.matches(busy),
            counts: tally.into_counts(self.rows.len() as u32, fitting),
        }
    }

    /// Whether one node fits a demand; of a node that is not known, that its offer has expired.
    pub fn fits(&self, now: Timestamp, demand: &Demand, node: NodeId) -> Result<(), Misfit> {
        let Some(position) = self.index.get(&node).map(|position| *position as usize) else {
            return Err(Misfit::Expired);
        };
        let mark = self.marks(demand, &[]).get(position).copied().unwrap_or(0);
        let offer = || &self.listings[position].offer;
        Filter::new(now, demand).misfit(&self.rows[position], mark, offer).map_or(Ok(()), Err)
    }

    /// Marks by row, or nothing where no node is named.
    fn marks(&self, demand: &Demand, used: &[NodeId]) -> Vec<u8> {
        let constraints = &demand.constraints;
        let named =
            [(PEER, &constraints.peers[..]), (EXCLUDED, &constraints.peers_excluded[..]), (USED, used)];
        if named.iter().all(|(_, nodes)| nodes.is_empty()) {
            return Vec::new();
        }
        let mut marks = vec![0; self.rows.len()];
        for (mark, nodes) in named {
            for position in nodes.iter().filter_map(|node| self.index.get(node)) {
                marks[*position as usize] |= mark;
            }
        }
        marks
    }

    fn matches(&self, shortlist: Shortlist) -> Vec<Match> {
        let chosen = shortlist.spread();
        let matches = chosen.into_iter().zip(1..).map(|(position, rank)| {
            let row = &self.rows[position as usize];
            let node = self.listings[position as usize].offer.node;
            let score = row.score.into();
            Match { node, score, slots_free: row.slots_free, rank, region: row.region }
        });
        matches.collect()
    }
}

/// Points with the seed's share, the tie-break behind them, and the row.
type Candidate = (u32, u64, u32);

/// The best of each region, never more than are wanted in all.
struct Shortlist {
    wanted: usize,
    seed: u64,
    regions: [BinaryHeap<Reverse<Candidate>>; Region::ALL.len()],
}

impl Shortlist {
    fn new(wanted: usize, seed: u64) -> Self {
        Self { wanted, seed, regions: Default::default() }
    }

    #[inline]
    fn consider(&mut self, row: &Row, position: usize) {
        let best = &mut self.regions[row.region as usize];
        if best.len() < self.wanted {
            best.push(Reverse(candidate(self.seed, row, position)));
            return;
        }
        let Some(mut worst) = best.peek_mut() else { return };
        // The seed's share can add no more than this; most rows end here.
        if u32::from(row.score) + SPREAD_POINTS <= worst.0.0 {
            return;
        }
        let candidate = candidate(self.seed, row, position);
        if candidate > worst.0 {
            *worst = Reverse(candidate);
        }
    }

    /// Rows in order of choice: each time the best of all regions' next ones, less what its region
    /// has had already.
    fn spread(self) -> Vec<u32> {
        // Each list is read from its end, so the best one goes there.
        let mut lists = self.regions.map(|heap| {
            let mut list = heap.into_sorted_vec();
            list.reverse();
            list
        });
        let mut taken = [0_u32; Region::ALL.len()];
        let mut chosen = Vec::with_capacity(self.wanted.min(64));
        while chosen.len() < self.wanted {
            let heads = lists.iter().zip(&taken).enumerate().filter_map(|(region, (list, taken))| {
                let Reverse((points, tie, _)) = list.last()?;
                Some((i64::from(*points) - i64::from(taken * CROWD_POINTS), *tie, region))
            });
            let Some((_, _, region)) = heads.max() else { break };
            taken[region] += 1;
            chosen.extend(lists[region].pop().map(|Reverse((_, _, position))| position));
        }
        chosen
    }
}

#[inline]
fn candidate(seed: u64, row: &Row, position: usize) -> Candidate {
    let tie = mix(seed ^ row.salt);
    (u32::from(row.score) + tie as u32 % SPREAD_POINTS, tie, position as u32)
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
