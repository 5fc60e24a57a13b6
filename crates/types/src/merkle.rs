//! A Merkle tree over BLAKE3 hashes: one signature for a batch, one short proof for each member.
//!
//! Leaves and nodes are hashed in different contexts, so neither can pass for the other. An odd
//! node at the end of a level moves up unchanged.

use crate::hash::{Context, Hash};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most leaves of a tree; bounds a proof to 24 hashes.
pub const LEAVES_MAX: u32 = 1 << 24;

fn leaf(hash: &Hash) -> Hash {
    static CONTEXT: Context = Context::new("opensky merkle leaf 1");
    CONTEXT.hash_bytes(hash.as_bytes())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    static CONTEXT: Context = Context::new("opensky merkle node 1");
    let mut both = [0; 64];
    both[..32].copy_from_slice(left.as_bytes());
    both[32..].copy_from_slice(right.as_bytes());
    CONTEXT.hash_bytes(&both)
}

/// All levels of a tree, from leaves to root.
#[derive(Debug, Clone)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over `leaves`, at least one and at most [`LEAVES_MAX`].
    pub fn new(leaves: &[Hash]) -> Self {
        assert!(!leaves.is_empty() && leaves.len() <= LEAVES_MAX as usize, "a tree has 1 to 2^24 leaves");
        let mut levels = vec![leaves.iter().map(leaf).collect::<Vec<_>>()];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            let above = below.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                odd => odd[0],
            });
            levels.push(above.collect());
        }
        Self { levels }
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.levels[self.levels.len() - 1][0]
    }

    /// The siblings on the way from leaf `index` to the root.
    pub fn proof(&self, index: u32) -> Vec<Hash> {
        let mut position = index as usize;
        let mut proof = Vec::new();
        for level in &self.levels[..self.levels.len() - 1] {
            if let Some(sibling) = level.get(position ^ 1) {
                proof.push(*sibling);
            }
            position /= 2;
        }
        proof
    }
}

/// The right edge of a tree that grows leaf by leaf: all that its root depends on, at most 25 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Frontier {
    count: u32,
    /// Roots of full subtrees, the largest first: one for each bit of `count`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Adds a leaf; a tree that has [`LEAVES_MAX`] stays as it is.
    pub fn push(&mut self, hash: &Hash) {
        if self.count >= LEAVES_MAX {
            return;
        }
        let mut full = leaf(hash);
        for _ in 0..self.count.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            full = node(&left, &full);
        }
        self.peaks.push(full);
        self.count += 1;
    }

    /// The root over all leaves, the same as [`Tree::root`]; none without a leaf.
    pub fn root(&self) -> Option<Hash> {
        let mut peaks = self.peaks.iter().rev();
        let last = *peaks.next()?;
        Some(peaks.fold(last, |right, left| node(left, &right)))
    }
}

/// Whether `hash` is leaf `index` of a tree of `count` leaves with this root.
pub fn verify(root: &Hash, count: u32, index: u32, hash: &Hash, proof: &[Hash]) -> bool {
    if index >= count || count > LEAVES_MAX {
        return false;
    }
    let (mut position, mut width) = (index, count);
    let mut current = leaf(hash);
    let mut siblings = proof.iter();
    while width > 1 {
        if position ^ 1 < width {
            let Some(sibling) = siblings.next() else { return false };
            current = if position & 1 == 0 { node(&current, sibling) } else { node(sibling, &current) };
        }
        position /= 2;
        width = width.div_ceil(2);
    }
    siblings.next().is_none() && current == *root
}
