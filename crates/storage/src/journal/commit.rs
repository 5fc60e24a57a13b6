//! One commit: records in, one redb transaction out.

use super::tables::{self, JobRowKey, job_key, job_row_key_bytes};
use crate::{
    file::Fault,
    rows::{
        BatchRow, HeadRow, IdsRow, InviteRow, InviteUseRow, MemberRow, NotesRow, PLAIN_VERSION, RunsRow,
        SpecRow, invite_use_key_bytes, runs_payload, seal, unseal,
    },
    settings,
};
use opensky_ports::{Record, journal::TaskRun};
use opensky_types::{
    JobId, NodeId, Timestamp,
    job::{JobNote, JobSpec, JobState},
    receipt::Batch,
};
use redb::{ReadableTable, TableDefinition, WriteTransaction};

/// Writes `records` in their order.
pub(super) fn apply_all(writer: &WriteTransaction, records: &[Record]) -> Result<(), Fault> {
    records.iter().try_for_each(|record| apply(writer, record))
}

fn apply(writer: &WriteTransaction, record: &Record) -> Result<(), Fault> {
    match record {
        Record::JobSubmitted { job, spec, at } => on_job_submitted(writer, *job, spec, *at),
        Record::TasksRun { job, runs } => on_tasks_run(writer, *job, runs),
        Record::JobNoted { job, notes } => on_job_noted(writer, *job, notes),
        Record::JobChanged { job, state, at } => on_job_changed(writer, *job, *state, *at),
        Record::JobRemoved { job } => on_job_removed(writer, *job),
        Record::ReceiptsSigned { batch } => on_receipts_signed(writer, batch),
        Record::ReceiptsCountersigned { countersignature, root } => {
            let key = root.as_bytes();
            put(writer, tables::COUNTERSIGNATURES, *key, &seal(PLAIN_VERSION, key, countersignature))
        }
        Record::AgreementHeld { agreement, terms } => {
            let key = agreement.hash().as_bytes();
            put(writer, tables::AGREEMENTS, *key, &seal(PLAIN_VERSION, key, terms))
        }
        Record::AgreementEnded { agreement } => {
            writer.open_table(tables::AGREEMENTS)?.remove(agreement.hash().as_bytes())?;
            Ok(())
        }
        Record::TabKept { agreement, tab } => {
            let key = agreement.hash().as_bytes();
            put(writer, tables::TABS, *key, &seal(PLAIN_VERSION, key, tab))
        }
        Record::TabSettled { agreement } => {
            writer.open_table(tables::TABS)?.remove(agreement.hash().as_bytes())?;
            Ok(())
        }
        Record::InviteIssued { invite } => {
            let row = seal(InviteRow::VERSION, &invite.nonce.to_be_bytes(), &InviteRow { invite });
            put(writer, tables::INVITES, invite.nonce, &row)
        }
        Record::InviteUsed { nonce, node, at } => on_invite_used(writer, *nonce, *node, *at),
        Record::MemberKnown { node, chain, addresses } => {
            let key = node.public_key();
            put(
                writer,
                tables::MEMBERS,
                *key,
                &seal(MemberRow::VERSION, key, &MemberRow { chain, addresses }),
            )
        }
        Record::Setting { name, value } => settings::put(writer, name, value),
    }
}

fn put<K>(
    writer: &WriteTransaction,
    table: TableDefinition<K, &'static [u8]>,
    key: K,
    row: &[u8],
) -> Result<(), Fault>
where
    K: redb::Key + for<'k> redb::Value<SelfType<'k> = K> + 'static,
{
    writer.open_table(table)?.insert(key, row)?;
    Ok(())
}

fn on_job_submitted(
    writer: &WriteTransaction,
    job: JobId,
    spec: &JobSpec,
    at: Timestamp,
) -> Result<(), Fault> {
    let key = job_key(job);
    let head = HeadRow { submitted_at: at, changed_at: at, state: JobState::Waiting };
    remove_head(writer, job)?;
    put(writer, tables::HEADS, key, &seal(HeadRow::VERSION, &key, &head))?;
    put(writer, tables::SPECS, key, &seal(SpecRow::VERSION, &key, &SpecRow { spec }))?;
    writer.open_table(tables::BY_TIME)?.insert((at.as_millis(), key), ())?;
    Ok(())
}

