//! The ledger's tables and their keys.

use crate::{
    file::{Fault, META},
    rows::SpanRow,
    settings,
};
use redb::{TableDefinition, WriteTransaction};

type Bytes = &'static [u8];

/// Which blocks are held, under [`SPAN_KEY`].
pub(super) const SPAN: TableDefinition<&str, Bytes> = TableDefinition::new("span");
/// The one key of [`SPAN`].
pub(super) const SPAN_KEY: &str = "blocks";
/// Blocks with their certificates, by height.
pub(super) const BLOCKS: TableDefinition<u64, Bytes> = TableDefinition::new("blocks");
/// Header and certificate of each epoch's last block, by epoch.
pub(super) const BORDERS: TableDefinition<u64, Bytes> = TableDefinition::new("borders");
/// Lines of history by account, height and index.
pub(super) const HISTORY: TableDefinition<([u8; 32], u64, u32), Bytes> = TableDefinition::new("history");
/// Complete snapshots by number: a later one has a higher number.
pub(super) const SNAPSHOTS: TableDefinition<u64, Bytes> = TableDefinition::new("snapshots");
/// Chunks by number of the snapshot and index. Those whose number is not in [`SNAPSHOTS`] belong to
/// a snapshot that was not completed or is kept no longer.
pub(super) const CHUNKS: TableDefinition<(u64, u32), Bytes> = TableDefinition::new("snapshot_chunks");

/// Makes every table, so that readers find them all.
pub(super) fn create(writer: &WriteTransaction) -> Result<(), Fault> {
    writer.open_table(META)?;
    writer.open_table(BLOCKS)?;
    writer.open_table(BORDERS)?;
    writer.open_table(HISTORY)?;
    writer.open_table(SNAPSHOTS)?;
    writer.open_table(CHUNKS)?;
    writer.open_table(settings::TABLE)?;
    super::blocks::set_span(writer, SpanRow::above(0))
}
