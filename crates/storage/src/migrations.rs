//! From each older format to the next, in one transaction.

use crate::{
    file::{Fault, META, open},
    journal::tables,
    rows::{
        BatchRow, IdsRow, RunRow, RunRowV1, RunRowV2, RunsRow, SpecRow, SpecRowV1, SpecRowV2, seal, unseal,
    },
};
use borsh::{BorshDeserialize, BorshSerialize};
use redb::{Database, ReadableTable, WriteTransaction};

/// The journal format that this version writes.
pub const FORMAT_VERSION: u64 = 4;

/// Brings a journal of format `found` to [`FORMAT_VERSION`]. All steps or none take effect.
pub(crate) fn run(database: &Database, found: u64) -> Result<(), Fault> {
    let writer = database.begin_write()?;
    tables::open_all(&writer)?;
    if !(1..FORMAT_VERSION).contains(&found) {
        return Err(Fault::Damaged("format version"));
    }
    for step in found..FORMAT_VERSION {
        match step {
            1 => from_1_to_2(&writer)?,
            2 => from_2_to_3(&writer)?,
            _ => from_3_to_4(&writer)?,
        }
    }
    writer.open_table(META)?.insert(open::FORMAT, FORMAT_VERSION)?;
    writer.commit()?;
    Ok(())
}

/// Format 2 keeps each run's verdict and finds receipts by id.
fn from_1_to_2(writer: &WriteTransaction) -> Result<(), Fault> {
    change_runs::<RunRowV1, RunRowV2>(writer, (1, 2))?;
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

/// Format 3 knows what runs cost, and what jobs may cost.
fn from_2_to_3(writer: &WriteTransaction) -> Result<(), Fault> {
    change_runs::<RunRowV2, RunRow>(writer, (2, RunsRow::VERSION))?;
    change_specs::<SpecRowV1, SpecRowV2>(writer, (1, 2))
}

/// Format 4 keeps the rules of each stage: retries, conditions, checkers.
fn from_3_to_4(writer: &WriteTransaction) -> Result<(), Fault> {
    change_specs::<SpecRowV2, SpecRow>(writer, (2, SpecRow::VERSION))
}

/// Writes all jobs' specs anew.
fn change_specs<Old, New>(writer: &WriteTransaction, (from, to): (u8, u8)) -> Result<(), Fault>
where
    Old: BorshDeserialize,
    New: From<Old> + BorshSerialize,
{
    let mut specs = writer.open_table(tables::SPECS)?;
    let mut next = specs.first()?.map(|(key, _)| key.value());
    while let Some(job) = next {
        let old = specs.get(job)?.ok_or(Fault::Damaged("job"))?.value().to_vec();
        let new = New::from(unseal::<Old>("job", from, &job, &old)?);
        specs.insert(job, seal(to, &job, &new).as_slice())?;
        let behind = (std::ops::Bound::Excluded(job), std::ops::Bound::Unbounded);
        next = specs.range::<tables::JobKey>(behind)?.next().transpose()?.map(|(key, _)| key.value());
    }
    Ok(())
}

/// Writes all rows of runs anew.
fn change_runs<Old, New>(writer: &WriteTransaction, (from, to): (u8, u8)) -> Result<(), Fault>
where
    Old: BorshDeserialize,
    New: From<Old> + BorshSerialize,
{
    let mut runs = writer.open_table(tables::RUNS)?;
    let mut next = runs.first()?.map(|(key, _)| key.value());
    while let Some(key) = next {
        let bytes = tables::job_row_key_bytes(&key);
        let old = runs.get(key)?.ok_or(Fault::Damaged("run"))?.value().to_vec();
        let old: RunsRow<Vec<Old>> = unseal("run", from, &bytes, &old)?;
        let new = RunsRow { runs: old.runs.into_iter().map(New::from).collect::<Vec<_>>() };
        runs.insert(key, seal(to, &bytes, &new).as_slice())?;
        next = runs.range((key.0, key.1 + 1)..)?.next().transpose()?.map(|(key, _)| key.value());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
