//! What a node keeps on its disk.
//!
//! What it is: [`RedbJournal`], the facts that must survive a crash, and [`LedgerStore`], the sky's
//! blocks and snapshots, each in one redb file; and [`FileBlobs`], content-addressed files under a
//! cap. All detect damage instead of passing it on, and formats carry versions that older files are
//! migrated from. What it never does: decide what is worth keeping, or talk to anyone. Start at
//! [`RedbJournal::open`], [`LedgerStore::open`] and [`FileBlobs::open`].

mod blobs;
mod file;
mod journal;
mod ledger;
mod migrations;
mod rows;
mod settings;

pub use blobs::{Condition, FileBlobs};
#[cfg(any(test, feature = "testing"))]
pub use file::simulated::{DiskFault, SimulatedDisk};
pub use file::{FileKind, OpenError};
pub use journal::{JOURNAL_FILE, RedbJournal};
pub use ledger::{
    BLOCK_BYTES_MAX, BlockRow, CHUNK_BYTES_MAX, HistoryRow, LEDGER_FILE, LEDGER_FORMAT_VERSION, LedgerStore,
    LedgerStoreError, SnapshotRow,
};
pub use migrations::FORMAT_VERSION;
#[cfg(any(test, feature = "testing"))]
pub use rows::{ROW_KINDS, RowKind};
