//! Opening a file: create, check, migrate.

use super::{Fault, Medium, guarded};
use redb::{Builder, Database, ReadableDatabase, TableDefinition, WriteTransaction};
use std::{
    fmt,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A file's own numbers, by name.
pub(crate) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// Name of the format's version among them.
pub(crate) const FORMAT: &str = "format_version";
/// Name of the last commit's number.
pub(crate) const COMMIT_NUMBER: &str = "commit_number";

/// Pages that redb may keep in memory, in bytes.
const CACHE_BYTES_MAX: usize = 16 << 20;
/// Files up to this size are checked page by page at every start; larger ones on demand
/// ([`super::RedbFile::is_intact`]), and row by row as they are read.
const CHECKED_AT_START_BYTES_MAX: u64 = 64 << 20;

/// What a file holds and how its tables come to be.
pub(crate) struct Format {
    /// What it is.
    pub kind: FileKind,
    /// The version that this program writes.
    pub version: u64,
    /// Whether a crash must not cost a walk through the whole file at the next start. Synced commits
    /// then take two data syncs instead of one.
    pub quick_repair: bool,
    /// Makes every table of a new file, so that readers find them all.
    pub create: fn(&WriteTransaction) -> Result<(), Fault>,
    /// Brings a file of an older version, which is given, to this one.
    pub migrate: fn(&Database, u64) -> Result<(), Fault>,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// The node's journal.
    Journal,
    /// The sky's ledger.
    Ledger,
}

impl FileKind {
    /// What to do about a damaged file, after a look at the disk.
    fn remedy(self) -> &'static str {
        match self {
            Self::Journal => {
                "restore the file from a backup, or move it away to start with an empty journal (the key \
                 and blobs stay)"
            }
            Self::Ledger => "move the file away, and the node fetches the ledger from other nodes",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Journal => "journal",
            Self::Ledger => "ledger",
        })
    }
}

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk said no.
    #[error("cannot open the {kind} {}", path.display())]
    Io {
        /// What it holds.
        kind: FileKind,
        /// The file.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process has it open.
    #[error("the {kind} {} is open in another process; stop that node first", path.display())]
    InUse {
        /// What it holds.
        kind: FileKind,
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error(
        "the {kind} {} is damaged ({reason}); check the disk, then {}",
        path.display(),
        kind.remedy()
    )]
    Damaged {
        /// What it holds.
        kind: FileKind,
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A newer program wrote it.
    #[error(
        "the {kind} {} has format {found}, and this version of opensky reads up to {known}; install the newer \
         opensky that wrote it",
        path.display()
    )]
    Newer {
        /// What it holds.
        kind: FileKind,
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest that can be read.
        known: u64,
    },
    /// The copy that is kept before a migration could not be made, so nothing was migrated.
    #[error("cannot copy the {kind} to {} before migrating it; nothing was changed", path.display())]
    Snapshot {
        /// What it holds.
        kind: FileKind,
        /// The copy.
        path: PathBuf,
        /// What the system answered.
        #[source]
        source: io::Error,
    },
}

/// The open file and the number of its last commit.
pub(super) fn open(medium: &Medium, format: &Format) -> Result<(Database, u64), OpenError> {
    match medium {
        Medium::File(path) => open_path(path, format),
        #[cfg(any(test, feature = "testing"))]
        Medium::Simulated(disk) => open_simulated(disk, medium.path(), format),
    }
}

/// The same on the disk of a test, which holds no file of an older version.
#[cfg(any(test, feature = "testing"))]
fn open_simulated(
    disk: &super::simulated::SimulatedDisk,
    path: &Path,
    format: &Format,
) -> Result<(Database, u64), OpenError> {
    let (kind, is_new) = (format.kind, disk.begins_anew());
    let name = |fault| name(kind, path, fault);
    let damaged = |reason: &str| OpenError::Damaged { kind, path: path.into(), reason: reason.into() };
    let opened =
        guarded(|| Ok(Builder::new().set_cache_size(CACHE_BYTES_MAX).create_with_backend(disk.open())?));
    let mut database = opened.map_err(name)?;
    if is_new {
        guarded(|| create_tables(&database, format)).map_err(name)?;
        disk.made();
    }
    check_pages(&mut database, disk.size_bytes(), path, format)?;
    match guarded(|| number(&database, FORMAT)).map_err(name)? {
        Some(found) if found == format.version => {}
        _ => return Err(damaged("it has no format version")),
    }
    let number = guarded(|| number(&database, COMMIT_NUMBER)).map_err(name)?;
    Ok((database, number.unwrap_or(0)))
}

