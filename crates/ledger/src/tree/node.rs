//! Nodes of the tree, and how they are hashed.

use opensky_types::Hash;

/// The hash of a subtree without entries, and the root of a tree without entries.
pub const EMPTY: Hash = Hash::from_bytes([0; 32]);

// Keys of BLAKE3's keyed mode. They are no secrets: they keep four uses of one function apart.
const LEAF: &[u8; 32] = b"opensky ledger state tree leaf 1";
const INNER: &[u8; 32] = b"opensky ledger state tree node 1";
const KEY: &[u8; 32] = b"opensky ledger state tree keys 1";
const VALUE: &[u8; 32] = b"opensky ledger state tree vals 1";

fn keyed(key: &[u8; 32], bytes: &[u8]) -> Hash {
    Hash::from_bytes(*blake3::keyed_hash(key, bytes).as_bytes())
}

fn keyed_pair(key: &[u8; 32], first: &Hash, second: &Hash) -> Hash {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(first.as_bytes());
    bytes[32..].copy_from_slice(second.as_bytes());
    keyed(key, &bytes)
}

/// Where the entry of an encoded key stands in the tree.
pub fn key_hash(encoded_key: &[u8]) -> Hash {
    keyed(KEY, encoded_key)
}

/// What the tree holds of an encoded entry.
pub fn value_hash(encoded_entry: &[u8]) -> Hash {
    keyed(VALUE, encoded_entry)
}

pub(super) fn leaf_hash(key: &Hash, value: &Hash) -> Hash {
    keyed_pair(LEAF, key, value)
}

pub(super) fn inner_hash(left: &Hash, right: &Hash) -> Hash {
    keyed_pair(INNER, left, right)
}

/// Bit `depth` of a key, counted from its first bit: the side on which it stands below that depth.
pub(crate) fn bit(key: &Hash, depth: usize) -> bool {
    key.as_bytes()[depth / 8] >> (7 - depth % 8) & 1 == 1
}

/// How many first bits two keys share.
pub(crate) fn common_bits(one: &Hash, other: &Hash) -> usize {
    let pairs = one.as_bytes().iter().zip(other.as_bytes());
    let differing = pairs.enumerate().find(|(_, (one, other))| one != other);
    differing.map_or(256, |(index, (one, other))| index * 8 + (one ^ other).leading_zeros() as usize)
}

/// An entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub key: Hash,
    pub value: Hash,
}

impl Leaf {
    pub fn hash(&self) -> Hash {
        leaf_hash(&self.key, &self.value)
    }
}

/// A branching, or a bit on the way to one. It holds the hashes of what is below it, so that a pass
/// down a path reads the path only, and not a cold sibling at each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inner {
    pub left: Node,
    pub right: Node,
}

impl Inner {
    pub fn child(&self, right: bool) -> Node {
        if right { self.right } else { self.left }
    }

    pub fn hash(&self) -> Hash {
        inner_hash(&self.left.hash, &self.right.hash)
    }
}

/// A subtree as the one above it knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub hash: Hash,
    pub link: Link,
}

impl Node {
    pub const EMPTY: Self = Self { hash: EMPTY, link: Link::EMPTY };
}

impl Default for Node {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// A place in one of the two arenas, or nothing, in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link(u32);

/// What a [`Link`] leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    Leaf(u32),
    Inner(u32),
}

impl Link {
    pub const EMPTY: Self = Self(u32::MAX);
    const LEAF_BIT: u32 = 1 << 31;

    pub fn leaf(at: u32) -> Self {
        assert!(at < Self::LEAF_BIT - 1, "a tree holds fewer than 2^31 leaves");
        Self(at | Self::LEAF_BIT)
    }

    pub fn inner(at: u32) -> Self {
        assert!(at < Self::LEAF_BIT, "a tree holds fewer than 2^31 inner nodes");
        Self(at)
    }

    pub fn kind(self) -> Kind {
        match self.0 {
            u32::MAX => Kind::Empty,
            at if at & Self::LEAF_BIT != 0 => Kind::Leaf(at & !Self::LEAF_BIT),
            at => Kind::Inner(at),
        }
    }
}
