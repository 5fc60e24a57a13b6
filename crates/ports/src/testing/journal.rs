//! A journal in memory: the list of facts, read from front to back for each question.

use super::lock;
use crate::journal::{Journal, JournalError, Record, StoredInvite, StoredJob, TaskRun};
use opensky_ledger::tab::Tab;
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signed, Timestamp,
    agreement::Terms,
    job::{JobNote, JobState},
    membership::MembershipChain,
    merkle::Tree,
    receipt::{Batch, Countersignature, ReceiptProof},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

/// A journal in memory. Clones share one journal, so a clone is also what a restarted node opens.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    /// What the disk holds, while it is less than `records`.
    synced: Option<Vec<Record>>,
    broken: bool,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every commit fails, as on a disk that is full or gone (faults F3 and F4).
    pub fn break_disk(&self) {
        lock(&self.state).broken = true;
    }

    /// The disk works again.
    pub fn mend_disk(&self) {
        lock(&self.state).broken = false;
    }

    /// Takes away what was committed unsynced, as a crash may.
    pub fn lose_unsynced(&self) {
        let mut state = lock(&self.state);
        if let Some(synced) = state.synced.take() {
            state.records = synced;
        }
    }

    /// Whether a crash now would take nothing.
    pub fn is_synced(&self) -> bool {
        lock(&self.state).synced.is_none()
    }

    /// Everything that was committed and not removed, in order.
    pub fn records(&self) -> Vec<Record> {
        lock(&self.state).records.clone()
    }
}

impl State {
    fn write(&mut self, records: &[Record]) -> Result<(), JournalError> {
        if self.broken {
            let source = io::Error::new(io::ErrorKind::StorageFull, "the test broke the disk");
            return Err(JournalError::Io { context: "committing records".into(), source: source.into() });
        }
        for record in records {
            match record {
                Record::JobRemoved { job } => self.records.retain(|record| !belongs_to(record, *job)),
                record => self.records.push(record.clone()),
            }
        }
        Ok(())
    }

    fn stored_jobs(&self) -> BTreeMap<JobId, StoredJob> {
        let mut jobs = BTreeMap::new();
        for record in &self.records {
            match record {
                Record::JobSubmitted { job, spec, at } => {
                    let stored = StoredJob {
                        job: *job,
                        spec: spec.clone(),
                        state: JobState::Waiting,
                        submitted_at: *at,
                        changed_at: *at,
                    };
                    jobs.insert(*job, stored);
                }
                Record::JobChanged { job, state, at } => {
                    if let Some(stored) = jobs.get_mut(job) {
                        stored.state = *state;
                        stored.changed_at = *at;
                    }
                }
                _ => {}
            }
        }
        jobs
    }

    fn proof(&self, id: Hash, batch: &Batch) -> Option<ReceiptProof> {
        let index = batch.ids().iter().position(|found| *found == id)?;
        Some(ReceiptProof {
            receipt: batch.receipts()[index].clone(),
            index: index as u32,
            siblings: Tree::new(batch.ids()).proof(index as u32),
            head: batch.head().clone(),
            countersignature: self.countersignature(batch.root()),
        })
    }

    fn countersignature(&self, batch: Hash) -> Option<Signed<Countersignature>> {
        self.records.iter().rev().find_map(|record| match record {
            Record::ReceiptsCountersigned { countersignature, root } if *root == batch => {
                Some(countersignature.clone())
            }
            _ => None,
        })
    }
}

fn belongs_to(record: &Record, removed: JobId) -> bool {
    match record {
        Record::JobSubmitted { job, .. }
        | Record::TasksRun { job, .. }
        | Record::JobNoted { job, .. }
        | Record::JobChanged { job, .. } => *job == removed,
        _ => false,
    }
}

impl Journal for MemoryJournal {
    fn commit(&self, records: &[Record]) -> Result<(), JournalError> {
        let mut state = lock(&self.state);
        state.write(records)?;
        state.synced = None;
        Ok(())
    }

    fn commit_unsynced(&self, records: &[Record]) -> Result<(), JournalError> {
        let mut state = lock(&self.state);
        if state.synced.is_none() {
            state.synced = Some(state.records.clone());
        }
        state.write(records)
    }

