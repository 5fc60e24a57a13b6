//! Blobs between nodes: verified while they stream, resumable at any chunk.
//!
//! BLAKE3 is a tree. The sender first gives the chaining value of each 1 MiB subtree; the receiver
//! merges them up to the hash it asked for, and then checks each chunk on arrival. So a wrong byte
//! is found at once, nothing unverified is ever kept, and the hash is the plain BLAKE3 of the file.
//! Source: the BLAKE3 paper, section 2.1, and the crate's `hazmat` module.

use crate::frame::Message;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::Hash;

mod outboard;
mod plan;

pub use outboard::{Outboard, SubtreeHasher};
pub use plan::{Plan, TransferError};

/// Protocol name and version.
pub const PROTOCOL: &str = "/opensky/blob/1";
/// Bytes of a chunk; the last one may be shorter.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Largest blob that is transferred, in bytes.
pub const BLOB_BYTES_MAX: u64 = 64 << 30;

/// Chunks of a blob of `size_bytes`; none of an empty one.
pub const fn chunk_count(size_bytes: u64) -> u64 {
    size_bytes.div_ceil(CHUNK_BYTES as u64)
}

/// "Send me this blob from chunk `from_chunk` on."
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Fetch {
    /// Its hash.
    pub hash: Hash,
    /// The first chunk wanted. At or past the blob's end: only the reply is wanted.
    pub from_chunk: u32,
}

impl Message for Fetch {
    const SIZE_BYTES_MAX: usize = 64;
}

/// The answer; after `Found` the raw chunks follow without frames.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum FetchReply {
    /// Here it comes. `subtrees` are the chaining values of all chunks; empty for a blob of at most
    /// one chunk, whose bytes are checked against the hash itself.
    Found { size_bytes: u64, subtrees: Vec<[u8; 32]> } = 0,
    /// Not here.
    Missing = 1,
}

impl Message for FetchReply {
    const SIZE_BYTES_MAX: usize = 32 * (BLOB_BYTES_MAX / CHUNK_BYTES as u64) as usize + 64;
}
