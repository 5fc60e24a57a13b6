//! Blobs as content-addressed files under a cap.

mod index;
mod pins;
mod reader;
mod scan;
mod writer;

use index::{Full, Index};
use opensky_ports::{BlobError, BlobReader, BlobStore, BlobWriter, Pin};
use opensky_types::Hash;
use pins::PinFiles;
use reader::{FileReader, MemoryReader};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use writer::FileWriter;

/// Blobs up to this size are read and checked whole each time they are opened. Larger ones are
/// checked while they are first read, or by [`FileBlobs::verify`].
const CHECKED_ON_OPEN_BYTES_MAX: u64 = 1 << 20;
/// Bytes moved at a time.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;
/// A use is written to disk (as the file's modification time) at most this often per blob.
const TOUCH_INTERVAL: Duration = Duration::from_secs(60);

/// [`BlobStore`] in a folder: `ab/cdef…` for content, `pins/` for what jobs need, `tmp/` for what
/// is being written. Files are complete and synced before they get their name.
pub struct FileBlobs {
    shared: Arc<Shared>,
}

/// What writers and readers need of the store after the call that made them.
pub(crate) struct Shared {
    root: PathBuf,
    index: Mutex<Index>,
    pin_files: Mutex<PinFiles>,
}

/// What [`FileBlobs::verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is what its hash says.
    Intact,
    /// It was not, and has been removed: whoever needs it must fetch it again.
    Removed,
    /// It is not here.
    Missing,
}

impl FileBlobs {
    /// Opens the store in `root`, making it if it is not there, with at most `cap_bytes` of content.
    /// Pins of jobs are as they were; other pins and unfinished blobs are gone.
    pub fn open(root: &Path, cap_bytes: u64) -> Result<Self, BlobError> {
        scan::prepare(root)?;
        let mut pin_files = PinFiles::new(root.join("pins"));
        let mut index = Index::new(cap_bytes);
        for (job, hashes) in pin_files.read_all()? {
            index.pin(Pin::Job(job), &hashes);
        }
        for found in scan::blobs(root)? {
            index.add(found.hash, found.size_bytes);
        }
        let shared = Shared { root: root.into(), index: Mutex::new(index), pin_files: Mutex::new(pin_files) };
        shared.make_room()?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Changes the cap, and drops what no longer fits; pinned content stays even above the cap.
    pub fn set_cap(&self, cap_bytes: u64) -> Result<(), BlobError> {
        self.shared.index().set_cap(cap_bytes);
        self.shared.make_room()
    }

    /// Every blob that is here, for a caller that goes through them with [`FileBlobs::verify`].
    pub fn hashes(&self) -> Vec<Hash> {
        self.shared.index().hashes()
    }

    /// Reads a blob and compares it with its hash; a damaged one is removed.
    pub fn verify(&self, hash: &Hash) -> Result<Condition, BlobError> {
        let path = self.shared.path(hash);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.shared.forget(hash);
                return Ok(Condition::Missing);
            }
            Err(error) => return Err(io_error("opening", &path, error)),
        };
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = file.read(&mut chunk).map_err(|error| io_error("reading", &path, error))?;
            if count == 0 {
                break;
            }
            hasher.update(&chunk[..count]);
        }
        if hasher.finalize().as_bytes() == hash.as_bytes() {
            self.shared.index().set_checked(hash);
            return Ok(Condition::Intact);
        }
        self.shared.discard(hash)?;
        Ok(Condition::Removed)
    }
}

