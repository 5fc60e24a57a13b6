//! From each older format to the next, in one transaction.

use crate::{
    file::{Fault, META, open},
    journal::tables,
    rows::{BatchRow, IdsRow, RunRow, RunRowV1, RunsRow, seal, unseal},
};
use redb::{Database, ReadableTable, WriteTransaction};

/// The journal format that this version writes.
pub const FORMAT_VERSION: u64 = 2;

/// Brings a journal of format `found` to [`FORMAT_VERSION`]. All steps or none take effect.
pub(crate) fn run(database: &Database, found: u64) -> Result<(), Fault> {
    let writer = database.begin_write()?;
    tables::open_all(&writer)?;
    match found {
        1 => from_1_to_2(&writer)?,
        _ => return Err(Fault::Damaged("format version")),
    }
    writer.open_table(META)?.insert(open::FORMAT, FORMAT_VERSION)?;
    writer.commit()?;
    Ok(())
}

/// Format 2 keeps each run's verdict and finds receipts by id.
fn from_1_to_2(writer: &WriteTransaction) -> Result<(), Fault> {
    let mut runs = writer.open_table(tables::RUNS)?;
    let mut next = runs.first()?.map(|(key, _)| key.value());
    while let Some(key) = next {
        let bytes = tables::job_row_key_bytes(&key);
        let old = runs.get(key)?.ok_or(Fault::Damaged("run"))?.value().to_vec();
        let old: RunsRow<Vec<RunRowV1>> = unseal("run", 1, &bytes, &old)?;
        let new: RunsRow = RunsRow { runs: old.runs.into_iter().map(RunRow::from).collect() };
        runs.insert(key, seal(RunsRow::VERSION, &bytes, &new).as_slice())?;
        next = runs.range((key.0, key.1 + 1)..)?.next().transpose()?.map(|(key, _)| key.value());
    }
    let batches = writer.open_table(tables::BATCHES)?;
    let mut ids = writer.open_table(tables::BATCH_IDS)?;
    for entry in batches.iter()? {
        let (number, row) = entry?;
        let key = number.value().to_be_bytes();
        let batch: BatchRow = unseal("receipt batch", BatchRow::VERSION, &key, row.value())?;
        let head = batch.head.decode_unverified().map_err(|_| Fault::Damaged("receipt batch"))?;
        let of_batch: Vec<_> = batch.receipts.iter().map(opensky_types::receipt::Receipt::id).collect();
        let row = seal(IdsRow::VERSION, &key, &IdsRow::of(head.root, &of_batch));
        ids.insert(number.value(), row.as_slice())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
