//! One redb file: transactions in a row, readers beside them, and what failed writes do to it.

mod fault;
pub(crate) mod open;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod simulated;

pub(crate) use fault::{Fault, FileError};
pub use open::{FileKind, OpenError};
pub(crate) use open::{Format, META};

use redb::{Database, Durability, ReadTransaction, ReadableDatabase, WriteTransaction};
use std::{
    convert::Infallible,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

/// A redb file of this crate. Each write is one transaction; readers never wait for it.
///
/// A write that fails because the disk is full leaves the file readable, and later writes try again.
/// After any other failed write nobody can know what the disk holds (a failed sync may have dropped
/// the pages it failed on), so the file stays closed until the process starts anew.
pub(crate) struct RedbFile {
    medium: Medium,
    format: &'static Format,
    slot: RwLock<Slot>,
    /// Its lock puts writes in a row.
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

/// What a file lies on.
pub(crate) enum Medium {
    /// A file system.
    File(PathBuf),
    /// A disk of a test.
    #[cfg(any(test, feature = "testing"))]
    Simulated(simulated::SimulatedDisk),
}

impl Medium {
    /// Where it is, for people to read.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            #[cfg(any(test, feature = "testing"))]
            Self::Simulated(_) => Path::new("(a simulated disk)"),
        }
    }
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

impl RedbFile {
    /// Opens the file, making it if it is not there and migrating it if an older version wrote it.
    pub fn open(medium: Medium, format: &'static Format) -> Result<Self, OpenError> {
        let (database, acknowledged) = open::open(&medium, format)?;
        let acknowledged = Mutex::new(Acknowledged { last: acknowledged, synced: acknowledged });
        Ok(Self { medium, format, slot: RwLock::new(Slot::Open(database)), acknowledged })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.medium.path()
    }

    /// Reads the whole file and checks every page. `false`: damage was found. Waits for what is
    /// running and makes others wait.
    pub fn is_intact(&self) -> Result<bool, FileError> {
        let mut acknowledged = self.commits();
        self.ready(&mut acknowledged)?;
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        let Slot::Open(database) = &mut *slot else { return Err(self.closed(Stop::WriteFailed)) };
        match guarded(|| Ok(database.check_integrity()?)) {
            Ok(intact) => Ok(intact),
            Err(fault) if fault.is_damage() => Ok(false),
            Err(fault) => Err(fault.into_error(|| format!("checking {}", self.path().display()))),
        }
    }

    /// Does `work` in one transaction, all or nothing.
    pub fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&WriteTransaction) -> Result<T, Fault>,
    ) -> Result<T, FileError> {
        let Ok(done) = self.write_or_refuse(durability, |writer| work(writer).map(Ok::<T, Infallible>))?;
        Ok(done)
    }

    /// Does `work` in one transaction, all or nothing; what `work` refuses leaves everything as it was.
    pub fn write_or_refuse<T, R>(
        &self,
        durability: Durability,
        work: impl FnOnce(&WriteTransaction) -> Result<Result<T, R>, Fault>,
    ) -> Result<Result<T, R>, FileError> {
        let mut acknowledged = self.commits();
        self.ready(&mut acknowledged)?;
        let next = acknowledged.last + 1;
        let outcome = match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(database) => guarded(|| {
                let mut writer = database.begin_write()?;
                writer.set_durability(durability)?;
                writer.set_quick_repair(
                    self.format.quick_repair && matches!(durability, Durability::Immediate),
                );
                commit(writer, next, work)
            }),
            Slot::Interrupted | Slot::Stopped(_) => return Err(self.closed(Stop::WriteFailed)),
        };
        match outcome {
            Ok(Ok(done)) => {
                acknowledged.last = next;
                if let Durability::Immediate = durability {
                    acknowledged.synced = next;
                }
                Ok(Ok(done))
            }
            Ok(Err(refused)) => Ok(Err(refused)),
            Err(fault) => {
                self.interrupt(&fault);
                Err(fault.into_error(|| format!("writing to {}", self.path().display())))
            }
        }
    }

    /// Asks the file as it is now.
    pub fn read<T>(
        &self,
        what: &str,
        query: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, FileError> {
        if self.is_interrupted() {
            let mut acknowledged = self.commits();
            self.ready(&mut acknowledged)?;
        }
        let context = || format!("reading {what} from {}", self.path().display());
        let reader = match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(database) => guarded(|| Ok(database.begin_read()?)),
            Slot::Stopped(stop) => return Err(self.closed(*stop)),
            Slot::Interrupted => Err(Fault::Redb(io::Error::from(io::ErrorKind::StorageFull).into())),
        };
        // The slot is free again: whoever is handed what was read may ask the file in turn.
        reader.and_then(|reader| guarded(|| query(&reader))).map_err(|fault| fault.into_error(context))
    }

    fn commits(&self) -> MutexGuard<'_, Acknowledged> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self, stop: Stop) -> FileError {
        FileError::Io { context: format!("{} is closed", self.path().display()), source: Box::new(stop) }
    }

    fn is_interrupted(&self) -> bool {
        matches!(*self.slot.read().unwrap_or_else(PoisonError::into_inner), Slot::Interrupted)
    }

    /// Opens the file again after a full disk closed it.
    fn ready(&self, acknowledged: &mut Acknowledged) -> Result<(), FileError> {
        match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(_) => return Ok(()),
            Slot::Stopped(stop) => return Err(self.closed(*stop)),
            Slot::Interrupted => {}
        }
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Interrupted = *slot {
            let context = || format!("opening {} again", self.path().display());
            let (database, found) = open::open(&self.medium, self.format)
                .map_err(|source| FileError::Io { context: context(), source: Box::new(source) })?;
            if !(acknowledged.synced..=acknowledged.last).contains(&found) {
                *slot = Slot::Stopped(Stop::WrongCommit);
                return Err(self.closed(Stop::WrongCommit));
            }
            let lost = acknowledged.last - found;
            tracing::info!(path = %self.path().display(), unsynced_commits_lost = lost, "file opened again");
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
}

/// Writes what `work` writes and the commit's own number.
fn commit<T, R>(
    writer: WriteTransaction,
    number: u64,
    work: impl FnOnce(&WriteTransaction) -> Result<Result<T, R>, Fault>,
) -> Result<Result<T, R>, Fault> {
    let outcome = work(&writer)?;
    if outcome.is_err() {
        writer.abort()?;
        return Ok(outcome);
    }
    writer.open_table(META)?.insert(open::COMMIT_NUMBER, number)?;
    writer.commit()?;
    Ok(outcome)
}

/// Runs `work` on redb. On damaged pages redb may panic instead of saying so; that becomes a fault.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Fault::Panicked))
}
