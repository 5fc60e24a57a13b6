//! Snapshots inside one transaction.

use super::tables;
use crate::{
    file::Fault,
    rows::{KeptSnapshotRow, PLAIN_VERSION, chunk_key_bytes, seal, unseal},
};
use redb::{AccessGuard, ReadTransaction, ReadableTable, WriteTransaction};

type Entry<'a> = (AccessGuard<'a, u64>, AccessGuard<'a, &'static [u8]>);

fn open_row((number, row): &Entry) -> Result<KeptSnapshotRow, Fault> {
    unseal("snapshot", KeptSnapshotRow::VERSION, &number.value().to_be_bytes(), row.value())
}

/// The newest complete one.
pub(super) fn newest(reader: &ReadTransaction) -> Result<Option<KeptSnapshotRow>, Fault> {
    let table = reader.open_table(tables::SNAPSHOTS)?;
    table.last()?.map(|entry| open_row(&entry)).transpose()
}

pub(super) fn chunk(reader: &ReadTransaction, height: u64, index: u32) -> Result<Option<Vec<u8>>, Fault> {
    for entry in reader.open_table(tables::SNAPSHOTS)?.iter()?.rev() {
        let entry = entry?;
        let found = open_row(&entry)?;
        if found.height != height {
            continue;
        }
        if index >= found.chunks {
            return Ok(None);
        }
        let key = (entry.0.value(), index);
        let row = reader.open_table(tables::CHUNKS)?.get(key)?.ok_or(Fault::Damaged("snapshot chunk"))?;
        return unseal("snapshot chunk", PLAIN_VERSION, &chunk_key_bytes(&key), row.value()).map(Some);
    }
    Ok(None)
}

/// The number of the next snapshot.
pub(super) fn next_number(reader: &ReadTransaction) -> Result<u64, Fault> {
    let last = reader.open_table(tables::SNAPSHOTS)?.last()?.map(|(number, _)| number.value());
    last.map_or(Some(0), |number| number.checked_add(1)).ok_or(Fault::Damaged("snapshot"))
}

/// Writes chunks of snapshot `number`, the first of them under `index`.
pub(super) fn put_chunks(
    writer: &WriteTransaction,
    number: u64,
    index: u32,
    chunks: &[Vec<u8>],
) -> Result<(), Fault> {
    let mut table = writer.open_table(tables::CHUNKS)?;
    for (chunk, index) in chunks.iter().zip(index..) {
        let key = (number, index);
        table.insert(key, seal(PLAIN_VERSION, &chunk_key_bytes(&key), chunk).as_slice())?;
    }
    Ok(())
}

/// Makes snapshot `number` visible, and lets go of all others but the last one of another height.
/// A damaged one is let go of too.
pub(super) fn complete(
    writer: &WriteTransaction,
    number: u64,
    row: &KeptSnapshotRow<&[u8]>,
) -> Result<(), Fault> {
    let mut table = writer.open_table(tables::SNAPSHOTS)?;
    let mut before = None;
    for entry in table.iter()? {
        let entry = entry?;
        if open_row(&entry).is_ok_and(|found| found.height != row.height) {
            before = Some(entry.0.value());
        }
    }
    table.retain(|found, _| Some(found) == before)?;
    table.insert(number, seal(KeptSnapshotRow::VERSION, &number.to_be_bytes(), row).as_slice())?;
    Ok(())
}

/// The number of a snapshot that has chunks but is not complete, or is kept no longer.
pub(super) fn unfinished(reader: &ReadTransaction) -> Result<Option<u64>, Fault> {
    let kept = reader.open_table(tables::SNAPSHOTS)?;
    let chunks = reader.open_table(tables::CHUNKS)?;
    let mut from = Some(0);
    while let Some(start) = from
        && let Some((key, _)) = chunks.range((start, 0)..)?.next().transpose()?
    {
        let number = key.value().0;
        if kept.get(number)?.is_none() {
            return Ok(Some(number));
        }
        from = number.checked_add(1);
    }
    Ok(None)
}

/// Drops at most `count_max` chunks of snapshot `number`.
pub(super) fn drop_chunks(writer: &WriteTransaction, number: u64, count_max: usize) -> Result<(), Fault> {
    let mut table = writer.open_table(tables::CHUNKS)?;
    let mut next = 0;
    for _ in 0..count_max {
        let found = table.range((number, next)..=(number, u32::MAX))?.next().transpose()?;
        let Some(key) = found.map(|(key, _)| key.value()) else { break };
        table.remove(key)?;
        next = key.1;
    }
    Ok(())
}