fn on_tasks_run(writer: &WriteTransaction, job: JobId, runs: &[TaskRun]) -> Result<(), Fault> {
    append(writer, tables::RUNS, job, |key| seal(RunsRow::VERSION, key, &runs_payload(runs)))
}

fn on_job_noted(writer: &WriteTransaction, job: JobId, notes: &[JobNote]) -> Result<(), Fault> {
    append(writer, tables::NOTES, job, |key| seal(NotesRow::VERSION, key, &NotesRow { notes }))
}

/// Puts a row behind the last one of `job`.
fn append(
    writer: &WriteTransaction,
    table: TableDefinition<JobRowKey, &'static [u8]>,
    job: JobId,
    row: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Result<(), Fault> {
    let mut table = writer.open_table(table)?;
    let job = job_key(job);
    let last = table.range((job, 0)..=(job, u64::MAX))?.next_back().transpose()?;
    let key = (job, last.map_or(0, |(key, _)| key.value().1 + 1));
    table.insert(key, row(&job_row_key_bytes(&key)).as_slice())?;
    Ok(())
}

/// A change of a job that is not known changes nothing.
fn on_job_changed(
    writer: &WriteTransaction,
    job: JobId,
    state: JobState,
    at: Timestamp,
) -> Result<(), Fault> {
    let key = job_key(job);
    let mut heads = writer.open_table(tables::HEADS)?;
    let Some(row) = heads.get(key)?.map(|row| row.value().to_vec()) else { return Ok(()) };
    let head: HeadRow = unseal("job", HeadRow::VERSION, &key, &row)?;
    let head = HeadRow { state, changed_at: at, ..head };
    heads.insert(key, seal(HeadRow::VERSION, &key, &head).as_slice())?;
    Ok(())
}

/// Receipts stay: they are records between two parties, and their batches may span jobs.
fn on_job_removed(writer: &WriteTransaction, job: JobId) -> Result<(), Fault> {
    let key = job_key(job);
    remove_head(writer, job)?;
    writer.open_table(tables::SPECS)?.remove(key)?;
    for table in [tables::RUNS, tables::NOTES] {
        writer.open_table(table)?.retain_in((key, 0)..=(key, u64::MAX), |_, _| false)?;
    }
    Ok(())
}

fn remove_head(writer: &WriteTransaction, job: JobId) -> Result<(), Fault> {
    let key = job_key(job);
    let mut heads = writer.open_table(tables::HEADS)?;
    let Some(row) = heads.remove(key)?.map(|row| row.value().to_vec()) else { return Ok(()) };
    let head: HeadRow = unseal("job", HeadRow::VERSION, &key, &row)?;
    writer.open_table(tables::BY_TIME)?.remove((head.submitted_at.as_millis(), key))?;
    Ok(())
}

/// A batch that is already kept is not kept twice.
fn on_receipts_signed(writer: &WriteTransaction, batch: &Batch) -> Result<(), Fault> {
    let (root, head, receipts) = (batch.root(), batch.head(), batch.receipts());
    let mut roots = writer.open_table(tables::BATCH_ROOTS)?;
    if roots.get(root.as_bytes())?.is_some() {
        return Ok(());
    }
    let mut batches = writer.open_table(tables::BATCHES)?;
    let number = batches.last()?.map_or(0, |(number, _)| number.value() + 1);
    let key = number.to_be_bytes();
    roots.insert(root.as_bytes(), number)?;
    batches.insert(number, seal(BatchRow::VERSION, &key, &BatchRow { head, receipts }).as_slice())?;
    put(writer, tables::BATCH_IDS, number, &seal(IdsRow::VERSION, &key, &IdsRow::of(root, batch.ids())))
}

fn on_invite_used(writer: &WriteTransaction, nonce: u64, node: NodeId, at: Timestamp) -> Result<(), Fault> {
    let mut uses = writer.open_table(tables::INVITE_USES)?;
    let last = uses.range((nonce, 0)..=(nonce, u64::MAX))?.next_back().transpose()?;
    let key = (nonce, last.map_or(0, |(key, _)| key.value().1 + 1));
    let row = seal(InviteUseRow::VERSION, &invite_use_key_bytes(&key), &InviteUseRow { node, at });
    uses.insert(key, row.as_slice())?;
    Ok(())
}
