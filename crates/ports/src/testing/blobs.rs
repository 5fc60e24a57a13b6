//! Blobs in memory, under a cap that holds.

use super::lock;
use crate::blobs::{BlobError, BlobReader, BlobStore, BlobWriter, Pin};
use opensky_types::{Hash, job::Blob};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Cursor, Read, Seek, SeekFrom, Write},
    sync::{Arc, Mutex},
};

/// A blob store in memory. Clones share one store.
#[derive(Clone)]
pub struct MemoryBlobs {
    state: Arc<Mutex<State>>,
}

struct State {
    cap_bytes: u64,
    blobs: BTreeMap<Hash, Stored>,
    pins: BTreeMap<Pin, BTreeSet<Hash>>,
    /// Reserved by writers at work.
    reserved_bytes: u64,
    /// Grows with each use of a blob.
    uses: u64,
}

struct Stored {
    bytes: Arc<[u8]>,
    last_use: u64,
}

impl MemoryBlobs {
    /// An empty store that never holds more than `cap_bytes`.
    pub fn new(cap_bytes: u64) -> Self {
        let state =
            State { cap_bytes, blobs: BTreeMap::new(), pins: BTreeMap::new(), reserved_bytes: 0, uses: 0 };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The same store after a restart of its node: content and the pins of jobs stay.
    pub fn restarted(&self) -> Self {
        let mut state = lock(&self.state);
        state.pins.retain(|pin, _| matches!(pin, Pin::Job(_)));
        Self { state: self.state.clone() }
    }
}

impl State {
    fn stored_bytes(&self) -> u64 {
        self.blobs.values().map(|blob| blob.bytes.len() as u64).sum()
    }

    fn used_bytes(&self) -> u64 {
        self.stored_bytes().saturating_add(self.reserved_bytes)
    }

    fn touch(&mut self, hash: &Hash) -> Option<Arc<[u8]>> {
        self.uses += 1;
        let stored = self.blobs.get_mut(hash)?;
        stored.last_use = self.uses;
        Some(stored.bytes.clone())
    }

    /// Takes `size_bytes` from the cap, dropping what nobody needs, oldest use first. Drops nothing
    /// where that would not be enough.
    fn reserve(&mut self, size_bytes: u64) -> Result<(), BlobError> {
        let pinned: BTreeSet<Hash> = self.pins.values().flatten().copied().collect();
        let mut droppable: Vec<(u64, Hash, u64)> = self
            .blobs
            .iter()
            .filter(|(hash, _)| !pinned.contains(*hash))
            .map(|(hash, stored)| (stored.last_use, *hash, stored.bytes.len() as u64))
            .collect();
        droppable.sort_unstable();
        let droppable_bytes: u64 = droppable.iter().map(|(_, _, size_bytes)| size_bytes).sum();
        let kept_bytes = self.used_bytes() - droppable_bytes;
        if kept_bytes.saturating_add(size_bytes) > self.cap_bytes {
            return Err(BlobError::Full { used_bytes: kept_bytes, cap_bytes: self.cap_bytes });
        }
        let mut oldest = droppable.into_iter();
        while self.used_bytes() + size_bytes > self.cap_bytes {
            let (_, hash, _) = oldest.next().expect("checked above that dropping makes room");
            self.blobs.remove(&hash);
        }
        self.reserved_bytes += size_bytes;
        Ok(())
    }
}

impl BlobStore for MemoryBlobs {
    fn create(&self, size_hint_bytes: u64) -> Result<Box<dyn BlobWriter>, BlobError> {
        lock(&self.state).reserve(size_hint_bytes)?;
        let writer =
            MemoryWriter { state: self.state.clone(), bytes: Vec::new(), reserved_bytes: size_hint_bytes };
        Ok(Box::new(writer))
    }

    fn open(&self, hash: &Hash) -> Result<Option<Box<dyn BlobReader>>, BlobError> {
        let bytes = lock(&self.state).touch(hash);
        Ok(bytes.map(|bytes| Box::new(MemoryReader(Cursor::new(bytes))) as Box<dyn BlobReader>))
    }

    fn pin(&self, pin: Pin, hashes: &[Hash]) -> Result<(), BlobError> {
        lock(&self.state).pins.entry(pin).or_default().extend(hashes);
        Ok(())
    }

    fn unpin(&self, pin: Pin) -> Result<(), BlobError> {
        lock(&self.state).pins.remove(&pin);
        Ok(())
    }

    fn repin(&self, pin: Pin, hashes: &[Hash]) -> Result<(), BlobError> {
        lock(&self.state).pins.insert(pin, hashes.iter().copied().collect());
        Ok(())
    }

    fn usage(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.used_bytes(), state.cap_bytes)
    }
}

struct MemoryReader(Cursor<Arc<[u8]>>);

impl Read for MemoryReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for MemoryReader {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

impl BlobReader for MemoryReader {
    fn size_bytes(&self) -> u64 {
        self.0.get_ref().len() as u64
    }
}

struct MemoryWriter {
    state: Arc<Mutex<State>>,
    bytes: Vec<u8>,
    reserved_bytes: u64,
}

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size_bytes = (self.bytes.len() + bytes.len()) as u64;
        let missing_bytes = size_bytes.saturating_sub(self.reserved_bytes);
        lock(&self.state)
            .reserve(missing_bytes)
            .map_err(|full| io::Error::new(io::ErrorKind::StorageFull, full))?;
        self.reserved_bytes += missing_bytes;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for MemoryWriter {
    fn finish(mut self: Box<Self>, expected: Option<Hash>) -> Result<Blob, BlobError> {
        let bytes: Arc<[u8]> = std::mem::take(&mut self.bytes).into();
        let blob = Blob { hash: Hash::of(&bytes), size_bytes: bytes.len() as u64 };
        if let Some(expected) = expected.filter(|expected| *expected != blob.hash) {
            return Err(BlobError::WrongHash { expected, found: blob.hash });
        }
        let mut state = lock(&self.state);
        state.reserved_bytes -= std::mem::take(&mut self.reserved_bytes);
        state.uses += 1;
        let last_use = state.uses;
        state.blobs.insert(blob.hash, Stored { bytes, last_use });
        drop(state);
        Ok(blob)
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        lock(&self.state).reserved_bytes -= self.reserved_bytes;
    }
}
