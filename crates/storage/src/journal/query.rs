//! Questions to the journal.

use super::tables::{self, job_key, job_row_key_bytes};
use crate::{
    file::Fault,
    rows::{
        BatchRow, HeadRow, IdsRow, InviteRow, InviteUseRow, MemberRow, NotesRow, PLAIN_VERSION, RunsRow,
        SpecRow, invite_use_key_bytes, unseal,
    },
};
use borsh::BorshDeserialize;
use opensky_ledger::tab::Tab;
use opensky_ports::journal::{StoredInvite, StoredJob, TaskRun};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signed, Timestamp, agreement::Terms, job::JobNote,
    membership::MembershipChain, receipt::ReceiptProof,
};
use redb::{ReadTransaction, ReadableTable, TableDefinition};

pub(super) fn jobs(
    reader: &ReadTransaction,
    before: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<StoredJob>, Fault> {
    let end = before.map_or(u64::MAX, Timestamp::as_millis);
    let by_time = reader.open_table(tables::BY_TIME)?;
    let mut jobs = Vec::new();
    for entry in by_time.range(..(end, [0; 10]))?.rev().take(limit) {
        let job = JobId::from_bytes(entry?.0.value().1);
        jobs.push(self::job(reader, job)?.ok_or(Fault::Damaged("job"))?);
    }
    Ok(jobs)
}

pub(super) fn job(reader: &ReadTransaction, job: JobId) -> Result<Option<StoredJob>, Fault> {
    let key = job_key(job);
    let Some(head) = reader.open_table(tables::HEADS)?.get(key)? else { return Ok(None) };
    let head: HeadRow = unseal("job", HeadRow::VERSION, &key, head.value())?;
    let spec = reader.open_table(tables::SPECS)?.get(key)?.ok_or(Fault::Damaged("job"))?;
    let SpecRow { spec } = unseal("job", SpecRow::VERSION, &key, spec.value())?;
    let HeadRow { submitted_at, changed_at, state } = head;
    Ok(Some(StoredJob { job, spec, state, submitted_at, changed_at }))
}

pub(super) fn runs(reader: &ReadTransaction, job: JobId, each: &mut dyn FnMut(TaskRun)) -> Result<(), Fault> {
    let job = job_key(job);
    for entry in reader.open_table(tables::RUNS)?.range((job, 0)..=(job, u64::MAX))? {
        let (key, row) = entry?;
        let key = job_row_key_bytes(&key.value());
        let row: RunsRow = unseal("run", RunsRow::VERSION, &key, row.value())?;
        for run in row.runs {
            each(run.try_into()?);
        }
    }
    Ok(())
}

pub(super) fn notes(reader: &ReadTransaction, job: JobId) -> Result<Vec<JobNote>, Fault> {
    let job = job_key(job);
    let mut notes = Vec::new();
    for entry in reader.open_table(tables::NOTES)?.range((job, 0)..=(job, u64::MAX))? {
        let (key, row) = entry?;
        let key = job_row_key_bytes(&key.value());
        let row: NotesRow = unseal("note", NotesRow::VERSION, &key, row.value())?;
        notes.extend(row.notes);
    }
    Ok(notes)
}

/// Reads the ids of every batch, newest first: 12 bytes per receipt kept.
pub(super) fn receipt(reader: &ReadTransaction, id: Hash) -> Result<Option<ReceiptProof>, Fault> {
    for entry in reader.open_table(tables::BATCH_IDS)?.iter()?.rev() {
        let (number, row) = entry?;
        let number = number.value();
        let ids: IdsRow = unseal("receipt index", IdsRow::VERSION, &number.to_be_bytes(), row.value())?;
        for index in ids.candidates(&id) {
            if let Some(proof) = receipt_at(reader, number, ids.root, index)?
                && proof.receipt.id() == id
            {
                return Ok(Some(proof));
            }
        }
    }
    Ok(None)
}

fn receipt_at(
    reader: &ReadTransaction,
    number: u64,
    root: Hash,
    index: u32,
) -> Result<Option<ReceiptProof>, Fault> {
    let Some(row) = reader.open_table(tables::BATCHES)?.get(number)? else { return Ok(None) };
    let batch: BatchRow = unseal("receipt batch", BatchRow::VERSION, &number.to_be_bytes(), row.value())?;
    let signed = reader.open_table(tables::COUNTERSIGNATURES)?.get(root.as_bytes())?;
    let countersignature = signed
        .map(|row| unseal("countersignature", PLAIN_VERSION, root.as_bytes(), row.value()))
        .transpose()?;
    batch.prove(index, countersignature).map(Some)
}

pub(super) fn agreements(reader: &ReadTransaction) -> Result<Vec<(AgreementId, Signed<Terms>)>, Fault> {
    by_agreement(reader, tables::AGREEMENTS, "agreement")
}

pub(super) fn tabs(reader: &ReadTransaction) -> Result<Vec<(AgreementId, Tab)>, Fault> {
    by_agreement(reader, tables::TABS, "tab")
}

fn by_agreement<T: BorshDeserialize>(
    reader: &ReadTransaction,
    table: TableDefinition<[u8; 32], &'static [u8]>,
    what: &'static str,
) -> Result<Vec<(AgreementId, T)>, Fault> {
    let mut found = Vec::new();
    for entry in reader.open_table(table)?.iter()? {
        let (key, row) = entry?;
        let value = unseal(what, PLAIN_VERSION, &key.value(), row.value())?;
        found.push((AgreementId::from_hash(Hash::from_bytes(key.value())), value));
    }
    Ok(found)
}

pub(super) fn invites(reader: &ReadTransaction) -> Result<Vec<StoredInvite>, Fault> {
    let uses = reader.open_table(tables::INVITE_USES)?;
    let mut invites = Vec::new();
    for entry in reader.open_table(tables::INVITES)?.iter()? {
        let (nonce, row) = entry?;
        let nonce = nonce.value();
        let InviteRow { invite } = unseal("invite", InviteRow::VERSION, &nonce.to_be_bytes(), row.value())?;
        let mut used_by = Vec::new();
        for entry in uses.range((nonce, 0)..=(nonce, u64::MAX))? {
            let (key, row) = entry?;
            let key = invite_use_key_bytes(&key.value());
            let used: InviteUseRow = unseal("invite use", InviteUseRow::VERSION, &key, row.value())?;
            used_by.push(used.node);
        }
        invites.push(StoredInvite { invite, used_by });
    }
    Ok(invites)
}

pub(super) fn members(
    reader: &ReadTransaction,
) -> Result<Vec<(NodeId, MembershipChain, Vec<String>)>, Fault> {
    let mut members = Vec::new();
    for entry in reader.open_table(tables::MEMBERS)?.iter()? {
        let (key, row) = entry?;
        let MemberRow { chain, addresses } = unseal("member", MemberRow::VERSION, &key.value(), row.value())?;
        members.push((NodeId::from_public_key(key.value()), chain, addresses));
    }
    Ok(members)
}
