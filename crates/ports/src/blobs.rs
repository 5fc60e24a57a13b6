//! Content by hash: programs, inputs, outputs.

use opensky_types::{AgreementId, Hash, JobId, ServiceId, job::Blob};
use std::io::{Read, Seek, Write};

/// A readable blob. Its content is what its hash says, checked when it was written.
pub trait BlobReader: Read + Seek + Send {
    /// The size, in bytes.
    fn size_bytes(&self) -> u64;
}

/// A blob being written. Dropping it unfinished leaves nothing behind.
pub trait BlobWriter: Write + Send {
    /// Makes the blob durable and readable. With `expected`, a different hash is refused and nothing
    /// is kept.
    fn finish(self: Box<Self>, expected: Option<Hash>) -> Result<Blob, BlobError>;
}

/// Who needs a blob to stay. Unpinned blobs are a cache: the store may drop them, oldest use first,
/// to stay under its cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pin {
    /// A job of this node: its program, inputs and outputs stay until the job is removed.
    Job(JobId),
    /// Work in progress for someone else; dropped at restart.
    Agreement(AgreementId),
    /// An image that the owner keeps by name, by its hash; dropped at restart, when the node pins it again.
    Image(Hash),
    /// A service that this node keeps or runs: its programs; dropped at restart, when the node pins them again.
    Service(ServiceId),
    /// Volumes of a service that this node keeps: what was saved last of each slot; dropped at restart, when the
    /// node pins them again.
    Volumes(ServiceId),
    /// Volumes of a slot that runs here: what they began with, or what was saved last; dropped at restart.
    Slot(ServiceId, u16),
    /// Being uploaded by a local user; dropped at restart or when a job takes over.
    Upload,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The bytes do not have the hash they were announced under.
    #[error("content has hash {found}, expected {expected}")]
    WrongHash { expected: Hash, found: Hash },
    /// No room below the cap, even after dropping all that may be dropped.
    #[error("blob store is full: {used_bytes} of {cap_bytes} bytes are in use and pinned")]
    Full { used_bytes: u64, cap_bytes: u64 },
    /// The disk said no.
    #[error("blob store: {context}")]
    Io {
        /// What was being done, with the path.
        context: String,
        /// What the system answered.
        #[source]
        source: std::io::Error,
    },
}

/// A store of blobs. Methods block; the node calls those that touch content off its loop.
pub trait BlobStore: Send + Sync {
    /// Starts a new blob. `size_hint_bytes` is reserved against the cap first.
    fn create(&self, size_hint_bytes: u64) -> Result<Box<dyn BlobWriter>, BlobError>;

    /// Opens a blob, or `None` if it is not here. Counts as a use.
    fn open(&self, hash: &Hash) -> Result<Option<Box<dyn BlobReader>>, BlobError>;

    /// Marks blobs as needed. Pinning what is not here yet is allowed and holds once it arrives.
    fn pin(&self, pin: Pin, hashes: &[Hash]) -> Result<(), BlobError>;

    /// Ends everything that `pin` holds.
    fn unpin(&self, pin: Pin) -> Result<(), BlobError>;

    /// The same as both: `pin` holds these, and nothing else any more. What both hold never becomes free in between.
    fn repin(&self, pin: Pin, hashes: &[Hash]) -> Result<(), BlobError>;

    /// Bytes in use and the cap.
    fn usage(&self) -> (u64, u64);

    /// Writes a whole blob from memory.
    fn put(&self, bytes: &[u8]) -> Result<Blob, BlobError> {
        let mut writer = self.create(bytes.len() as u64)?;
        writer
            .write_all(bytes)
            .map_err(|source| BlobError::Io { context: "writing a blob".into(), source })?;
        writer.finish(None)
    }

    /// Reads a whole blob of at most `limit_bytes` into memory; `None` if it is not here.
    fn get(&self, hash: &Hash, limit_bytes: u64) -> Result<Option<Vec<u8>>, BlobError> {
        let Some(mut reader) = self.open(hash)? else { return Ok(None) };
        let io = |source| BlobError::Io { context: format!("reading blob {hash}"), source };
        if reader.size_bytes() > limit_bytes {
            let message = format!("{} bytes are over the limit of {limit_bytes}", reader.size_bytes());
            return Err(io(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message)));
        }
        let mut bytes = Vec::with_capacity(reader.size_bytes() as usize);
        reader.read_to_end(&mut bytes).map_err(io)?;
        Ok(Some(bytes))
    }
}
