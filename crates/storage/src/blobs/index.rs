//! What is here, who needs it, and what goes first. No I/O.

use opensky_ports::Pin;
use opensky_types::Hash;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};

/// There is no room, even after dropping all that may be dropped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full {
    pub used_bytes: u64,
    pub cap_bytes: u64,
}

#[derive(Debug)]
struct Entry {
    size_bytes: u64,
    /// Grows with each use of any blob.
    used_at: u64,
    /// When its last use was written to disk by this process.
    touched_at: Option<Instant>,
    /// Whether this process has seen all of it with the right hash.
    checked: bool,
}

/// A blob that is about to be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub size_bytes: u64,
    pub checked: bool,
    /// Its use is to be written to disk.
    pub touch: bool,
}

#[derive(Debug)]
pub(crate) struct Index {
    cap_bytes: u64,
    used_bytes: u64,
    reserved_bytes: u64,
    /// Of `used_bytes`, what no pin holds.
    loose_bytes: u64,
    uses: u64,
    entries: HashMap<Hash, Entry>,
    /// Unpinned blobs by last use.
    loose: BTreeSet<(u64, Hash)>,
    pins: HashMap<Pin, HashSet<Hash>>,
    /// How many pins hold a hash, whether it is here or not.
    holds: HashMap<Hash, u32>,
}

impl Index {
    pub fn new(cap_bytes: u64) -> Self {
        Self {
            cap_bytes,
            used_bytes: 0,
            reserved_bytes: 0,
            loose_bytes: 0,
            uses: 0,
            entries: HashMap::new(),
            loose: BTreeSet::new(),
            pins: HashMap::new(),
            holds: HashMap::new(),
        }
    }

    pub fn usage(&self) -> (u64, u64) {
        (self.used_bytes + self.reserved_bytes, self.cap_bytes)
    }

    pub fn hashes(&self) -> Vec<Hash> {
        self.entries.keys().copied().collect()
    }

    pub fn contains(&self, hash: &Hash) -> bool {
        self.entries.contains_key(hash)
    }

    pub fn set_cap(&mut self, cap_bytes: u64) {
        self.cap_bytes = cap_bytes;
    }

    /// Sets `bytes` aside. Answers which blobs are no longer here; their files are the caller's.
    pub fn reserve(&mut self, bytes: u64) -> Result<Vec<Hash>, Full> {
        let needed = self.used_bytes + self.reserved_bytes - self.loose_bytes;
        if needed.checked_add(bytes).is_none_or(|needed| needed > self.cap_bytes) {
            return Err(Full { used_bytes: needed, cap_bytes: self.cap_bytes });
        }
        self.reserved_bytes += bytes;
        Ok(self.make_room())
    }

    /// Gives back what was set aside.
    pub fn release(&mut self, bytes: u64) {
        self.reserved_bytes -= bytes;
    }

    /// Drops the longest unused blobs until the cap holds or only pinned ones are left.
    pub fn make_room(&mut self) -> Vec<Hash> {
        let mut dropped = Vec::new();
        while self.used_bytes + self.reserved_bytes > self.cap_bytes
            && let Some((_, hash)) = self.loose.first().copied()
        {
            self.remove(&hash);
            dropped.push(hash);
        }
        dropped
    }

    /// A blob found on disk at start: not yet checked by this process.
    pub fn add(&mut self, hash: Hash, size_bytes: u64) {
        self.insert(hash, size_bytes, false);
    }

    /// A blob that was written just now, from bytes set aside before.
    pub fn add_reserved(&mut self, hash: Hash, size_bytes: u64, reserved_bytes: u64) {
        self.release(reserved_bytes);
        self.insert(hash, size_bytes, true);
    }

    fn insert(&mut self, hash: Hash, size_bytes: u64, checked: bool) {
        self.remove(&hash);
        self.uses += 1;
        let entry = Entry { size_bytes, used_at: self.uses, touched_at: None, checked };
        self.used_bytes += size_bytes;
        if !self.holds.contains_key(&hash) {
            self.loosen(hash, size_bytes, entry.used_at);
        }
        self.entries.insert(hash, entry);
    }

    pub fn remove(&mut self, hash: &Hash) {
        let Some(entry) = self.entries.remove(hash) else { return };
        self.used_bytes -= entry.size_bytes;
        if self.loose.remove(&(entry.used_at, *hash)) {
            self.loose_bytes -= entry.size_bytes;
        }
    }

    fn loosen(&mut self, hash: Hash, size_bytes: u64, used_at: u64) {
        self.loose.insert((used_at, hash));
        self.loose_bytes += size_bytes;
    }

    /// Counts a use.
    pub fn use_blob(&mut self, hash: &Hash, now: Instant, touch_interval: Duration) -> Option<Found> {
        let entry = self.entries.get_mut(hash)?;
        self.uses += 1;
        if self.loose.remove(&(entry.used_at, *hash)) {
            self.loose.insert((self.uses, *hash));
        }
        entry.used_at = self.uses;
        let touch = entry.touched_at.is_none_or(|last| now.duration_since(last) >= touch_interval);
        if touch {
            entry.touched_at = Some(now);
        }
        Some(Found { size_bytes: entry.size_bytes, checked: entry.checked, touch })
    }

    pub fn set_checked(&mut self, hash: &Hash) {
        if let Some(entry) = self.entries.get_mut(hash) {
            entry.checked = true;
        }
    }

    /// Those of `hashes` that `pin` does not hold yet, each once.
    pub fn not_pinned_by(&self, pin: Pin, hashes: &[Hash]) -> Vec<Hash> {
        let held = self.pins.get(&pin);
        let mut seen = HashSet::new();
        let is_new = |hash: &&Hash| held.is_none_or(|held| !held.contains(*hash)) && seen.insert(**hash);
        hashes.iter().filter(is_new).copied().collect()
    }

    pub fn pin(&mut self, pin: Pin, hashes: &[Hash]) {
        let held = self.pins.entry(pin).or_default();
        for hash in hashes {
            if !held.insert(*hash) {
                continue;
            }
            *self.holds.entry(*hash).or_default() += 1;
            if let Some(entry) = self.entries.get(hash)
                && self.loose.remove(&(entry.used_at, *hash))
            {
                self.loose_bytes -= entry.size_bytes;
            }
        }
    }

    pub fn unpin(&mut self, pin: Pin) {
        for hash in self.pins.remove(&pin).unwrap_or_default() {
            let holds = self.holds.get_mut(&hash).expect("every pinned hash is counted");
            *holds -= 1;
            if *holds > 0 {
                continue;
            }
            self.holds.remove(&hash);
            if let Some(entry) = self.entries.get(&hash) {
                let (size_bytes, used_at) = (entry.size_bytes, entry.used_at);
                self.loosen(hash, size_bytes, used_at);
            }
        }
    }
}

#[cfg(test)]
mod tests;
