//! The space of keys: who is near whom. A key is the first 64 bits of what is a hash of 256 in libp2p; at 100,000
//! nodes two of them are equal with a chance of 3 in 10 billion, so the rest decides nothing.

use crate::chance::Chance;

/// All nodes' keys, in order; a node is named by its place in it.
#[derive(Debug)]
pub struct Space {
    keys: Vec<u64>,
}

impl Space {
    /// Draws a key for each node.
    pub fn draw(nodes: usize, chance: &mut Chance) -> Self {
        Self::of((0..nodes).map(|_| chance.word()).collect())
    }

    /// These keys.
    pub fn of(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self { keys }
    }

    /// Nodes.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A node's key.
    pub fn key(&self, node: u32) -> u64 {
        self.keys[node as usize]
    }

    /// The node of a key, if it is one's.
    pub fn find(&self, key: u64) -> Option<u32> {
        self.keys.binary_search(&key).ok().map(|place| place as u32)
    }

    /// The nodes that belong into bucket `bucket` of a node: those that share exactly that many leading bits.
    pub fn bucket(&self, node: u32, bucket: u32) -> std::ops::Range<u32> {
        let bit = 1_u64 << (63 - bucket);
        let from = (self.key(node) ^ bit) & !(bit - 1);
        let lowest = self.keys.partition_point(|key| *key < from);
        let beyond = self.keys.partition_point(|key| *key <= from | (bit - 1));
        lowest as u32..beyond as u32
    }

    /// The `count` nodes nearest to a key among those that `keep` names, nearest first.
    pub fn closest(&self, target: u64, count: usize, keep: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut near = Vec::with_capacity(count + 8);
        self.descend(0, self.keys.len(), 0, target, count, &keep, &mut near);
        near.truncate(count);
        near
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one recursion")]
    fn descend(
        &self,
        from: usize,
        to: usize,
        depth: u32,
        target: u64,
        count: usize,
        keep: &impl Fn(u32) -> bool,
        near: &mut Vec<u32>,
    ) {
        if near.len() >= count || from == to {
            return;
        }
        if to - from <= 8 || depth == 64 {
            let mut few: Vec<u32> = (from as u32..to as u32).filter(|node| keep(*node)).collect();
            few.sort_unstable_by_key(|node| self.key(*node) ^ target);
            near.extend(few);
            return;
        }
        let bit = 1_u64 << (63 - depth);
        let middle = from + self.keys[from..to].partition_point(|key| key & bit == 0);
        let (low, high) = ((from, middle), (middle, to));
        let halves = if target & bit == 0 { [low, high] } else { [high, low] };
        for (from, to) in halves {
            self.descend(from, to, depth + 1, target, count, keep, near);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Space;
    use crate::chance::Chance;

    #[test]
    fn t2_the_closest_nodes_are_those_of_a_full_scan() {
        let mut chance = Chance::new(7, "space");
        let space = Space::draw(500, &mut chance);
        for _ in 0..50 {
            let target = chance.word();
            let keep = |node: u32| !node.is_multiple_of(3);
            let mut all: Vec<u32> = (0..space.len() as u32).filter(|node| keep(*node)).collect();
            all.sort_by_key(|node| space.key(*node) ^ target);
            all.truncate(20);
            assert_eq!(space.closest(target, 20, keep), all);
        }
    }

    #[test]
    fn t2_buckets_hold_each_other_node_once() {
        let space = Space::draw(300, &mut Chance::new(8, "space"));
        for node in [0, 150, 299] {
            let mut seen: Vec<u32> = (0..64).flat_map(|bucket| space.bucket(node, bucket)).collect();
            seen.sort_unstable();
            let others: Vec<u32> = (0..300).filter(|other| *other != node).collect();
            assert_eq!(seen, others);
            for other in space.bucket(node, 2) {
                assert_eq!((space.key(node) ^ space.key(other)).leading_zeros(), 2);
            }
        }
    }
}
