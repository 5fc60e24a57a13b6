//! The journal's tables and their keys.

use crate::{
    file::{Fault, META},
    settings,
};
use opensky_types::JobId;
use redb::{TableDefinition, WriteTransaction};

/// A job's id.
pub(crate) type JobKey = [u8; 10];
/// A row of a job, in order of writing.
pub(crate) type JobRowKey = (JobKey, u64);

type Bytes = &'static [u8];

/// How jobs stand.
pub(crate) const HEADS: TableDefinition<JobKey, Bytes> = TableDefinition::new("job_heads");
/// What jobs asked for.
pub(crate) const SPECS: TableDefinition<JobKey, Bytes> = TableDefinition::new("job_specs");
/// Jobs by submission (ms since 1970).
pub(crate) const BY_TIME: TableDefinition<(u64, JobKey), ()> = TableDefinition::new("jobs_by_time");
/// Runs judged together.
pub(crate) const RUNS: TableDefinition<JobRowKey, Bytes> = TableDefinition::new("job_runs");
/// Steps noted together.
pub(crate) const NOTES: TableDefinition<JobRowKey, Bytes> = TableDefinition::new("job_notes");
/// Receipt batches, by number.
pub(crate) const BATCHES: TableDefinition<u64, Bytes> = TableDefinition::new("receipt_batches");
/// Batch numbers by Merkle root.
pub(crate) const BATCH_ROOTS: TableDefinition<[u8; 32], u64> = TableDefinition::new("receipt_roots");
/// Receipt ids of each batch, by the batch's number.
pub(crate) const BATCH_IDS: TableDefinition<u64, Bytes> = TableDefinition::new("receipt_ids");
/// Countersignatures, by Merkle root.
pub(crate) const COUNTERSIGNATURES: TableDefinition<[u8; 32], Bytes> =
    TableDefinition::new("receipt_countersignatures");
/// Agreements held as provider.
pub(crate) const AGREEMENTS: TableDefinition<[u8; 32], Bytes> = TableDefinition::new("agreements");
/// What is owed under agreements.
pub(crate) const TABS: TableDefinition<[u8; 32], Bytes> = TableDefinition::new("tabs");
/// Invites issued, by nonce.
pub(crate) const INVITES: TableDefinition<u64, Bytes> = TableDefinition::new("invites");
/// Their uses, by nonce and order.
pub(crate) const INVITE_USES: TableDefinition<(u64, u64), Bytes> = TableDefinition::new("invite_uses");
/// Known members.
pub(crate) const MEMBERS: TableDefinition<[u8; 32], Bytes> = TableDefinition::new("members");

/// The bytes that a row's check covers for a key of a job.
pub(crate) fn job_row_key_bytes(key: &JobRowKey) -> [u8; 18] {
    let mut bytes = [0; 18];
    bytes[..10].copy_from_slice(&key.0);
    bytes[10..].copy_from_slice(&key.1.to_be_bytes());
    bytes
}

/// A job's key.
pub(crate) fn job_key(job: JobId) -> JobKey {
    *job.as_bytes()
}

/// Makes every table, so that readers find them all.
pub(crate) fn open_all(writer: &WriteTransaction) -> Result<(), Fault> {
    writer.open_table(META)?;
    writer.open_table(HEADS)?;
    writer.open_table(SPECS)?;
    writer.open_table(BY_TIME)?;
    writer.open_table(RUNS)?;
    writer.open_table(NOTES)?;
    writer.open_table(BATCHES)?;
    writer.open_table(BATCH_ROOTS)?;
    writer.open_table(BATCH_IDS)?;
    writer.open_table(COUNTERSIGNATURES)?;
    writer.open_table(AGREEMENTS)?;
    writer.open_table(TABS)?;
    writer.open_table(INVITES)?;
    writer.open_table(INVITE_USES)?;
    writer.open_table(MEMBERS)?;
    writer.open_table(settings::TABLE)?;
    Ok(())
}
