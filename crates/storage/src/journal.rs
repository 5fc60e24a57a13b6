//! The journal in one redb file.

mod commit;
mod fault;
pub(crate) mod open;
mod query;
pub(crate) mod tables;

pub(crate) use fault::Fault;
pub use open::OpenError;

use opensky_ports::{
    Journal, JournalError, Record,
    journal::{StoredInvite, StoredJob, TaskRun},
};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signed, Timestamp, agreement::Terms, job::JobNote,
    membership::MembershipChain, receipt::ReceiptProof,
};
use redb::{Database, Durability, ReadTransaction, ReadableDatabase};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

/// The journal's name in its folder.
pub const JOURNAL_FILE: &str = "journal.redb";

/// [`Journal`] on redb. Each commit is one transaction with one data sync, or with none where the
/// caller leaves that to a later one; readers never wait for it.
///
/// A commit that fails because the disk is full leaves the journal readable, and later commits try
/// again. After any other failed write nobody can know what the disk holds (a failed sync may have
/// dropped the pages it failed on), so the journal stays closed until the process starts anew.
pub struct RedbJournal {
    path: PathBuf,
    slot: RwLock<Slot>,
    /// Its lock puts commits in a row.
    acknowledged: Mutex<Acknowledged>,
}

/// Numbers of the last commits that were acknowledged.
#[derive(Debug, Clone, Copy)]
struct Acknowledged {
    /// As readable.
    last: u64,
    /// As being on disk: the file never goes back behind it.
    synced: u64,
}

enum Slot {
    /// In use.
    Open(Database),
    /// Closed by a full disk; to be opened again by whoever comes next.
    Interrupted,
    /// Closed for good.
    Stopped(Stop),
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Stop {
    #[error(
        "an earlier write failed and what is on disk is unknown; check the disk, then start the node again"
    )]
    WriteFailed,
    #[error(
        "the file went back in time or holds a commit that failed; check the disk, then start the node again"
    )]
    WrongCommit,
}

impl RedbJournal {
    /// Opens the journal of `folder`, making it if it is not there and migrating it if an older
    /// version wrote it (a copy of the old file is kept beside it).
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(JOURNAL_FILE);
        let (database, acknowledged) = open::open(&path)?;
        let acknowledged = Mutex::new(Acknowledged { last: acknowledged, synced: acknowledged });
        Ok(Self { path, slot: RwLock::new(Slot::Open(database)), acknowledged })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole file and checks every page; minutes for tens of gigabytes. `false`: damage
    /// was found. Waits for what is running and makes others wait.
    pub fn is_intact(&self) -> Result<bool, JournalError> {
        let mut acknowledged = self.commits();
        self.ready(&mut acknowledged)?;
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let Slot::Open(database) = &mut *slot else { return Err(self.closed(Stop::WriteFailed)) };
        match guarded(|| Ok(database.check_integrity()?)) {
            Ok(intact) => Ok(intact),
            Err(fault) if fault.is_damage() => Ok(false),
            Err(fault) => Err(fault.into_error(|| format!("checking {}", self.path.display()))),
        }
    }

