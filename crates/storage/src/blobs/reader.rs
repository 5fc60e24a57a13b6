//! Reading blobs.

use super::Shared;
use opensky_ports::BlobReader;
use opensky_types::Hash;
use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom},
    sync::Arc,
};

/// A small blob, read and checked whole.
pub(crate) struct MemoryReader(Cursor<Vec<u8>>);

impl MemoryReader {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Cursor::new(bytes))
    }
}

impl Read for MemoryReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for MemoryReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl BlobReader for MemoryReader {
    fn size_bytes(&self) -> u64 {
        self.0.get_ref().len() as u64
    }
}

/// A large blob, read from its file. The open file stays readable when the store drops the blob.
pub(crate) struct FileReader {
    file: File,
    size_bytes: u64,
    position: u64,
    check: Option<Check>,
}

/// The check of a blob that this process has not seen whole yet: runs along while it is read from
/// its start, and fails the read that reaches a wrong end.
struct Check {
    shared: Arc<Shared>,
    hash: Hash,
    hasher: blake3::Hasher,
    hashed_bytes: u64,
}

impl FileReader {
    /// `unchecked` is the store, where the content is still to be checked.
    pub fn new(file: File, hash: Hash, size_bytes: u64, unchecked: Option<Arc<Shared>>) -> Self {
        let check =
            unchecked.map(|shared| Check { shared, hash, hasher: blake3::Hasher::new(), hashed_bytes: 0 });
        Self { file, size_bytes, position: 0, check }
    }
}

impl Check {
    /// Takes in bytes read at `position`; those already seen or not next in line are passed over.
    fn update(&mut self, position: u64, bytes: &[u8], size_bytes: u64) -> io::Result<()> {
        let skip = match self.hashed_bytes.checked_sub(position) {
            Some(seen) if seen < bytes.len() as u64 => seen as usize,
            _ => return Ok(()),
        };
        self.hasher.update(&bytes[skip..]);
        self.hashed_bytes += (bytes.len() - skip) as u64;
        if self.hashed_bytes < size_bytes {
            return Ok(());
        }
        if self.hasher.finalize().as_bytes() == self.hash.as_bytes() {
            self.shared.index().set_checked(&self.hash);
            return Ok(());
        }
        self.shared.discard(&self.hash).map_err(io::Error::other)?;
        let message = format!("blob {} is damaged on disk and was removed; fetch it again", self.hash);
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if let Some(check) = &mut self.check {
            check.update(self.position, &buffer[..count], self.size_bytes)?;
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.file.seek(to)?;
        Ok(self.position)
    }
}

impl BlobReader for FileReader {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}
