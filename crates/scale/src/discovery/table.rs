//! A routing table: buckets of at most `K` nodes (Maymounkov, Mazières 2002, section 2.2), as libp2p keeps them.

use crate::{chance::Chance, params::K, space::Space};

/// One node's routing table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    buckets: Vec<Vec<u32>>,
}

impl Table {
    /// What a node knows after a long life in a sky where nobody leaves: of each bucket as many as it holds, drawn
    /// from all that `keep` names.
    pub fn full(space: &Space, node: u32, chance: &mut Chance, keep: impl Fn(u32) -> bool) -> Self {
        let mut table = Self::default();
        for bucket in 0..64 {
            let range = space.bucket(node, bucket);
            let mut entries = Vec::new();
            if range.len() <= 4 * K {
                entries.extend(range.filter(|other| keep(*other)));
                chance.draw(&mut entries, K);
                entries.truncate(K);
            } else {
                // Large ranges are sampled; a few tries more than needed make up for those not kept.
                for _ in 0..8 * K {
                    let other = range.start + chance.below(range.len()) as u32;
                    if entries.len() < K && keep(other) && !entries.contains(&other) {
                        entries.push(other);
                    }
                }
            }
            entries.shrink_to_fit();
            table.buckets.push(entries);
        }
        while table.buckets.last().is_some_and(Vec::is_empty) {
            table.buckets.pop();
        }
        table
    }

    /// Takes in a node that was met. In a full bucket it takes the place of one that is known to be gone, if any.
    pub fn learn(&mut self, space: &Space, own: u32, other: u32, is_gone: impl Fn(u32) -> bool) -> bool {
        if own == other {
            return false;
        }
        let bucket = (space.key(own) ^ space.key(other)).leading_zeros() as usize;
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, Vec::new());
        }
        let entries = &mut self.buckets[bucket];
        if entries.contains(&other) {
            return false;
        }
        if entries.len() < K {
            entries.push(other);
            return true;
        }
        match entries.iter_mut().find(|entry| is_gone(**entry)) {
            Some(gone) => {
                *gone = other;
                true
            }
            None => false,
        }
    }

    /// Drops a node that could not be reached.
    pub fn drop(&mut self, space: &Space, own: u32, other: u32) {
        let bucket = (space.key(own) ^ space.key(other)).leading_zeros() as usize;
        if let Some(entries) = self.buckets.get_mut(bucket) {
            entries.retain(|entry| *entry != other);
        }
    }

    /// The `count` entries nearest to a key, nearest first, without one node.
    ///
    /// Seen from the key, its own bucket comes first, then all deeper ones together, then those before it, each
    /// further away than all of the one after it.
    pub fn closest(&self, space: &Space, own: u32, target: u64, count: usize, without: u32) -> Vec<u32> {
        let distance = |node: &u32| space.key(*node) ^ target;
        let place = ((space.key(own) ^ target).leading_zeros() as usize).min(self.buckets.len());
        let (before, from) = self.buckets.split_at(place);
        let mut near = Vec::with_capacity(2 * count);
        let add = |buckets: &[Vec<u32>], near: &mut Vec<u32>| {
            if near.len() < count {
                let start = near.len();
                near.extend(buckets.iter().flatten().filter(|entry| **entry != without));
                near[start..].sort_unstable_by_key(distance);
            }
        };
        if let Some((own_bucket, deeper)) = from.split_first() {
            add(std::slice::from_ref(own_bucket), &mut near);
            add(deeper, &mut near);
        }
        for bucket in before.iter().rev() {
            add(std::slice::from_ref(bucket), &mut near);
        }
        near.truncate(count);
        near
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = u32> {
        self.buckets.iter().flatten().copied()
    }

    /// Numbers of the buckets that a refresh looks into: all before that of the nearest neighbour.
    pub fn refreshed(&self) -> std::ops::Range<u32> {
        let deepest = self.buckets.iter().rposition(|entries| !entries.is_empty()).unwrap_or(0);
        0..deepest as u32
    }

    /// Asserts the invariants.
    pub fn check(&self, space: &Space, own: u32) {
        for (bucket, entries) in self.buckets.iter().enumerate() {
            assert!(entries.len() <= K, "a bucket is too full");
            for entry in entries {
                let place = (space.key(own) ^ space.key(*entry)).leading_zeros() as usize;
                assert_eq!(place, bucket, "an entry is in the wrong bucket");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::{chance::Chance, params::K, space::Space};

    #[test]
    fn t2_the_nearest_entries_are_those_of_a_full_sort() {
        let mut chance = Chance::new(3, "table");
        let space = Space::draw(2_000, &mut chance);
        for own in [0, 700, 1_999] {
            let table = Table::full(&space, own, &mut chance, |_| true);
            table.check(&space, own);
            for round in 0..100 {
                let target = if round == 0 { space.key(own) } else { chance.word() };
                let mut all: Vec<u32> = table.entries().filter(|entry| *entry != 5).collect();
                all.sort_by_key(|entry| space.key(*entry) ^ target);
                all.truncate(K);
                assert_eq!(table.closest(&space, own, target, K, 5), all);
            }
        }
    }

    #[test]
    fn t2_a_full_bucket_takes_a_newcomer_only_for_one_that_is_gone() {
        let mut chance = Chance::new(4, "table");
        let space = Space::draw(500, &mut chance);
        let mut table = Table::full(&space, 0, &mut chance, |_| true);
        let newcomer = space.bucket(0, 0).find(|node| table.entries().all(|entry| entry != *node));
        let newcomer = newcomer.expect("the first bucket is far too small for all");
        assert!(!table.learn(&space, 0, newcomer, |_| false));
        assert!(table.learn(&space, 0, newcomer, |_| true));
        table.check(&space, 0);
    }
}
