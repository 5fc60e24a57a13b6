//! Opening the journal's file: create, check, migrate.

use super::{Fault, guarded, tables};
use crate::migrations::{self, FORMAT_VERSION};
use redb::{Builder, Database, ReadableDatabase, WriteTransaction};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Name of the format's version among the journal's own numbers.
pub(crate) const FORMAT: &str = "format_version";
/// Name of the last commit's number.
pub(crate) const COMMIT_NUMBER: &str = "commit_number";

/// Pages that redb may keep in memory, in bytes.
const CACHE_BYTES_MAX: usize = 16 << 20;
/// Files up to this size are checked page by page at every start; larger ones on demand
/// ([`super::RedbJournal::is_intact`]), and row by row as they are read.
const CHECKED_AT_START_BYTES_MAX: u64 = 64 << 20;

/// Why the journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk said no.
    #[error("cannot open the journal {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process has it open.
    #[error("the journal {} is open in another process; stop that node first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error(
        "the journal {} is damaged ({reason}); check the disk, then restore the file from a backup, or move it \
         away to start with an empty journal (the key and blobs stay)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A newer program wrote it.
    #[error(
        "the journal {} has format {found}, and this version of opensky reads up to {known}; install the newer \
         opensky that wrote it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest that can be read.
        known: u64,
    },
    /// The copy that is kept before a migration could not be made, so nothing was migrated.
    #[error("cannot copy the journal to {} before migrating it; nothing was changed", path.display())]
    Snapshot {
        /// The copy.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
}

/// The open file and the number of its last commit.
pub(super) fn open(path: &Path) -> Result<(Database, u64), OpenError> {
    if !path.try_exists().map_err(|source| io_error(path, source))? {
        create(path)?;
    }
    let mut database = guarded(|| open_file(path)).map_err(|fault| name(path, fault))?;
    let size_bytes = std::fs::metadata(path).map_err(|source| io_error(path, source))?.len();
    if size_bytes <= CHECKED_AT_START_BYTES_MAX {
        let intact = guarded(|| Ok(database.check_integrity()?)).map_err(|fault| name(path, fault))?;
        if !intact {
            let reason = "its pages do not match their checksums".to_owned();
            return Err(OpenError::Damaged { path: path.into(), reason });
        }
    }
    match guarded(|| number(&database, FORMAT)).map_err(|fault| name(path, fault))? {
        Some(FORMAT_VERSION) => {}
        Some(found) if found > FORMAT_VERSION => {
            return Err(OpenError::Newer { path: path.into(), found, known: FORMAT_VERSION });
        }
        Some(found) => {
            database = migrate(path, database, found)?;
        }
        None => {
            return Err(OpenError::Damaged { path: path.into(), reason: "it has no format version".into() });
        }
    }
    let number = guarded(|| number(&database, COMMIT_NUMBER)).map_err(|fault| name(path, fault))?;
    Ok((database, number.unwrap_or(0)))
}

/// Makes an empty journal beside its name first, so that a crash never leaves half of one.
fn create(path: &Path) -> Result<(), OpenError> {
    let beside = path.with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(io_error(&beside, source)),
        _ => {}
    }
    guarded(|| create_tables(&open_file(&beside)?)).map_err(|fault| name(&beside, fault))?;
    std::fs::rename(&beside, path)
        .and_then(|()| sync_folder_of(path))
        .map_err(|source| io_error(path, source))
}

fn open_file(path: &Path) -> Result<Database, Fault> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(redb::Error::Io)?;
    Ok(Builder::new().set_cache_size(CACHE_BYTES_MAX).create_file(file)?)
}

fn number(database: &Database, name: &str) -> Result<Option<u64>, Fault> {
    match database.begin_read()?.open_table(tables::META) {
        Ok(meta) => Ok(meta.get(name)?.map(|number| number.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn create_tables(database: &Database) -> Result<(), Fault> {
    let writer = database.begin_write()?;
    open_all_tables(&writer)?;
    writer.open_table(tables::META)?.insert(FORMAT, FORMAT_VERSION)?;
    writer.commit()?;
    Ok(())
}

/// Makes every table, so that readers find them all.
pub(crate) fn open_all_tables(writer: &WriteTransaction) -> Result<(), Fault> {
    writer.open_table(tables::META)?;
    writer.open_table(tables::HEADS)?;
    writer.open_table(tables::SPECS)?;
    writer.open_table(tables::BY_TIME)?;
    writer.open_table(tables::RUNS)?;
    writer.open_table(tables::NOTES)?;
    writer.open_table(tables::BATCHES)?;
    writer.open_table(tables::BATCH_ROOTS)?;
    writer.open_table(tables::BATCH_IDS)?;
    writer.open_table(tables::COUNTERSIGNATURES)?;
    writer.open_table(tables::AGREEMENTS)?;
    writer.open_table(tables::INVITES)?;
    writer.open_table(tables::INVITE_USES)?;
    writer.open_table(tables::MEMBERS)?;
    writer.open_table(tables::SETTINGS)?;
    Ok(())
}

fn migrate(path: &Path, database: Database, found: u64) -> Result<Database, OpenError> {
    let copy = path.with_extension(format!("v{found}.redb"));
    // Closed while it is copied, so that the copy is a whole file.
    drop(database);
    snapshot(path, &copy).map_err(|source| OpenError::Snapshot { path: copy.clone(), source })?;
    tracing::warn!(from = found, to = FORMAT_VERSION, kept = %copy.display(), "migrating the journal");
    guarded(|| {
        let database = open_file(path)?;
        migrations::run(&database, found)?;
        Ok(database)
    })
    .map_err(|fault| name(path, fault))
}

fn snapshot(path: &Path, copy: &Path) -> io::Result<()> {
    std::fs::copy(path, copy)?;
    File::open(copy)?.sync_all()?;
    sync_folder_of(copy)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn io_error(path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { path: path.into(), source: Box::new(source) }
}

fn name(path: &Path, fault: Fault) -> OpenError {
    let path = path.to_path_buf();
    match fault {
        Fault::Redb(redb::Error::DatabaseAlreadyOpen) => OpenError::InUse { path },
        Fault::Redb(redb::Error::Corrupted(reason)) => OpenError::Damaged { path, reason },
        Fault::Redb(source @ (redb::Error::UpgradeRequired(_) | redb::Error::RepairAborted)) => {
            OpenError::Damaged { path, reason: source.to_string() }
        }
        Fault::Redb(redb::Error::Io(source)) if source.kind() == io::ErrorKind::InvalidData => {
            OpenError::Damaged { path, reason: source.to_string() }
        }
        Fault::Redb(source) => OpenError::Io { path, source: Box::new(source) },
        Fault::Damaged(what) => OpenError::Damaged { path, reason: format!("bad {what}") },
        Fault::Panicked => OpenError::Damaged { path, reason: "unreadable pages".into() },
    }
}
