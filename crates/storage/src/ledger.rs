//! The sky's ledger in one redb file: blocks, borders of epochs, history and snapshots.

mod blocks;
mod error;
mod snapshots;
mod tables;

pub use error::LedgerStoreError;

use crate::{
    file::{Fault, FileKind, Format, Medium, RedbFile},
    rows::{KeptSnapshotRow, SpanRow},
    settings,
};
use redb::Durability;
use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The ledger's name in its folder.
pub const LEDGER_FILE: &str = "ledger.redb";
/// The ledger's format that this version writes.
pub const LEDGER_FORMAT_VERSION: u64 = 1;
/// The largest block, in bytes.
pub const BLOCK_BYTES_MAX: usize = 16 << 20;
/// The largest chunk of a snapshot, in bytes.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;

/// Bytes of chunks that are written in one transaction.
const TRANSACTION_BYTES_MAX: usize = 16 << 20;
/// Chunks that are written or dropped in one transaction.
const TRANSACTION_CHUNKS_MAX: usize = 256;

const FORMAT: Format = Format {
    kind: FileKind::Ledger,
    version: LEDGER_FORMAT_VERSION,
    quick_repair: true,
    create: tables::create,
    migrate: |_, _| Err(Fault::Damaged("format version")),
};

/// A block as it is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockRow {
    /// Distance from genesis.
    pub height: u64,
    /// The block with its certificate, at most [`BLOCK_BYTES_MAX`].
    pub sealed: Vec<u8>,
    /// For the last block of an epoch: the epoch, and header and certificate, which are kept for
    /// ever.
    pub border: Option<(u64, Vec<u8>)>,
}

/// One line of an account's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// Whose it is.
    pub account: [u8; 32],
    /// The height of the block it comes from.
    pub height: u64,
    /// Its place among the lines of that block.
    pub index: u32,
    /// What it says.
    pub line: Vec<u8>,
}

/// A complete snapshot, without its chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The height of the block after which the state was this.
    pub height: u64,
    /// What proves that block.
    pub head: Vec<u8>,
    /// What the chunks are.
    pub manifest: Vec<u8>,
    /// How many there are.
    pub chunks: u32,
}

/// Blocks without a gap, the borders of all epochs, history and the last two snapshots, as bytes
/// whose meaning others know.
///
/// All methods block. A write that fails because the disk is full leaves the store readable, and
/// later writes try again; blocks that were not synced may be gone then, the newest first, and
/// [`LedgerStore::newest`] says which are left. After any other failed write the store stays closed
/// until the process starts anew. Damage is found when a row is read, and is an error.
pub struct LedgerStore {
    file: RedbFile,
    /// The height that was to come next after the last acknowledged change.
    acknowledged_next: Mutex<u64>,
    /// Puts those who write snapshots in a row.
    snapshots: Mutex<()>,
}

impl LedgerStore {
    /// Opens the store of `folder`, making it if it is not there. What is left of a snapshot that
    /// was not completed is removed.
    pub fn open(folder: &Path) -> Result<Self, LedgerStoreError> {
        Self::of(Medium::File(folder.join(LEDGER_FILE)))
    }

    /// Opens the store on the disk of a simulation.
    #[cfg(any(test, feature = "testing"))]
    pub fn on(disk: crate::SimulatedDisk) -> Result<Self, LedgerStoreError> {
        Self::of(Medium::Simulated(disk))
    }

