//! A journal that dies with its node: a thread of a killed node can write nothing any more.

use opensky_ledger::tab::Tab;
use opensky_ports::{
    Journal, JournalError, Record,
    journal::{StoredInvite, StoredJob, TaskRun},
    testing::MemoryJournal,
};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signed, Timestamp, agreement::Terms, job::JobNote,
    membership::MembershipChain, receipt::ReceiptProof,
};
use std::{
    io,
    sync::{Arc, Mutex},
};

/// One life's access to a journal. Clones share one life.
#[derive(Clone)]
pub struct Fence {
    journal: MemoryJournal,
    alive: Arc<Mutex<bool>>,
}

impl Fence {
    pub fn new(journal: MemoryJournal) -> Self {
        Self { journal, alive: Arc::new(Mutex::new(true)) }
    }

    /// Ends this life's access, as a kill does; what it synced until now stays.
    pub fn close(&self) {
        let mut alive = self.alive.lock().expect("no test panics with this lock");
        if std::mem::replace(&mut alive, false) {
            self.journal.lose_unsynced();
        }
    }

    fn while_alive(
        &self,
        commit: impl FnOnce(&MemoryJournal) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let alive = self.alive.lock().expect("no test panics with this lock");
        if *alive {
            return commit(&self.journal);
        }
        let source = io::Error::new(io::ErrorKind::NotConnected, "its node was killed");
        Err(JournalError::Io { context: "committing records".into(), source: source.into() })
    }
}

impl Journal for Fence {
    fn commit(&self, records: &[Record]) -> Result<(), JournalError> {
        self.while_alive(|journal| journal.commit(records))
    }

    fn commit_unsynced(&self, records: &[Record]) -> Result<(), JournalError> {
        self.while_alive(|journal| journal.commit_unsynced(records))
    }

    fn jobs(&self, before: Option<Timestamp>, limit: usize) -> Result<Vec<StoredJob>, JournalError> {
        self.journal.jobs(before, limit)
    }

    fn job(&self, job: JobId) -> Result<Option<StoredJob>, JournalError> {
        self.journal.job(job)
    }

    fn runs(&self, job: JobId, each: &mut dyn FnMut(TaskRun)) -> Result<(), JournalError> {
        self.journal.runs(job, each)
    }

    fn notes(&self, job: JobId) -> Result<Vec<JobNote>, JournalError> {
        self.journal.notes(job)
    }

    fn receipt(&self, id: Hash) -> Result<Option<ReceiptProof>, JournalError> {
        self.journal.receipt(id)
    }

    fn agreements(&self) -> Result<Vec<(AgreementId, Signed<Terms>)>, JournalError> {
        self.journal.agreements()
    }

    fn tabs(&self) -> Result<Vec<(AgreementId, Tab)>, JournalError> {
        self.journal.tabs()
    }

    fn invites(&self) -> Result<Vec<StoredInvite>, JournalError> {
        self.journal.invites()
    }

    fn members(&self) -> Result<Vec<(NodeId, MembershipChain, Vec<String>)>, JournalError> {
        self.journal.members()
    }

    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        self.journal.setting(name)
    }
}
