//! Rows of the sky's ledger.

use borsh::{BorshDeserialize, BorshSerialize};

/// Which blocks are held: those of heights `first..next`, without a gap. The next one to come has
/// height `next`, also where none is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct SpanRow {
    pub first: u64,
    pub next: u64,
}

impl SpanRow {
    pub const VERSION: u8 = 1;

    /// No block yet; the one after `height` is next.
    pub fn above(height: u64) -> Self {
        let next = height.saturating_add(1);
        Self { first: next, next }
    }

    /// The highest block held.
    pub fn newest(&self) -> Option<u64> {
        (self.first < self.next).then(|| self.next - 1)
    }

    /// The lowest block held.
    pub fn oldest(&self) -> Option<u64> {
        (self.first < self.next).then_some(self.first)
    }
}

/// A complete snapshot. Its chunks are rows of their own.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct KeptSnapshotRow<B = Vec<u8>> {
    pub height: u64,
    pub chunks: u32,
    pub head: B,
    pub manifest: B,
}

impl KeptSnapshotRow {
    pub const VERSION: u8 = 1;
}

/// The bytes that the check of a snapshot's chunk covers for its key, number and index.
pub(crate) fn chunk_key_bytes(key: &(u64, u32)) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&key.0.to_be_bytes());
    bytes[8..].copy_from_slice(&key.1.to_be_bytes());
    bytes
}

/// The bytes that the check of a line of history covers for its key: account, height and index.
pub(crate) fn history_key_bytes(key: &([u8; 32], u64, u32)) -> [u8; 44] {
    let mut bytes = [0; 44];
    bytes[..32].copy_from_slice(&key.0);
    bytes[32..40].copy_from_slice(&key.1.to_be_bytes());
    bytes[40..].copy_from_slice(&key.2.to_be_bytes());
    bytes
}