    fn of(medium: Medium) -> Result<Self, LedgerStoreError> {
        let file = RedbFile::open(medium, &FORMAT)?;
        let next = file.read("the span of blocks", blocks::span)?.next;
        let store = Self { file, acknowledged_next: Mutex::new(next), snapshots: Mutex::new(()) };
        store.drop_unfinished_or_warn();
        Ok(store)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Reads the whole file and checks every page; minutes for tens of gigabytes. `false`: damage
    /// was found. Waits for what is running and makes others wait.
    pub fn is_intact(&self) -> Result<bool, LedgerStoreError> {
        Ok(self.file.is_intact()?)
    }

    /// Adds blocks directly above the newest one, and lines of history, in one transaction. The
    /// first block of an empty store is the one above the height of the last
    /// [`LedgerStore::restart_at`], or 1. Without `sync` a power cut may take it back until the next
    /// synced write.
    pub fn append(
        &self,
        blocks: &[BlockRow],
        history: &[HistoryRow],
        sync: bool,
    ) -> Result<(), LedgerStoreError> {
        blocks.iter().try_for_each(|block| check_size("block", &block.sealed, BLOCK_BYTES_MAX))?;
        let durability = if sync { Durability::Immediate } else { Durability::None };
        let mut acknowledged_next = self.acknowledged_next();
        let outcome = self.file.write_or_refuse(durability, |writer| blocks::append(writer, blocks, history));
        *acknowledged_next = outcome??;
        Ok(())
    }

    /// Makes all earlier writes durable.
    pub fn sync(&self) -> Result<(), LedgerStoreError> {
        let mut acknowledged_next = self.acknowledged_next();
        let span = self.file.write(Durability::Immediate, blocks::span_of_writer)?;
        let expected = std::mem::replace(&mut *acknowledged_next, span.next);
        if span.next < expected { Err(LedgerStoreError::Lost { from: span.next }) } else { Ok(()) }
    }

    /// The height of the highest block held.
    pub fn newest(&self) -> Result<Option<u64>, LedgerStoreError> {
        Ok(self.span()?.newest())
    }

    /// The height of the lowest block held.
    pub fn oldest(&self) -> Result<Option<u64>, LedgerStoreError> {
        Ok(self.span()?.oldest())
    }

    /// The blocks of heights `from`, `from + 1` and so on, at most `count_max` and at most
    /// `bytes_max` of them, but one at least if there is one.
    pub fn blocks(
        &self,
        from: u64,
        bytes_max: usize,
        count_max: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, LedgerStoreError> {
        Ok(self.file.read("blocks", |reader| blocks::blocks(reader, from, bytes_max, count_max))?)
    }

    /// Borders of epochs from `from_epoch` on, with their epochs, in order.
    pub fn borders(
        &self,
        from_epoch: u64,
        count_max: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, LedgerStoreError> {
        Ok(self.file.read("borders", |reader| blocks::borders(reader, from_epoch, count_max))?)
    }

    /// Keeps borders that came with a snapshot. Synced.
    pub fn put_borders(&self, borders: &[(u64, Vec<u8>)]) -> Result<(), LedgerStoreError> {
        Ok(self.file.write(Durability::Immediate, |writer| blocks::put_borders(writer, borders))?)
    }

    /// Lines of an account's history, newest first: those before the given height and index.
    pub fn history(
        &self,
        account: &[u8; 32],
        before: Option<(u64, u32)>,
        limit: usize,
    ) -> Result<Vec<HistoryRow>, LedgerStoreError> {
        Ok(self.file.read("history", |reader| blocks::history(reader, account, before, limit))?)
    }

    /// Drops all blocks after a snapshot was taken over from peers: the block above `height` is next.
    /// Borders and history stay. Synced.
    pub fn restart_at(&self, height: u64) -> Result<(), LedgerStoreError> {
        let mut acknowledged_next = self.acknowledged_next();
        let next = self.file.write(Durability::Immediate, |writer| blocks::restart_at(writer, height))?;
        *acknowledged_next = next;
        Ok(())
    }

    /// Drops blocks below `below`, oldest first, at most `count_max`, and says how many. Blocks above
    /// the newest complete snapshot stay, and so does the newest block. Durable with the next synced
    /// write.
    pub fn prune(&self, below: u64, count_max: usize) -> Result<usize, LedgerStoreError> {
        let Some(snapshot) = self.snapshot()? else { return Ok(0) };
        let end = below.min(snapshot.height.saturating_add(1));
        Ok(self.file.write(Durability::None, |writer| blocks::prune(writer, end, count_max))?)
    }

    /// Keeps a snapshot and the one before it, which peers may still be fetching, and drops all
    /// others. It becomes visible with its last chunk, and all earlier writes are durable then; a
    /// failure or crash before that leaves the snapshots as they were.
    pub fn put_snapshot(
        &self,
        height: u64,
        head: &[u8],
        manifest: &[u8],
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), LedgerStoreError> {
        let _alone = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        self.drop_unfinished()?;
        let number = self.file.read("snapshots", snapshots::next_number)?;
        let outcome = self.put_chunks(number, chunks).and_then(|chunks| {
            let row = KeptSnapshotRow { height, chunks, head, manifest };
            Ok(self.file.write(Durability::Immediate, |writer| snapshots::complete(writer, number, &row))?)
        });
        self.drop_unfinished_or_warn();
        outcome
    }

    /// The newest complete snapshot.
    pub fn snapshot(&self) -> Result<Option<SnapshotRow>, LedgerStoreError> {
        let row = self.file.read("the snapshot", snapshots::newest)?;
        Ok(row.map(|KeptSnapshotRow { height, chunks, head, manifest }| SnapshotRow {
            height,
            head,
            manifest,
            chunks,
        }))
    }

    /// A chunk of the newest complete snapshot or the one before it.
    pub fn snapshot_chunk(&self, height: u64, index: u32) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        Ok(self.file.read("a snapshot chunk", |reader| snapshots::chunk(reader, height, index))?)
    }

    /// A value that was put under `name`.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        Ok(self.file.read("a setting", |reader| settings::get(reader, name))?)
    }

    /// Puts a value under `name`, for the node's own marks. Synced.
    pub fn put_setting(&self, name: &str, value: &[u8]) -> Result<(), LedgerStoreError> {
        Ok(self.file.write(Durability::Immediate, |writer| settings::put(writer, name, value))?)
    }

    fn span(&self) -> Result<SpanRow, LedgerStoreError> {
        Ok(self.file.read("the span of blocks", blocks::span)?)
    }

    fn acknowledged_next(&self) -> MutexGuard<'_, u64> {
        self.acknowledged_next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the chunks of a snapshot and counts them. Each transaction is synced, so that little
    /// waits in memory.
    fn put_chunks(
        &self,
        number: u64,
        chunks: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<u32, LedgerStoreError> {
        let mut count = 0;
        loop {
            let batch = next_batch(chunks)?;
            if batch.is_empty() {
                return Ok(count);
            }
            self.file.write(Durability::Immediate, |writer| {
                snapshots::put_chunks(writer, number, count, &batch)
            })?;
            count += batch.len() as u32;
        }
    }

    /// Removes chunks of snapshots that were not completed or are kept no longer.
    fn drop_unfinished(&self) -> Result<(), LedgerStoreError> {
        while let Some(number) = self.file.read("snapshots", snapshots::unfinished)? {
            self.file.write(Durability::Immediate, |writer| {
                snapshots::drop_chunks(writer, number, TRANSACTION_CHUNKS_MAX)
            })?;
        }
        Ok(())
    }

    /// The same where nothing depends on it: the next snapshot and the next start try again.
    fn drop_unfinished_or_warn(&self) {
        if let Err(error) = self.drop_unfinished() {
            tracing::warn!(path = %self.path().display(), %error, "chunks of old snapshots stay for now");
        }
    }
}

/// The chunks of one transaction; none at the end.
fn next_batch(chunks: &mut dyn Iterator<Item = Vec<u8>>) -> Result<Vec<Vec<u8>>, LedgerStoreError> {
    let mut batch = Vec::new();
    let mut size_bytes = 0;
    while batch.len() < TRANSACTION_CHUNKS_MAX
        && size_bytes + CHUNK_BYTES_MAX <= TRANSACTION_BYTES_MAX
        && let Some(chunk) = chunks.next()
    {
        check_size("snapshot chunk", &chunk, CHUNK_BYTES_MAX)?;
        size_bytes += chunk.len();
        batch.push(chunk);
    }
    Ok(batch)
}

fn check_size(what: &'static str, bytes: &[u8], size_bytes_max: usize) -> Result<(), LedgerStoreError> {
    if bytes.len() > size_bytes_max {
        return Err(LedgerStoreError::TooLarge { what, size_bytes: bytes.len(), size_bytes_max });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