impl BlobStore for FileBlobs {
    fn create(&self, size_hint_bytes: u64) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.shared.reserve(size_hint_bytes)?;
        match FileWriter::create(&self.shared, size_hint_bytes) {
            Ok(writer) => Ok(Box::new(writer)),
            Err(error) => {
                self.shared.index().release(size_hint_bytes);
                Err(error)
            }
        }
    }

    fn open(&self, hash: &Hash) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        let Some(found) = self.shared.index().use_blob(hash, Instant::now(), TOUCH_INTERVAL) else {
            return Ok(None);
        };
        let path = self.shared.path(hash);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!(%hash, "blob is gone from the disk");
                self.shared.forget(hash);
                return Ok(None);
            }
            Err(error) => return Err(io_error("opening", &path, error)),
        };
        if found.touch {
            file.set_modified(SystemTime::now()).map_err(|error| io_error("touching", &path, error))?;
        }
        if found.size_bytes > CHECKED_ON_OPEN_BYTES_MAX {
            let size_on_disk = file.metadata().map_err(|error| io_error("reading", &path, error))?.len();
            if size_on_disk != found.size_bytes {
                self.shared.discard(hash)?;
                return Ok(None);
            }
            let shared = (!found.checked).then(|| Arc::clone(&self.shared));
            return Ok(Some(Box::new(FileReader::new(file, *hash, found.size_bytes, shared))));
        }
        let bytes = read_small(file, found.size_bytes).map_err(|error| io_error("reading", &path, error))?;
        if Hash::of(&bytes) != *hash {
            self.shared.discard(hash)?;
            return Ok(None);
        }
        Ok(Some(Box::new(MemoryReader::new(bytes))))
    }

    fn pin(&self, pin: Pin, hashes: &[Hash]) -> Result<(), BlobError> {
        if let Pin::Job(job) = pin {
            let mut files = self.shared.pin_files.lock().unwrap_or_else(PoisonError::into_inner);
            let new = self.shared.index().not_pinned_by(pin, hashes);
            files.append(job, &new)?;
            self.shared.index().pin(pin, hashes);
        } else {
            self.shared.index().pin(pin, hashes);
        }
        Ok(())
    }

    fn unpin(&self, pin: Pin) -> Result<(), BlobError> {
        if let Pin::Job(job) = pin {
            let mut files = self.shared.pin_files.lock().unwrap_or_else(PoisonError::into_inner);
            files.remove(job)?;
            self.shared.index().unpin(pin);
        } else {
            self.shared.index().unpin(pin);
        }
        self.shared.make_room()
    }

    fn repin(&self, pin: Pin, hashes: &[Hash]) -> Result<(), BlobError> {
        if let Pin::Job(_) = pin {
            self.unpin(pin)?;
            return self.pin(pin, hashes);
        }
        {
            let mut index = self.shared.index();
            index.unpin(pin);
            index.pin(pin, hashes);
        }
        self.shared.make_room()
    }

    fn usage(&self) -> (u64, u64) {
        self.shared.index().usage()
    }
}

impl Shared {
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self, hash: &Hash) -> PathBuf {
        let text = hash.to_string();
        self.root.join(&text[..2]).join(&text[2..])
    }

    /// Sets `bytes` aside under the cap, dropping the longest unused blobs where that is needed.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<(), BlobError> {
        let mut index = self.index();
        let dropped = index
            .reserve(bytes)
            .map_err(|Full { used_bytes, cap_bytes }| BlobError::Full { used_bytes, cap_bytes })?;
        self.unlink(&dropped)
    }

    fn make_room(&self) -> Result<(), BlobError> {
        let mut index = self.index();
        let dropped = index.make_room();
        self.unlink(&dropped)
    }

    /// Called with the index locked, so that no blob of the same hash can be arriving.
    fn unlink(&self, dropped: &[Hash]) -> Result<(), BlobError> {
        for hash in dropped {
            let path = self.path(hash);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("removing", &path, error));
                }
                _ => tracing::debug!(%hash, "blob dropped"),
            }
        }
        Ok(())
    }

    /// Removes a blob that is not what its hash says.
    pub(crate) fn discard(&self, hash: &Hash) -> Result<(), BlobError> {
        tracing::warn!(%hash, "blob was damaged on disk and is removed");
        let mut index = self.index();
        index.remove(hash);
        self.unlink(&[*hash])
    }

    fn forget(&self, hash: &Hash) {
        self.index().remove(hash);
    }
}

fn read_small(mut file: File, size_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(size_bytes as usize + 1);
    // One byte more than expected is enough to see that the file has grown.
    Read::take(&mut file, size_bytes + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn io_error(doing: &str, path: &Path, source: io::Error) -> BlobError {
    BlobError::Io { context: format!("{doing} {}", path.display()), source }
}

pub(crate) fn sync_folder(path: &Path) -> Result<(), BlobError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| io_error("syncing", path, error))
}