    fn commits(&self) -> MutexGuard<'_, Acknowledged> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self, stop: Stop) -> JournalError {
        JournalError::Io { context: format!("{} is closed", self.path.display()), source: Box::new(stop) }
    }

    fn is_interrupted(&self) -> bool {
        matches!(*self.slot.read().unwrap_or_else(PoisonError::into_inner), Slot::Interrupted)
    }

    /// Opens the file again after a full disk closed it.
    fn ready(&self, acknowledged: &mut Acknowledged) -> Result<(), JournalError> {
        match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(_) => return Ok(()),
            Slot::Stopped(stop) => return Err(self.closed(*stop)),
            Slot::Interrupted => {}
        }
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Interrupted = *slot {
            let context = || format!("opening {} again", self.path.display());
            let (database, found) = open::open(&self.path)
                .map_err(|source| JournalError::Io { context: context(), source: Box::new(source) })?;
            if !(acknowledged.synced..=acknowledged.last).contains(&found) {
                *slot = Slot::Stopped(Stop::WrongCommit);
                return Err(self.closed(Stop::WrongCommit));
            }
            let lost = acknowledged.last - found;
            tracing::info!(path = %self.path.display(), unsynced_commits_lost = lost, "journal opened again");
            *acknowledged = Acknowledged { last: found, synced: found };
            *slot = Slot::Open(database);
        }
        Ok(())
    }

    /// Closes the file after a failed write.
    fn interrupt(&self, fault: &Fault) {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        *slot = if fault.is_no_room() { Slot::Interrupted } else { Slot::Stopped(Stop::WriteFailed) };
    }

    fn write(&self, records: &[Record], durability: Durability) -> Result<(), JournalError> {
        let mut acknowledged = self.commits();
        self.ready(&mut acknowledged)?;
        let next = acknowledged.last + 1;
        let outcome = match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(database) => guarded(|| commit::commit(database, records, next, durability)),
            Slot::Interrupted | Slot::Stopped(_) => return Err(self.closed(Stop::WriteFailed)),
        };
        match outcome {
            Ok(()) => {
                acknowledged.last = next;
                if let Durability::Immediate = durability {
                    acknowledged.synced = next;
                }
                Ok(())
            }
            Err(fault) => {
                self.interrupt(&fault);
                Err(fault.into_error(|| format!("writing to {}", self.path.display())))
            }
        }
    }

    fn read<T>(
        &self,
        what: &str,
        query: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, JournalError> {
        if self.is_interrupted() {
            let mut acknowledged = self.commits();
            self.ready(&mut acknowledged)?;
        }
        let context = || format!("reading {what} from {}", self.path.display());
        let reader = match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(database) => guarded(|| Ok(database.begin_read()?)),
            Slot::Stopped(stop) => return Err(self.closed(*stop)),
            Slot::Interrupted => Err(Fault::Redb(io::Error::from(io::ErrorKind::StorageFull).into())),
        };
        // The slot is free again: whoever is handed what was read may ask the journal in turn.
        reader.and_then(|reader| guarded(|| query(&reader))).map_err(|fault| fault.into_error(context))
    }
}

/// Runs `work` on redb. On damaged pages redb may panic instead of saying so; that becomes a fault.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Fault::Panicked))
}

impl Journal for RedbJournal {
    fn commit(&self, records: &[Record]) -> Result<(), JournalError> {
        self.write(records, Durability::Immediate)
    }

    fn commit_unsynced(&self, records: &[Record]) -> Result<(), JournalError> {
        self.write(records, Durability::None)
    }

    fn jobs(&self, before: Option<Timestamp>, limit: usize) -> Result<Vec<StoredJob>, JournalError> {
        self.read("jobs", |reader| query::jobs(reader, before, limit))
    }

    fn job(&self, job: JobId) -> Result<Option<StoredJob>, JournalError> {
        self.read("a job", |reader| query::job(reader, job))
    }

    fn runs(&self, job: JobId, each: &mut dyn FnMut(TaskRun)) -> Result<(), JournalError> {
        self.read("runs", |reader| query::runs(reader, job, each))
    }

    fn notes(&self, job: JobId) -> Result<Vec<JobNote>, JournalError> {
        self.read("notes", |reader| query::notes(reader, job))
    }

    fn receipt(&self, id: Hash) -> Result<Option<ReceiptProof>, JournalError> {
        self.read("a receipt", |reader| query::receipt(reader, id))
    }

    fn agreements(&self) -> Result<Vec<(AgreementId, Signed<Terms>)>, JournalError> {
        self.read("agreements", query::agreements)
    }

    fn invites(&self) -> Result<Vec<StoredInvite>, JournalError> {
        self.read("invites", query::invites)
    }

    fn members(&self) -> Result<Vec<(NodeId, MembershipChain, Vec<String>)>, JournalError> {
        self.read("members", query::members)
    }

    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        self.read("a setting", |reader| query::setting(reader, name))
    }
}
