//! One chunk: entries, and the proof that they are all there are in their part of the key space.

use super::Prefix;
use crate::{
    proof::{ENTRY_BYTES_MAX, KEY_BYTES_MAX},
    tree::{self, Changes, SIBLINGS_MAX},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    Hash,
    codec::{self, DecodeError},
};
use std::io;

/// Records of more bytes than this are cut in two, down to a single record.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// The longest encoding of a [`Chunk`].
pub const CHUNK_BYTES_MAX: usize = CHUNK_BYTES + 4 + 2 + 32 + 2 + 32 * SIBLINGS_MAX;

/// An entry of the state with its key, both encoded.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// The encoded key.
    pub key: Vec<u8>,
    /// The encoded entry.
    pub entry: Vec<u8>,
}

impl Record {
    /// Bytes that this record takes in a chunk.
    pub(super) fn size_bytes(&self) -> usize {
        8 + self.key.len() + self.entry.len()
    }
}

/// All entries of one part of the key space, in the order of their key hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The part.
    pub prefix: Prefix,
    /// The hashes beside its subtree, from the root down; one for each bit of the prefix.
    pub siblings: Vec<Hash>,
    /// The entries.
    pub records: Vec<Record>,
}

/// Why a chunk was not accepted. Whoever sent it lies or is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// It is no chunk at all.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// It is another part of the state than was asked for.
    #[error("the chunk from {found} was sent instead of the one from {expected}")]
    OtherPart { expected: Hash, found: Hash },
    /// Its proof has another length than its prefix.
    #[error("a chunk at depth {depth} with {siblings} siblings")]
    WrongDepth { depth: usize, siblings: usize },
    /// A key or an entry is larger than any in a state.
    #[error("record {index} is too large for a state")]
    TooLarge { index: usize },
    /// A record belongs to another chunk, or stands in the wrong place.
    #[error("record {index} is out of order or belongs to another chunk")]
    Misplaced { index: usize },
    /// An entry is wrong, missing or added.
    #[error("the chunk leads to root {found}, not {expected}")]
    WrongRoot { expected: Hash, found: Hash },
}

impl Chunk {
    /// Reads a chunk from outside.
    pub fn decode(bytes: &[u8]) -> Result<Self, ChunkError> {
        Ok(codec::decode(bytes, CHUNK_BYTES_MAX)?)
    }

    /// Checks that under `root` these are exactly the entries of `part`, and returns the entries of the
    /// tree: key hashes with value hashes, in order.
    pub fn verify(&self, root: &Hash, part: &Prefix) -> Result<Vec<(Hash, Hash)>, ChunkError> {
        if self.prefix != *part {
            return Err(ChunkError::OtherPart { expected: *part.first(), found: *self.prefix.first() });
        }
        let depth = self.prefix.len();
        if self.siblings.len() != depth {
            return Err(ChunkError::WrongDepth { depth, siblings: self.siblings.len() });
        }
        let entries = self.leaves()?;
        let changes: Changes = entries.iter().map(|(key, value)| (*key, Some(*value))).collect();
        let found = tree::fold(self.prefix.first(), &self.siblings, tree::hash_of(&changes, depth));
        if found == *root { Ok(entries) } else { Err(ChunkError::WrongRoot { expected: *root, found }) }
    }

    fn leaves(&self) -> Result<Vec<(Hash, Hash)>, ChunkError> {
        let mut leaves: Vec<(Hash, Hash)> = Vec::with_capacity(self.records.len());
        for (index, record) in self.records.iter().enumerate() {
            if record.key.len() > KEY_BYTES_MAX || record.entry.len() > ENTRY_BYTES_MAX {
                return Err(ChunkError::TooLarge { index });
            }
            let key = tree::key_hash(&record.key);
            if !self.prefix.holds(&key) || leaves.last().is_some_and(|(before, _)| *before >= key) {
                return Err(ChunkError::Misplaced { index });
            }
            leaves.push((key, tree::value_hash(&record.entry)));
        }
        Ok(leaves)
    }
}

impl BorshSerialize for Chunk {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.prefix.serialize(writer)?;
        tree::write_siblings(&self.siblings, writer)?;
        self.records.serialize(writer)
    }
}

impl BorshDeserialize for Chunk {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self {
            prefix: Prefix::deserialize_reader(reader)?,
            siblings: tree::read_siblings(reader)?,
            records: Vec::deserialize_reader(reader)?,
        })
    }
}
