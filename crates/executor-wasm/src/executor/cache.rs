//! Compiled programs on disk.
//!
//! A file is named by its key (program and engine configuration) and the hash of its own content, so
//! one rename makes it complete, and workers check it before they load it. The folder is a cache:
//! anything in it may be deleted at any time.

use opensky_types::Hash;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime},
};

const SUFFIX: &str = ".cwasm";
/// How often the file of an entry in use is marked so.
const MARK_INTERVAL: Duration = Duration::from_secs(60);

/// A compiled program that stays on disk at least as long as this is held.
#[derive(Debug)]
pub struct Artefact {
    /// Its file name in the cache folder.
    pub name: String,
    /// BLAKE3 of the file.
    pub hash: Hash,
    /// Its size, in bytes.
    pub size_bytes: u64,
}

/// Compiled programs by key, the least recently used ones dropped over a cap.
pub struct Cache {
    dir: PathBuf,
    cap_bytes: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<Hash, Entry>,
    /// Counts uses; the entry with the smallest count was used longest ago.
    clock: u64,
    temporary: u64,
}

struct Entry {
    artefact: Arc<Artefact>,
    used: u64,
    /// When its file was last marked as used.
    marked: Instant,
}

impl Cache {
    /// Reads what an earlier run left.
    pub fn open(dir: PathBuf, cap_bytes: u64) -> io::Result<Self> {
        let mut found: Vec<(SystemTime, Hash, Artefact)> = Vec::new();
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            match entry.file_name().to_str().and_then(parse_name) {
                Some((key, hash)) if metadata.is_file() => {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    let artefact = Artefact { name, hash, size_bytes: metadata.len() };
                    found.push((metadata.modified()?, key, artefact));
                }
                // Half-written by a run that was killed.
                _ if metadata.is_file() => fs::remove_file(entry.path())?,
                _ => {}
            }
        }
        found.sort_by_key(|(modified, key, _)| (*modified, *key));
        let cache = Self { dir, cap_bytes, state: Mutex::default() };
        for (_, key, artefact) in found {
            cache.state().enter(key, Arc::new(artefact));
        }
        cache.evict();
        Ok(cache)
    }

    /// The artefact under `key`. Counts as a use.
    pub fn get(&self, key: &Hash) -> Option<Arc<Artefact>> {
        let (artefact, is_marked) = {
            let mut state = self.state();
            state.clock += 1;
            let now = state.clock;
            let entry = state.entries.get_mut(key)?;
            entry.used = now;
            let is_marked = entry.marked.elapsed() < MARK_INTERVAL;
            if !is_marked {
                entry.marked = Instant::now();
            }
            (entry.artefact.clone(), is_marked)
        };
        if !is_marked {
            // Best effort: it orders the entries after a restart, nothing else.
            let _ = File::open(self.dir.join(&artefact.name))
                .and_then(|file| file.set_modified(SystemTime::now()));
        }
        Some(artefact)
    }

    /// Starts writing an artefact.
    pub fn create(&self) -> io::Result<Writer> {
        let number = {
            let mut state = self.state();
            state.temporary += 1;
            state.temporary
        };
        let path = self.dir.join(format!("{number}.tmp"));
        let file = File::create(&path)?;
        Ok(Writer { file, path, hasher: blake3::Hasher::new(), size_bytes: 0, kept: false })
    }

    /// Keeps what was written under `key`.
    pub fn keep(&self, key: Hash, mut writer: Writer) -> io::Result<Arc<Artefact>> {
        let hash = Hash::from_bytes(*writer.hasher.finalize().as_bytes());
        let name = format!("{key}-{hash}{SUFFIX}");
        writer.file.set_permissions(fs::Permissions::from_mode(0o400))?;
        fs::rename(&writer.path, self.dir.join(&name))?;
        writer.kept = true;
        let artefact = Arc::new(Artefact { name, hash, size_bytes: writer.size_bytes });
        let old = self.state().enter(key, artefact.clone());
        if let Some(old) = old.filter(|old| old.name != artefact.name) {
            remove(&self.dir, &old);
        }
        self.evict();
        Ok(artefact)
    }

    /// Forgets an artefact that turned out not to be usable.
    pub fn discard(&self, key: &Hash, artefact: &Artefact) {
        {
            let mut state = self.state();
            if state.entries.get(key).is_some_and(|entry| entry.artefact.name == artefact.name) {
                state.entries.remove(key);
            }
        }
        remove(&self.dir, artefact);
    }

    /// Drops what was used longest ago until the rest fits; what is in use stays.
    fn evict(&self) {
        loop {
            let mut state = self.state();
            let total: u64 = state.entries.values().map(|entry| entry.artefact.size_bytes).sum();
            let unused = state.entries.iter().filter(|(_, entry)| Arc::strong_count(&entry.artefact) == 1);
            let Some(key) = unused.min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key) else { return };
            if total <= self.cap_bytes {
                return;
            }
            let entry = state.entries.remove(&key);
            drop(state);
            if let Some(entry) = entry {
                remove(&self.dir, &entry.artefact);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no user of the cache panics")
    }
}

