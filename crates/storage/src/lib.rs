//! What a node keeps on its disk.
//!
//! What it is: [`RedbJournal`], the facts that must survive a crash, in one redb file, and
//! [`FileBlobs`], content-addressed files under a cap. Both detect damage instead of passing it on,
//! and formats carry versions that older files are migrated from. What it never does: decide what
//! is worth keeping, or talk to anyone. Start at [`RedbJournal::open`] and [`FileBlobs::open`].

mod blobs;
mod journal;
mod migrations;
mod rows;

pub use blobs::{Condition, FileBlobs};
pub use journal::{JOURNAL_FILE, OpenError, RedbJournal};
pub use migrations::FORMAT_VERSION;
