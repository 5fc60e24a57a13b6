//! Errors on the way from redb to whoever asked.

use std::io;

/// What a file of this crate could not do. Each user of a file turns it into its own error.
#[derive(Debug)]
pub(crate) enum FileError {
    /// The disk or redb said no.
    Io {
        /// What was being done.
        context: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is on disk is not what was written.
    Damaged {
        /// What was found damaged.
        what: &'static str,
    },
}

/// What went wrong inside one transaction, before the file's name is put to it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// redb or the disk.
    Redb(redb::Error),
    /// A row that cannot be what was written.
    Damaged(&'static str),
    /// redb met pages it could not make sense of.
    Panicked,
}

impl Fault {
    /// Whether the disk was merely full: nothing is wrong with what is stored.
    pub fn is_no_room(&self) -> bool {
        let Self::Redb(redb::Error::Io(error)) = self else { return false };
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        )
    }

    /// Whether the file itself, not the question put to it, is at fault.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_) | Self::Panicked | Self::Redb(redb::Error::Corrupted(_)))
    }

    /// The file's error, saying what was being done.
    pub fn into_error(self, context: impl FnOnce() -> String) -> FileError {
        match self {
            Self::Damaged(what) => FileError::Damaged { what },
            Self::Panicked | Self::Redb(redb::Error::Corrupted(_)) => FileError::Damaged { what: "page" },
            Self::Redb(source) => FileError::Io { context: context(), source: Box::new(source) },
        }
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        Self::Redb(error)
    }
}

impl From<redb::StorageError> for Fault {
    fn from(error: redb::StorageError) -> Self {
        Self::Redb(error.into())
    }
}

impl From<redb::TableError> for Fault {
    fn from(error: redb::TableError) -> Self {
        Self::Redb(error.into())
    }
}

impl From<redb::TransactionError> for Fault {
    fn from(error: redb::TransactionError) -> Self {
        Self::Redb(error.into())
    }
}

impl From<redb::CommitError> for Fault {
    fn from(error: redb::CommitError) -> Self {
        Self::Redb(error.into())
    }
}

impl From<redb::SetDurabilityError> for Fault {
    fn from(error: redb::SetDurabilityError) -> Self {
        Self::Redb(error.into())
    }
}

impl From<redb::DatabaseError> for Fault {
    fn from(error: redb::DatabaseError) -> Self {
        Self::Redb(error.into())
    }
}
