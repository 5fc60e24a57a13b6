//! Writing blobs: hashed on the way, synced, then named.

use super::{CHUNK_BYTES, Shared, io_error, sync_folder};
use opensky_ports::{BlobError, BlobWriter};
use opensky_types::{Hash, job::Blob};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Numbers temporary files within this process; older ones are removed at start.
static NEXT_FILE: AtomicU64 = AtomicU64::new(0);

pub(crate) struct FileWriter {
    shared: Arc<Shared>,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    buffer_bytes: usize,
    hasher: blake3::Hasher,
    written_bytes: u64,
    reserved_bytes: u64,
    /// The reservation and the file have gone over to the store.
    kept: bool,
}

impl FileWriter {
    /// A writer for a blob for which `reserved_bytes` are set aside already.
    pub fn create(shared: &Arc<Shared>, reserved_bytes: u64) -> Result<Self, BlobError> {
        let number = NEXT_FILE.fetch_add(1, Ordering::Relaxed);
        let path = shared.root.join("tmp").join(number.to_string());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(&path)
            .map_err(|error| io_error("creating", &path, error))?;
        let buffer_bytes = usize::try_from(reserved_bytes).unwrap_or(usize::MAX).clamp(4 << 10, CHUNK_BYTES);
        Ok(Self {
            shared: Arc::clone(shared),
            path,
            file,
            buffer: Vec::with_capacity(buffer_bytes),
            buffer_bytes,
            hasher: blake3::Hasher::new(),
            written_bytes: 0,
            reserved_bytes,
            kept: false,
        })
    }

    fn flush_buffer(&mut self) -> io::Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        self.write_through(&buffer)?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    /// Writes to the file, after setting aside what the hint did not cover.
    fn write_through(&mut self, bytes: &[u8]) -> io::Result<()> {
        let total = self.written_bytes + bytes.len() as u64;
        if let Some(more) = total.checked_sub(self.reserved_bytes).filter(|more| *more > 0) {
            self.shared.reserve(more).map_err(|error| io::Error::new(io::ErrorKind::StorageFull, error))?;
            self.reserved_bytes = total;
        }
        self.hasher.update(bytes);
        self.file.write_all(bytes)?;
        self.written_bytes = total;
        Ok(())
    }

    /// Gives the synced file its name.
    fn keep(&mut self, hash: Hash) -> Result<(), BlobError> {
        let path = self.shared.path(&hash);
        let mut index = self.shared.index();
        if index.contains(&hash) {
            return Ok(());
        }
        fs::rename(&self.path, &path).map_err(|error| io_error("naming", &path, error))?;
        index.add_reserved(hash, self.written_bytes, self.reserved_bytes);
        self.kept = true;
        Ok(())
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > self.buffer_bytes {
            self.flush_buffer()?;
        }
        if bytes.len() >= self.buffer_bytes {
            self.write_through(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_buffer()
    }
}

impl BlobWriter for FileWriter {
    fn finish(mut self: Box<Self>, expected: Option<Hash>) -> Result<Blob, BlobError> {
        self.flush_buffer().map_err(|error| into_blob_error(&self.path, error))?;
        let hash = Hash::from_bytes(*self.hasher.finalize().as_bytes());
        if let Some(expected) = expected.filter(|expected| *expected != hash) {
            return Err(BlobError::WrongHash { expected, found: hash });
        }
        self.file.sync_data().map_err(|error| io_error("syncing", &self.path, error))?;
        self.keep(hash)?;
        // Also where the blob was here already: whoever wrote it may not have come this far yet.
        if let Some(folder) = self.shared.path(&hash).parent() {
            sync_folder(folder)?;
        }
        Ok(Blob { hash, size_bytes: self.written_bytes })
    }
}

/// Brings the store's own "full" back out of the I/O error that `Write` had to put it in.
fn into_blob_error(path: &std::path::Path, error: io::Error) -> BlobError {
    match error.downcast::<BlobError>() {
        Ok(error) => error,
        Err(error) => io_error("writing", path, error),
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        self.shared.index().release(self.reserved_bytes);
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "unfinished blob left behind until the next start");
        }
    }
}