/// Reads a file that is not too large page by page.
fn check_pages(
    database: &mut Database,
    size_bytes: u64,
    path: &Path,
    format: &Format,
) -> Result<(), OpenError> {
    let kind = format.kind;
    if size_bytes <= CHECKED_AT_START_BYTES_MAX
        && !guarded(|| Ok(database.check_integrity()?)).map_err(|fault| name(kind, path, fault))?
    {
        let reason = "its pages do not match their checksums".into();
        return Err(OpenError::Damaged { kind, path: path.into(), reason });
    }
    Ok(())
}

fn open_path(path: &Path, format: &Format) -> Result<(Database, u64), OpenError> {
    let kind = format.kind;
    let io_error = |source| OpenError::Io { kind, path: path.into(), source: Box::new(source) };
    let damaged = |reason: &str| OpenError::Damaged { kind, path: path.into(), reason: reason.into() };
    let name = |fault| name(kind, path, fault);
    if !path.try_exists().map_err(io_error)? {
        create(path, format)?;
    }
    let mut database = guarded(|| open_file(path)).map_err(name)?;
    let size_bytes = std::fs::metadata(path).map_err(io_error)?.len();
    check_pages(&mut database, size_bytes, path, format)?;
    match guarded(|| number(&database, FORMAT)).map_err(name)? {
        Some(found) if found == format.version => {}
        Some(found) if found > format.version => {
            return Err(OpenError::Newer { kind, path: path.into(), found, known: format.version });
        }
        Some(found) => database = migrate(path, format, database, found)?,
        None => return Err(damaged("it has no format version")),
    }
    let number = guarded(|| number(&database, COMMIT_NUMBER)).map_err(name)?;
    Ok((database, number.unwrap_or(0)))
}

/// Makes an empty file beside its name first, so that a crash never leaves half of one.
fn create(path: &Path, format: &Format) -> Result<(), OpenError> {
    let beside = path.with_extension("new");
    let io_error = |path: &Path, source| OpenError::Io {
        kind: format.kind,
        path: path.into(),
        source: Box::new(source),
    };
    match std::fs::remove_file(&beside) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(io_error(&beside, source)),
        _ => {}
    }
    guarded(|| create_tables(&open_file(&beside)?, format))
        .map_err(|fault| name(format.kind, &beside, fault))?;
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
    match database.begin_read()?.open_table(META) {
        Ok(meta) => Ok(meta.get(name)?.map(|number| number.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn create_tables(database: &Database, format: &Format) -> Result<(), Fault> {
    let writer = database.begin_write()?;
    (format.create)(&writer)?;
    writer.open_table(META)?.insert(FORMAT, format.version)?;
    writer.commit()?;
    Ok(())
}

fn migrate(path: &Path, format: &Format, database: Database, found: u64) -> Result<Database, OpenError> {
    let Format { kind, version, .. } = *format;
    let copy = path.with_extension(format!("v{found}.redb"));
    // Closed while it is copied, so that the copy is a whole file.
    drop(database);
    snapshot(path, &copy).map_err(|source| OpenError::Snapshot { kind, path: copy.clone(), source })?;
    tracing::warn!(%kind, from = found, to = version, kept = %copy.display(), "migrating a file");
    guarded(|| {
        let database = open_file(path)?;
        (format.migrate)(&database, found)?;
        Ok(database)
    })
    .map_err(|fault| name(kind, path, fault))
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

fn name(kind: FileKind, path: &Path, fault: Fault) -> OpenError {
    let path = path.to_path_buf();
    let damaged = |path, reason| OpenError::Damaged { kind, path, reason };
    match fault {
        Fault::Redb(redb::Error::DatabaseAlreadyOpen) => OpenError::InUse { kind, path },
        Fault::Redb(redb::Error::Corrupted(reason)) => damaged(path, reason),
        Fault::Redb(source @ (redb::Error::UpgradeRequired(_) | redb::Error::RepairAborted)) => {
            damaged(path, source.to_string())
        }
        Fault::Redb(redb::Error::Io(source)) if source.kind() == io::ErrorKind::InvalidData => {
            damaged(path, source.to_string())
        }
        Fault::Redb(source) => OpenError::Io { kind, path, source: Box::new(source) },
        Fault::Damaged(what) => damaged(path, format!("bad {what}")),
        Fault::Panicked => damaged(path, "unreadable pages".into()),
    }
}
