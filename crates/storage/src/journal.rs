//! The journal in one redb file.

mod commit;
mod query;
pub(crate) mod tables;

use crate::{
    file::{FileError, FileKind, Format, Medium, OpenError, RedbFile},
    migrations::{self, FORMAT_VERSION},
    settings,
};
use opensky_ledger::tab::Tab;
use opensky_ports::{
    Journal, JournalError, Record,
    journal::{StoredInvite, StoredJob, TaskRun},
};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signed, Timestamp, agreement::Terms, job::JobNote,
    membership::MembershipChain, receipt::ReceiptProof,
};
use redb::Durability;
use std::path::Path;

/// The journal's name in its folder.
pub const JOURNAL_FILE: &str = "journal.redb";

const FORMAT: Format = Format {
    kind: FileKind::Journal,
    version: FORMAT_VERSION,
    quick_repair: false,
    create: tables::open_all,
    migrate: migrations::run,
};

/// [`Journal`] on redb. Each commit is one transaction with one data sync, or with none where the
/// caller leaves that to a later one; readers never wait for it.
///
/// A commit that fails because the disk is full leaves the journal readable, and later commits try
/// again. After any other failed write the journal stays closed until the process starts anew.
pub struct RedbJournal {
    file: RedbFile,
}

impl RedbJournal {
    /// Opens the journal of `folder`, making it if it is not there and migrating it if an older
    /// version wrote it (a copy of the old file is kept beside it).
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Ok(Self { file: RedbFile::open(Medium::File(folder.join(JOURNAL_FILE)), &FORMAT)? })
    }

    /// Opens the journal on the disk of a simulation.
    #[cfg(any(test, feature = "testing"))]
    pub fn on(disk: crate::SimulatedDisk) -> Result<Self, OpenError> {
        Ok(Self { file: RedbFile::open(Medium::Simulated(disk), &FORMAT)? })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Reads the whole file and checks every page; minutes for tens of gigabytes. `false`: damage
    /// was found. Waits for what is running and makes others wait.
    pub fn is_intact(&self) -> Result<bool, JournalError> {
        Ok(self.file.is_intact()?)
    }

    fn write(&self, records: &[Record], durability: Durability) -> Result<(), JournalError> {
        Ok(self.file.write(durability, |writer| commit::apply_all(writer, records))?)
    }
}

impl From<FileError> for JournalError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { context, source } => Self::Io { context, source },
            FileError::Damaged { what } => Self::Damaged { what },
        }
    }
}

impl Journal for RedbJournal {
    fn commit(&self, records: &[Record]) -> Result<(), JournalError> {
        self.write(records, Durability::Immediate)
    }

    fn commit_unsynced(&self, records: &[Record]) -> Result<(), JournalError> {
        self.write(records, Durability::None)
    }

    fn jobs(&self, before: Option<Timestamp>, limit: usize) -> Result<Vec<StoredJob>, JournalError> {
        Ok(self.file.read("jobs", |reader| query::jobs(reader, before, limit))?)
    }

    fn job(&self, job: JobId) -> Result<Option<StoredJob>, JournalError> {
        Ok(self.file.read("a job", |reader| query::job(reader, job))?)
    }

    fn runs(&self, job: JobId, each: &mut dyn FnMut(TaskRun)) -> Result<(), JournalError> {
        Ok(self.file.read("runs", |reader| query::runs(reader, job, each))?)
    }

    fn notes(&self, job: JobId) -> Result<Vec<JobNote>, JournalError> {
        Ok(self.file.read("notes", |reader| query::notes(reader, job))?)
    }

    fn receipt(&self, id: Hash) -> Result<Option<ReceiptProof>, JournalError> {
        Ok(self.file.read("a receipt", |reader| query::receipt(reader, id))?)
    }

    fn agreements(&self) -> Result<Vec<(AgreementId, Signed<Terms>)>, JournalError> {
        Ok(self.file.read("agreements", query::agreements)?)
    }

    fn tabs(&self) -> Result<Vec<(AgreementId, Tab)>, JournalError> {
        Ok(self.file.read("tabs", query::tabs)?)
    }

    fn invites(&self) -> Result<Vec<StoredInvite>, JournalError> {
        Ok(self.file.read("invites", query::invites)?)
    }

    fn members(&self) -> Result<Vec<(NodeId, MembershipChain, Vec<String>)>, JournalError> {
        Ok(self.file.read("members", query::members)?)
    }

    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        Ok(self.file.read("a setting", |reader| settings::get(reader, name))?)
    }
}
