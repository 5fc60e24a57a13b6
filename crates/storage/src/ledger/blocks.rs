//! Blocks, borders and history inside one transaction.

use super::{BlockRow, HistoryRow, LedgerStoreError, tables};
use crate::{
    file::Fault,
    rows::{PLAIN_VERSION, SpanRow, history_key_bytes, seal, unseal},
};
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

/// Which blocks are held.
pub(super) fn span(reader: &ReadTransaction) -> Result<SpanRow, Fault> {
    span_in(&reader.open_table(tables::SPAN)?)
}

/// The same, as the transaction under way has it.
pub(super) fn span_of_writer(writer: &WriteTransaction) -> Result<SpanRow, Fault> {
    span_in(&writer.open_table(tables::SPAN)?)
}

fn span_in(table: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<SpanRow, Fault> {
    let damaged = Fault::Damaged("span of blocks");
    let Some(row) = table.get(tables::SPAN_KEY)? else { return Err(damaged) };
    unseal("span of blocks", SpanRow::VERSION, tables::SPAN_KEY.as_bytes(), row.value())
}

pub(super) fn set_span(writer: &WriteTransaction, span: SpanRow) -> Result<(), Fault> {
    let row = seal(SpanRow::VERSION, tables::SPAN_KEY.as_bytes(), &span);
    writer.open_table(tables::SPAN)?.insert(tables::SPAN_KEY, row.as_slice())?;
    Ok(())
}

/// Adds blocks that follow the newest, and history. Answers the height that is next then.
pub(super) fn append(
    writer: &WriteTransaction,
    blocks: &[BlockRow],
    history: &[HistoryRow],
) -> Result<Result<u64, LedgerStoreError>, Fault> {
    let mut span = span_of_writer(writer)?;
    let mut table = writer.open_table(tables::BLOCKS)?;
    let mut borders = writer.open_table(tables::BORDERS)?;
    for block in blocks {
        if block.height != span.next {
            return Ok(Err(LedgerStoreError::NotContiguous { expected: span.next, found: block.height }));
        }
        insert(&mut table, block.height, &block.sealed)?;
        if let Some((epoch, border)) = &block.border {
            insert(&mut borders, *epoch, border)?;
        }
        span.next = span.next.saturating_add(1);
    }
    let mut lines = writer.open_table(tables::HISTORY)?;
    for HistoryRow { account, height, index, line } in history {
        let key = (*account, *height, *index);
        lines.insert(key, seal(PLAIN_VERSION, &history_key_bytes(&key), line).as_slice())?;
    }
    set_span(writer, span)?;
    Ok(Ok(span.next))
}

pub(super) fn put_borders(writer: &WriteTransaction, borders: &[(u64, Vec<u8>)]) -> Result<(), Fault> {
    let mut table = writer.open_table(tables::BORDERS)?;
    borders.iter().try_for_each(|(epoch, border)| insert(&mut table, *epoch, border))
}

fn insert(table: &mut redb::Table<u64, &'static [u8]>, key: u64, bytes: &[u8]) -> Result<(), Fault> {
    let row = seal(PLAIN_VERSION, &key.to_be_bytes(), &bytes);
    table.insert(key, row.as_slice())?;
    Ok(())
}

/// The blocks from `from` on: the first whatever its size, more while they fit. A block within the
/// span that is not there is damage.
pub(super) fn blocks(
    reader: &ReadTransaction,
    from: u64,
    bytes_max: usize,
    count_max: usize,
) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
    let span = span(reader)?;
    let table = reader.open_table(tables::BLOCKS)?;
    let mut blocks: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut room_bytes = bytes_max;
    let held = if from < span.first { from..from } else { from..span.next };
    for height in held.take(count_max) {
        let row = table.get(height)?.ok_or(Fault::Damaged("block"))?;
        let block: Vec<u8> = unseal("block", PLAIN_VERSION, &height.to_be_bytes(), row.value())?;
        if block.len() > room_bytes && !blocks.is_empty() {
            break;
        }
        room_bytes = room_bytes.saturating_sub(block.len());
        blocks.push((height, block));
    }
    Ok(blocks)
}

pub(super) fn borders(
    reader: &ReadTransaction,
    from_epoch: u64,
    count_max: usize,
) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
    let mut borders = Vec::new();
    for entry in reader.open_table(tables::BORDERS)?.range(from_epoch..)?.take(count_max) {
        let (epoch, row) = entry?;
        let epoch = epoch.value();
        borders.push((epoch, unseal("border", PLAIN_VERSION, &epoch.to_be_bytes(), row.value())?));
    }
    Ok(borders)
}

pub(super) fn history(
    reader: &ReadTransaction,
    account: &[u8; 32],
    before: Option<(u64, u32)>,
    limit: usize,
) -> Result<Vec<HistoryRow>, Fault> {
    use std::ops::Bound::{Excluded, Included};
    let start = Included((*account, 0, 0));
    let end = before.map_or(Included((*account, u64::MAX, u32::MAX)), |(height, index)| {
        Excluded((*account, height, index))
    });
    let mut lines = Vec::new();
    if before == Some((0, 0)) {
        return Ok(lines);
    }
    for entry in reader.open_table(tables::HISTORY)?.range((start, end))?.rev().take(limit) {
        let (key, row) = entry?;
        let key = key.value();
        let line = unseal("line of history", PLAIN_VERSION, &history_key_bytes(&key), row.value())?;
        lines.push(HistoryRow { account: key.0, height: key.1, index: key.2, line });
    }
    Ok(lines)
}

/// Drops every block; the one after `height` is next.
pub(super) fn restart_at(writer: &WriteTransaction, height: u64) -> Result<u64, Fault> {
    let blocks: TableDefinition<u64, &[u8]> = tables::BLOCKS;
    writer.delete_table(blocks)?;
    writer.open_table(blocks)?;
    let span = SpanRow::above(height);
    set_span(writer, span)?;
    Ok(span.next)
}

/// Drops the oldest blocks below `end`, at most `count_max`, and says how many.
pub(super) fn prune(writer: &WriteTransaction, end: u64, count_max: usize) -> Result<usize, Fault> {
    let mut span = span_of_writer(writer)?;
    let end = end.min(span.next.saturating_sub(1));
    let mut table = writer.open_table(tables::BLOCKS)?;
    let mut count = 0;
    while span.first < end && count < count_max {
        table.remove(span.first)?;
        span.first += 1;
        count += 1;
    }
    set_span(writer, span)?;
    Ok(count)
}