impl State {
    /// Adds an artefact and returns the one it replaces.
    fn enter(&mut self, key: Hash, artefact: Arc<Artefact>) -> Option<Arc<Artefact>> {
        self.clock += 1;
        let entry = Entry { artefact, used: self.clock, marked: Instant::now() };
        self.entries.insert(key, entry).map(|old| old.artefact)
    }
}

fn remove(dir: &Path, artefact: &Artefact) {
    if let Err(error) = fs::remove_file(dir.join(&artefact.name))
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(name = artefact.name, %error, "cannot remove a compiled program");
    }
}

fn parse_name(name: &str) -> Option<(Hash, Hash)> {
    let (key, hash) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    Some((key.parse().ok()?, hash.parse().ok()?))
}

/// An artefact being written. Dropped before it is kept, it leaves nothing behind.
pub struct Writer {
    file: File,
    path: PathBuf,
    hasher: blake3::Hasher,
    size_bytes: u64,
    kept: bool,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.file.write(bytes)?;
        self.hasher.update(&bytes[..size]);
        self.size_bytes += size as u64;
        Ok(size)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.kept {
            // Best effort: the next start removes it otherwise.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(cache: &Cache, key: u8, size: usize) -> Arc<Artefact> {
        let mut writer = cache.create().unwrap();
        writer.write_all(&vec![key; size]).unwrap();
        cache.keep(Hash::from_bytes([key; 32]), writer).unwrap()
    }

    fn has(cache: &Cache, key: u8) -> bool {
        cache.state().entries.contains_key(&Hash::from_bytes([key; 32]))
    }

    #[test]
    fn the_least_recently_used_goes_first_and_what_is_in_use_stays() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path().into(), 100).unwrap();
        let held = add(&cache, 1, 40);
        add(&cache, 2, 40);
        add(&cache, 3, 40);
        assert!(has(&cache, 1) && !has(&cache, 2) && has(&cache, 3));
        drop(held);
        cache.get(&Hash::from_bytes([1; 32])).unwrap();
        add(&cache, 4, 40);
        assert!(has(&cache, 1) && !has(&cache, 3) && has(&cache, 4));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn entries_outlive_the_process_and_rubble_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path().into(), 100).unwrap();
        let artefact = add(&cache, 1, 10);
        fs::write(dir.path().join("7.tmp"), "half").unwrap();
        drop(cache.create().unwrap());
        drop(cache);
        let cache = Cache::open(dir.path().into(), 100).unwrap();
        let again = cache.get(&Hash::from_bytes([1; 32])).unwrap();
        assert_eq!((again.hash, again.size_bytes), (artefact.hash, 10));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        cache.discard(&Hash::from_bytes([1; 32]), &again);
        assert!(cache.get(&Hash::from_bytes([1; 32])).is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
