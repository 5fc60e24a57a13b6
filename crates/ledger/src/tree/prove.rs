//! Proofs that a key has a value, or that it has none.

use super::{
    EMPTY, Tree, bit, common_bits,
    node::{Kind, Link, inner_hash, leaf_hash},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::Hash;
use std::io;

/// Most siblings of a path: one for each bit of a key.
pub const SIBLINGS_MAX: usize = 256;
/// The longest encoding of a [`Path`].
pub const PATH_BYTES_MAX: usize = 1 + 64 + 2 + 32 * SIBLINGS_MAX;

/// What stands where the path to a key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum End {
    /// The key's own leaf: the key has a value.
    Own,
    /// Nothing: the key has none.
    Empty,
    /// The only leaf below this place is another key's: the key has none.
    Other { key: Hash, value: Hash },
}

/// The way from a key's place up to the root. For each key and root exactly one path is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// What stands at its lower end.
    pub end: End,
    /// The hashes beside it, from the root down; [`EMPTY`] where there is nothing.
    pub siblings: Vec<Hash>,
}

/// Why a path proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// More siblings than a key has bits.
    #[error("a path of {siblings} siblings; {SIBLINGS_MAX} at most")]
    TooLong { siblings: usize },
    /// The path ends at a value and none was claimed, or the other way round.
    #[error("the path shows that the key {}, the opposite of what is claimed", if *.present { "has a value" } else { "has no value" })]
    WrongEnd { present: bool },
    /// The leaf that is said to stand in the key's place has no business there.
    #[error("the leaf of {other} does not stand on the path to {key}")]
    Elsewhere { key: Hash, other: Hash },
    /// The path leads to another root.
    #[error("the path leads to root {found}, not {expected}")]
    WrongRoot { expected: Hash, found: Hash },
}

impl Path {
    /// Checks that under `root` the value hash of `key` is `value`, or that it has none.
    pub fn verify(&self, root: &Hash, key: &Hash, value: Option<&Hash>) -> Result<(), PathError> {
        let depth = self.siblings.len();
        if depth > SIBLINGS_MAX {
            return Err(PathError::TooLong { siblings: depth });
        }
        let lowest = match (&self.end, value) {
            (End::Own, Some(value)) => leaf_hash(key, value),
            (End::Empty, None) => EMPTY,
            (End::Other { key: other, value }, None) => {
                if other == key || common_bits(other, key) < depth {
                    return Err(PathError::Elsewhere { key: *key, other: *other });
                }
                leaf_hash(other, value)
            }
            (end, _) => return Err(PathError::WrongEnd { present: matches!(end, End::Own) }),
        };
        let found = fold(key, &self.siblings, lowest);
        if found == *root { Ok(()) } else { Err(PathError::WrongRoot { expected: *root, found }) }
    }
}

/// The root above a subtree with hash `lowest` on the way to `key`, at the depth of the last sibling.
pub(crate) fn fold(key: &Hash, siblings: &[Hash], lowest: Hash) -> Hash {
    siblings.iter().enumerate().rev().fold(lowest, |below, (depth, sibling)| {
        if bit(key, depth) { inner_hash(sibling, &below) } else { inner_hash(&below, sibling) }
    })
}

impl Tree {
    /// The proof that `key` has the value it has, or none.
    pub fn prove(&self, key: &Hash) -> Path {
        let (link, siblings) = self.descend(key, SIBLINGS_MAX);
        let end = match link.kind() {
            Kind::Leaf(at) => {
                let leaf = self.leaves.get(at);
                if leaf.key == *key { End::Own } else { End::Other { key: leaf.key, value: leaf.value } }
            }
            Kind::Empty => End::Empty,
            Kind::Inner(_) => unreachable!("a node at depth 256 would have two keys below it that are one"),
        };
        Path { end, siblings }
    }

    /// The siblings of the subtree at `depth` on the way to `key`; fewer, if the way ends before.
    pub(crate) fn siblings_above(&self, key: &Hash, depth: usize) -> Vec<Hash> {
        self.descend(key, depth).1
    }

    fn descend(&self, key: &Hash, depth_max: usize) -> (Link, Vec<Hash>) {
        let (mut link, mut siblings) = (self.root.link, Vec::new());
        while let Kind::Inner(at) = link.kind()
            && siblings.len() < depth_max
        {
            let (node, side) = (self.inner.get(at), bit(key, siblings.len()));
            siblings.push(node.child(!side).hash);
            link = node.child(side).link;
        }
        (link, siblings)
    }
}

/// Two bytes of length, then the hashes.
pub(crate) fn write_siblings(siblings: &[Hash], writer: &mut impl io::Write) -> io::Result<()> {
    let count = u16::try_from(siblings.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    count.serialize(writer)?;
    siblings.iter().try_for_each(|hash| hash.serialize(writer))
}

/// Refuses more than [`SIBLINGS_MAX`] before it reads the first.
pub(crate) fn read_siblings(reader: &mut impl io::Read) -> io::Result<Vec<Hash>> {
    let count = usize::from(u16::deserialize_reader(reader)?);
    if count > SIBLINGS_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "more siblings than a key has bits"));
    }
    (0..count).map(|_| Hash::deserialize_reader(reader)).collect()
}

impl BorshSerialize for Path {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.end.serialize(writer)?;
        write_siblings(&self.siblings, writer)
    }
}

impl BorshDeserialize for Path {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self { end: End::deserialize_reader(reader)?, siblings: read_siblings(reader)? })
    }
}
