//! What the ledger's store could not do.

use crate::file::{FileError, OpenError};

/// Why the ledger's store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum LedgerStoreError {
    /// The file could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The disk said no.
    #[error("{context}")]
    Io {
        /// What was being done.
        context: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is on disk is not what was written. It is to be fetched from other nodes again.
    #[error("the ledger's store holds a damaged {what}")]
    Damaged {
        /// What was found damaged.
        what: &'static str,
    },
    /// A block that does not stand directly above the one before it. Nothing was written.
    #[error("block {found} cannot be added: the next one is {expected}")]
    NotContiguous {
        /// The height that is next.
        expected: u64,
        /// The height that came.
        found: u64,
    },
    /// Something above its cap. Nothing of it is kept.
    #[error("a {what} of {size_bytes} bytes is above the cap of {size_bytes_max}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its size.
        size_bytes: usize,
        /// The cap.
        size_bytes_max: usize,
    },
    /// Blocks that were not synced are gone, since the disk was full. Told once, by the sync after it.
    #[error("blocks from {from} on were lost before they were synced, as the disk was full; add them again")]
    Lost {
        /// The first of them.
        from: u64,
    },
}

impl LedgerStoreError {
    /// Whether the store itself, not the question put to it or the disk's room, is at fault.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Open(OpenError::Damaged { .. }) => true,
            Self::Io { source, .. } => {
                matches!(source.downcast_ref(), Some(OpenError::Damaged { .. }))
            }
            _ => false,
        }
    }
}

impl From<FileError> for LedgerStoreError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io { context, source } => Self::Io { context, source },
            FileError::Damaged { what } => Self::Damaged { what },
        }
    }
}
