//! What a snapshot consists of.

use super::Prefix;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    Hash,
    codec::{self, DecodeError},
};
use std::io;

/// Most chunks of a snapshot.
pub const CHUNKS_MAX: usize = 1 << 16;
/// The longest encoding of a [`Manifest`].
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;

const VERSION: u16 = 1;

/// Of which block a snapshot is, and how its key space is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    height: u64,
    root: Hash,
    parts: Vec<Prefix>,
}

/// Why a manifest was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is no manifest at all.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// It is of another block than the one that is trusted.
    #[error(
        "a snapshot of height {found_height} with root {found}; wanted was height {height} with root {root}"
    )]
    OtherBlock { height: u64, root: Hash, found_height: u64, found: Hash },
    /// Its parts leave a gap, overlap, or do not reach the end.
    #[error("part {index} does not start where the one before it ends")]
    Gap { index: usize },
    /// No parts, or too many.
    #[error("{parts} parts; 1 to {CHUNKS_MAX} are allowed")]
    Count { parts: usize },
}

impl Manifest {
    /// A manifest whose parts cover every key once, in order.
    pub fn new(height: u64, root: Hash, parts: Vec<Prefix>) -> Result<Self, ManifestError> {
        if parts.is_empty() || parts.len() > CHUNKS_MAX {
            return Err(ManifestError::Count { parts: parts.len() });
        }
        let mut expected = Some(*Prefix::ALL.first());
        for (index, part) in parts.iter().enumerate() {
            if expected.as_ref() != Some(part.first()) {
                return Err(ManifestError::Gap { index });
            }
            expected = part.next();
        }
        if expected.is_some() {
            return Err(ManifestError::Gap { index: parts.len() });
        }
        Ok(Self { height, root, parts })
    }

    /// Reads a manifest from outside and checks that it is of the block whose header is trusted.
    pub fn decode(bytes: &[u8], height: u64, root: &Hash) -> Result<Self, ManifestError> {
        let read: Self = codec::decode(bytes, MANIFEST_BYTES_MAX)?;
        if (read.height, read.root) != (height, *root) {
            let (found_height, found) = (read.height, read.root);
            return Err(ManifestError::OtherBlock { height, root: *root, found_height, found });
        }
        Self::new(read.height, read.root, read.parts)
    }

    /// The height of the block after which the state was this.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// The state root in that block's header.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The part of each chunk, in order.
    pub fn parts(&self) -> &[Prefix] {
        &self.parts
    }
}

impl BorshSerialize for Manifest {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        (VERSION, self.height, self.root).serialize(writer)?;
        self.parts.serialize(writer)
    }
}

impl BorshDeserialize for Manifest {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (version, height, root) = <(u16, u64, Hash)>::deserialize_reader(reader)?;
        if version != VERSION {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a snapshot format of another version"));
        }
        Ok(Self { height, root, parts: Vec::deserialize_reader(reader)? })
    }
}
