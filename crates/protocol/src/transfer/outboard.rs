//! The sender's side: one pass over a blob gives its hash and its subtrees.

use super::{BLOB_BYTES_MAX, CHUNK_BYTES, FetchReply};
use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
use opensky_types::Hash;

/// What a receiver needs to check a blob chunk by chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outboard {
    /// BLAKE3 of the whole blob.
    pub hash: Hash,
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// The chaining value of each chunk; empty for a blob of at most one chunk.
    pub subtrees: Vec<ChainingValue>,
}

impl Outboard {
    /// The answer to a fetch of this blob, or `Missing` where the blob is too large to be sent.
    pub fn into_reply(self) -> FetchReply {
        if self.size_bytes > BLOB_BYTES_MAX {
            return FetchReply::Missing;
        }
        FetchReply::Found { size_bytes: self.size_bytes, subtrees: self.subtrees }
    }
}

/// Computes an [`Outboard`] while a blob is read or written, in pieces of any size.
pub struct SubtreeHasher {
    finished: Vec<ChainingValue>,
    current: blake3::Hasher,
    /// Bytes that `current` has seen, at most a chunk.
    current_bytes: usize,
}

impl Default for SubtreeHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl SubtreeHasher {
    /// Before the first byte.
    pub fn new() -> Self {
        Self { finished: Vec::new(), current: blake3::Hasher::new(), current_bytes: 0 }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // Only when more comes: the last chunk of a blob must not be left empty.
            if self.current_bytes == CHUNK_BYTES {
                self.finished.push(self.current.finalize_non_root());
                self.current = hasher_at(self.finished.len());
                self.current_bytes = 0;
            }
            let (piece, rest) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.current_bytes));
            self.current.update(piece);
            self.current_bytes += piece.len();
            bytes = rest;
        }
    }

    /// After the last byte.
    pub fn finish(mut self) -> Outboard {
        let size_bytes = (self.finished.len() * CHUNK_BYTES + self.current_bytes) as u64;
        let hash = if self.finished.is_empty() {
            self.current.finalize()
        } else {
            self.finished.push(self.current.finalize_non_root());
            root_of(&self.finished)
        };
        Outboard { hash: Hash::from_bytes(*hash.as_bytes()), size_bytes, subtrees: self.finished }
    }
}

/// A hasher for the chunk at this position of a blob.
pub(super) fn hasher_at(index: usize) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(index as u64 * CHUNK_BYTES as u64);
    hasher
}

/// The hash of a blob of two or more chunks, from their chaining values.
pub(super) fn root_of(subtrees: &[ChainingValue]) -> blake3::Hash {
    let (left, right) = subtrees.split_at(left_len(subtrees.len()));
    merge_subtrees_root(&merge(left), &merge(right), Mode::Hash)
}

fn merge(subtrees: &[ChainingValue]) -> ChainingValue {
    match subtrees {
        [one] => *one,
        more => {
            let (left, right) = more.split_at(left_len(more.len()));
            merge_subtrees_non_root(&merge(left), &merge(right), Mode::Hash)
        }
    }
}

/// BLAKE3 paper, section 2.1: the left subtree is the largest full one that leaves something over.
fn left_len(subtrees: usize) -> usize {
    subtrees.div_ceil(2).next_power_of_two()
}
