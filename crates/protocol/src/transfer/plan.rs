//! The receiver's side: nothing is believed that does not add up to the hash that was asked for.

use super::{
    BLOB_BYTES_MAX, CHUNK_BYTES, chunk_count,
    outboard::{hasher_at, root_of},
};
use blake3::hazmat::{ChainingValue, HasherExt};
use opensky_types::Hash;

/// Why a transfer is not what was asked for. Each one is the sender's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The announced size is over the limit.
    #[error("blob of {size_bytes} bytes is over the limit of {BLOB_BYTES_MAX} bytes")]
    TooLarge { size_bytes: u64 },
    /// The number of subtrees does not fit the announced size.
    #[error("{found} subtrees were sent, but the announced size needs {expected}")]
    WrongCount { found: usize, expected: usize },
    /// The subtrees, or the empty blob, do not have the hash that was asked for.
    #[error("what was announced does not have the hash {expected}")]
    WrongRoot { expected: Hash },
    /// There is no such chunk.
    #[error("there is no chunk {index} in a blob of {count} chunks")]
    NoSuchChunk { index: u32, count: u32 },
    /// A chunk is too long or too short.
    #[error("chunk {index} has {found} bytes instead of {expected}")]
    WrongLength { index: u32, found: usize, expected: usize },
    /// A chunk's bytes are wrong.
    #[error("chunk {index} does not have its announced hash")]
    WrongChunk { index: u32 },
}

/// What a blob's chunks must be, checked against the blob's hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    hash: Hash,
    size_bytes: u64,
    subtrees: Vec<ChainingValue>,
}

impl Plan {
    /// A plan for the blob `hash` from what a sender says of it in [`super::FetchReply::Found`].
    ///
    /// The size is believed only once the last chunk was verified.
    pub fn new(hash: Hash, size_bytes: u64, subtrees: Vec<ChainingValue>) -> Result<Self, TransferError> {
        if size_bytes > BLOB_BYTES_MAX {
            return Err(TransferError::TooLarge { size_bytes });
        }
        let count = chunk_count(size_bytes) as usize;
        let expected = if count <= 1 { 0 } else { count };
        if subtrees.len() != expected {
            return Err(TransferError::WrongCount { found: subtrees.len(), expected });
        }
        let adds_up = match count {
            0 => hash == Hash::of(b""),
            1 => true,
            _ => root_of(&subtrees) == *hash.as_bytes(),
        };
        if adds_up {
            Ok(Self { hash, size_bytes, subtrees })
        } else {
            Err(TransferError::WrongRoot { expected: hash })
        }
    }

    /// The blob's hash.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The blob's announced size, in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Number of chunks; none of an empty blob.
    pub fn chunk_count(&self) -> u32 {
        chunk_count(self.size_bytes) as u32
    }

    /// Where chunk `index` begins in the blob, in bytes.
    pub fn chunk_offset(&self, index: u32) -> u64 {
        u64::from(index) * CHUNK_BYTES as u64
    }

    /// Size of chunk `index`, in bytes; zero past the end.
    pub fn chunk_size_bytes(&self, index: u32) -> usize {
        self.bytes_from(index).min(CHUNK_BYTES as u64) as usize
    }

    /// Bytes that follow from chunk `index` on; zero past the end.
    pub fn bytes_from(&self, index: u32) -> u64 {
        self.size_bytes.saturating_sub(self.chunk_offset(index))
    }

    /// Checks all of chunk `index`. Chunks may be checked in any order, each on its own.
    pub fn verify_chunk(&self, index: u32, bytes: &[u8]) -> Result<(), TransferError> {
        let count = self.chunk_count();
        if index >= count {
            return Err(TransferError::NoSuchChunk { index, count });
        }
        let expected = self.chunk_size_bytes(index);
        if bytes.len() != expected {
            return Err(TransferError::WrongLength { index, found: bytes.len(), expected });
        }
        let right = match self.subtrees.get(index as usize) {
            None => Hash::of(bytes) == self.hash,
            Some(subtree) => hasher_at(index as usize).update(bytes).finalize_non_root() == *subtree,
        };
        if right { Ok(()) } else { Err(TransferError::WrongChunk { index }) }
    }
}