    fn jobs(&self, before: Option<Timestamp>, limit: usize) -> Result<Vec<StoredJob>, JournalError> {
        let mut jobs: Vec<StoredJob> = lock(&self.state).stored_jobs().into_values().collect();
        jobs.retain(|job| before.is_none_or(|before| job.submitted_at < before));
        jobs.sort_by_key(|job| std::cmp::Reverse((job.submitted_at, job.job)));
        jobs.truncate(limit);
        Ok(jobs)
    }

    fn job(&self, job: JobId) -> Result<Option<StoredJob>, JournalError> {
        Ok(lock(&self.state).stored_jobs().remove(&job))
    }

    fn runs(&self, asked: JobId, each: &mut dyn FnMut(TaskRun)) -> Result<(), JournalError> {
        // Collected first: `each` may ask this journal, whose lock must be free by then.
        let mut found = Vec::new();
        for record in &lock(&self.state).records {
            if let Record::TasksRun { job, runs } = record
                && *job == asked
            {
                found.extend(runs.iter().cloned());
            }
        }
        found.into_iter().for_each(each);
        Ok(())
    }

    fn notes(&self, asked: JobId) -> Result<Vec<JobNote>, JournalError> {
        let mut found = Vec::new();
        for record in &lock(&self.state).records {
            if let Record::JobNoted { job, notes } = record
                && *job == asked
            {
                found.extend(notes.iter().cloned());
            }
        }
        Ok(found)
    }

    fn receipt(&self, id: Hash) -> Result<Option<ReceiptProof>, JournalError> {
        let state = lock(&self.state);
        Ok(state.records.iter().find_map(|record| match record {
            Record::ReceiptsSigned { batch } => state.proof(id, batch),
            _ => None,
        }))
    }

    fn agreements(&self) -> Result<Vec<(AgreementId, Signed<Terms>)>, JournalError> {
        let mut held = BTreeMap::new();
        for record in &lock(&self.state).records {
            match record {
                Record::AgreementHeld { agreement, terms } => {
                    held.insert(*agreement, terms.clone());
                }
                Record::AgreementEnded { agreement } => {
                    held.remove(agreement);
                }
                _ => {}
            }
        }
        Ok(held.into_iter().collect())
    }

    fn tabs(&self) -> Result<Vec<(AgreementId, Tab)>, JournalError> {
        let mut tabs = BTreeMap::new();
        for record in &lock(&self.state).records {
            match record {
                Record::TabKept { agreement, tab } => {
                    tabs.insert(*agreement, tab.clone());
                }
                Record::TabSettled { agreement } => {
                    tabs.remove(agreement);
                }
                _ => {}
            }
        }
        Ok(tabs.into_iter().collect())
    }

    fn invites(&self) -> Result<Vec<StoredInvite>, JournalError> {
        let mut invites: Vec<StoredInvite> = Vec::new();
        for record in &lock(&self.state).records {
            match record {
                Record::InviteIssued { invite } => {
                    invites.push(StoredInvite { invite: invite.clone(), used_by: Vec::new() });
                }
                Record::InviteUsed { nonce, node, .. } => {
                    invites
                        .iter_mut()
                        .filter(|stored| stored.invite.nonce == *nonce)
                        .for_each(|stored| stored.used_by.push(*node));
                }
                _ => {}
            }
        }
        Ok(invites)
    }

    fn members(&self) -> Result<Vec<(NodeId, MembershipChain, Vec<String>)>, JournalError> {
        let mut members = BTreeMap::new();
        for record in &lock(&self.state).records {
            if let Record::MemberKnown { node, chain, addresses } = record {
                members.insert(*node, (*node, chain.clone(), addresses.clone()));
            }
        }
        Ok(members.into_values().collect())
    }

    fn setting(&self, asked: &str) -> Result<Option<Vec<u8>>, JournalError> {
        Ok(lock(&self.state).records.iter().rev().find_map(|record| match record {
            Record::Setting { name, value } if name == asked => Some(value.clone()),
            _ => None,
        }))
    }
}
