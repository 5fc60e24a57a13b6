//! The authenticated map: 32-byte key hashes to 32-byte value hashes, under one root.
//!
//! A binary radix tree in which a subtree with a single leaf is that leaf, whatever its depth, and
//! an empty subtree is a hash of zeros. So the shape, and with it the root, depends on the content
//! only, and a proof is as long as the tree is deep at that place: about log2(entries) + 1 hashes.
//!
//! Source: the Jellyfish Merkle Tree (Gao, Hu, Wu, 2021), in its binary form; the idea of collapsed
//! subtrees is in Dahlberg, Pulls and Peeters, "Efficient Sparse Merkle Trees" (2016). Unlike theirs
//! this one lives in memory and keeps no past versions. What is not final yet is a [`Draft`] that shares
//! its nodes; [`Tree::root_with`] only looks.
//!
//! Leaf and inner node are BLAKE3 in keyed mode, under two keys that nothing else uses, over exactly
//! 64 bytes: one compression each. A leaf names its whole key, so that it can't stand in for another.
//!
//! Keys are hashes of what users choose: who grinds for keys with `n` first bits in common pays about
//! 2^(n/2) hashes and makes one path `n` nodes deep, at most 256.

mod arena;
mod changes;
mod check;
mod drafts;
mod node;
mod preview;
mod prove;
mod write;

pub use changes::{Change, Changes};
pub use drafts::{Draft, DraftGone};
pub use node::{EMPTY, key_hash, value_hash};
pub use prove::{End, PATH_BYTES_MAX, Path, PathError, SIBLINGS_MAX};

pub(crate) use node::{bit, common_bits};
pub(crate) use preview::hash_of;
pub(crate) use prove::{fold, read_siblings, write_siblings};

use arena::Arena;
use drafts::Drafts;
use node::{Inner, Kind, Leaf, Node};
use opensky_types::Hash;

/// The tree, in memory: about 170 bytes an entry.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    inner: Arena<Inner>,
    leaves: Arena<Leaf>,
    root: Node,
    drafts: Drafts,
}

impl Tree {
    /// A tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of these entries, built from the bottom in one pass; of two for one key the later counts.
    pub fn from_entries(entries: impl IntoIterator<Item = (Hash, Hash)>) -> Self {
        let mut tree = Self::new();
        tree.update(&entries.into_iter().map(|(key, value)| (key, Some(value))).collect());
        tree
    }

    /// The root: [`EMPTY`] for a tree without entries.
    pub fn root(&self) -> Hash {
        self.root.hash
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        let drafted = self.drafts.made().filter(|link| matches!(link.kind(), Kind::Leaf(_))).count();
        self.leaves.len() - drafted
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.root == Node::EMPTY
    }

    /// The value hash of `key`.
    pub fn get(&self, key: &Hash) -> Option<Hash> {
        let mut link = self.root.link;
        for depth in 0.. {
            match link.kind() {
                Kind::Empty => return None,
                Kind::Leaf(at) => {
                    let leaf = self.leaves.get(at);
                    return (leaf.key == *key).then_some(leaf.value);
                }
                Kind::Inner(at) => link = self.inner.get(at).child(bit(key, depth)).link,
            }
        }
        None
    }

    /// Bytes of memory held.
    pub fn memory_bytes(&self) -> usize {
        self.inner.memory_bytes() + self.leaves.memory_bytes()
    }
}
