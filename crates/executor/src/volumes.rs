//! Volumes: folders of slots that outlive programs. They are packed into blobs, and unpacked on another node.
//!
//! Programs made what is in them, and other nodes made what is unpacked, so both are handled with suspicion: no
//! link is followed, and all is counted.

mod pack;
mod unpack;

use crate::scratch::remove_tree;
use opensky_ports::blobs::{BlobError, BlobStore};
use opensky_types::{
    ServiceId,
    hash::Hash,
    job::Blob,
    service::{ReplicaId, Saved, VOLUME_ENTRIES_MAX, VOLUMES_BYTES_MAX, Volume},
};
use pack::{Look, look, pack};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// Volumes of slots that run nowhere here are kept for so long: nobody else has all that is in them.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Where less than this is free on the disk, they are kept no longer.
const FREE_BYTES_MIN: u64 = 4 << 30;
/// How often it is noted that volumes are in use.
const USED_EVERY: Duration = Duration::from_secs(60 * 60);
/// Folders within folders.
const DEPTH_MAX: usize = 64;
/// Room that a file may take beyond its bytes, since file systems give it in larger pieces.
const ROUNDING_BYTES: u64 = 16 << 10;
/// The file that says which generation wrote last.
const GENERATION: &str = "generation";
/// The file that says that a slot ended here and nobody took its volumes.
const GIVEN_UP: &str = "given-up";

/// The volumes of all slots on this node.
#[derive(Debug)]
pub struct VolumeFolders {
    root: PathBuf,
    /// Whom programs run as.
    owner: (u32, u32),
    slots: Mutex<BTreeMap<(ServiceId, u16), Slot>>,
    /// Held while folders come and go.
    moving: Mutex<()>,
    /// Counts folders that are on their way out.
    removed: AtomicU64,
}

/// A slot whose program runs here, or ran here last.
#[derive(Debug, Clone)]
struct Slot {
    replica: ReplicaId,
    volumes: Vec<Volume>,
    /// Volumes of the revision before or after that this one does not have: kept, for whoever goes back to it.
    others: Vec<Volume>,
    /// What was packed last, and how the files looked then.
    packed: Option<(Hash, Blob)>,
}

impl Slot {
    /// All that is saved of it. A volume that is over its size is saved all the same: the next revision may give it
    /// more.
    fn whole(&self) -> Vec<Volume> {
        let whole = |volume: &Volume| Volume { size_bytes: VOLUMES_BYTES_MAX, ..volume.clone() };
        self.volumes.iter().chain(&self.others).map(whole).collect()
    }
}

/// Why volumes cannot be had or saved.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// There is more in one than it may hold.
    #[error("volume '{name}' is full: it holds {limit_bytes} bytes")]
    Full { name: String, limit_bytes: u64 },
    /// There are more files than can be kept.
    #[error("more than {VOLUME_ENTRIES_MAX} files and folders, or {DEPTH_MAX} folders within folders")]
    TooMany,
    /// What was saved is not what this made.
    #[error("what was saved is no archive of volumes: {0}")]
    Malformed(String),
    /// Another replica goes on with them, or none ever began.
    #[error("{0} has no volumes here")]
    NotHere(ReplicaId),
    /// What was saved is not here.
    #[error("what was saved is not here")]
    NoBlob,
    /// The blob store said no.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The disk failed.
    #[error("the files of a volume: {0}")]
    Io(#[from] io::Error),
}

impl VolumeFolders {
    /// Keeps them below this folder, and removes those that nobody has used for a week.
    pub fn new(root: PathBuf, owner: (u32, u32)) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        // Programs of other services run as the same user.
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700))?;
        let root = root.canonicalize()?;
        let (slots, moving, removed) = (Mutex::default(), Mutex::default(), AtomicU64::new(0));
        let folders = Self { root, owner, slots, moving, removed };
        folders.remove_unfinished()?;
        folders.remove_old(SystemTime::now())?;
        Ok(folders)
    }

    /// The folders that a replica begins with, in the order of its volumes: what is here of its slot, unless what
    /// was saved comes from a later replica.
    pub fn begin(
        &self,
        replica: ReplicaId,
        (volumes, others): (&[Volume], &[Volume]),
        begin: Option<Saved>,
        blobs: &dyn BlobStore,
    ) -> Result<Vec<PathBuf>, VolumeError> {
        if let Err(error) = self.remove_old(SystemTime::now()) {
            tracing::warn!(%error, "volumes that nobody needs stay");
        }
        let folder = self.folder(replica.service, replica.slot);
        let here = read_generation(&folder)?;
        let saved = begin.filter(|saved| here.is_none_or(|generation| generation < saved.id.generation));
        if let Some(saved) = saved {
            let reader = blobs.open(&saved.blob.hash)?.ok_or(VolumeError::NoBlob)?;
            let fresh = folder.with_extension("new");
            remove_tree(&fresh)?;
            fs::create_dir_all(fresh.join("data"))?;
            let all: Vec<Volume> = volumes.iter().chain(others).cloned().collect();
            let unpacked = unpack::unpack(reader, &all, &fresh.join("data"), self.owner);
            if unpacked.is_err() {
                remove_tree(&fresh)?;
            }
            unpacked?;
            write_generation(&fresh, saved.id.generation)?;
            let moving = self.moving();
            let old = self.set_aside(&folder)?;
            fs::rename(&fresh, &folder)?;
            sync(&self.root)?;
            drop(moving);
            old.map_or(Ok(()), |old| remove_tree(&old))?;
        }
        let _moving = self.moving();
        let data = folder.join("data");
        fs::create_dir_all(&data)?;
        let paths: Vec<PathBuf> = volumes.iter().map(|volume| data.join(&volume.name)).collect();
        for path in &paths {
            if !path.try_exists()? {
                fs::create_dir(path)?;
                std::os::unix::fs::chown(path, Some(self.owner.0), Some(self.owner.1))?;
            }
        }
        sync(&data)?;
        write_generation(&folder, replica.generation)?;
        match fs::remove_file(folder.join(GIVEN_UP)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let (volumes, others) = (volumes.to_vec(), others.to_vec());
        let slot = Slot { replica, volumes, others, packed: None };
        self.slots().insert((replica.service, replica.slot), slot);
        Ok(paths)
    }

    /// Whether what is in the volumes of a replica is within their limits.
    pub fn check(&self, replica: ReplicaId) -> Result<(), VolumeError> {
        let slot = self.slot(replica)?;
        look(&self.data(replica), &slot.volumes).map(drop)
    }

    /// What was packed last of a program that runs, where nothing has changed since. Of one that has ended this
    /// would not be sure: what it changed in memory that is a file may be seen late.
    pub fn unchanged(&self, replica: ReplicaId, blobs: &dyn BlobStore) -> Result<Option<Blob>, VolumeError> {
        let slot = self.slot(replica)?;
        self.note_use(replica)?;
        let Some((before, blob)) = slot.packed else { return Ok(None) };
        let Look { state, .. } = look(&self.data(replica), &slot.whole())?;
        let is_here = state == before && blobs.open(&blob.hash)?.is_some();
        Ok(is_here.then_some(blob))
    }

    /// Has all that was written so far on disk, so that there is little left to do while a program stands still.
    pub fn flush(&self, replica: ReplicaId) -> Result<(), VolumeError> {
        Ok(rustix::fs::syncfs(fs::File::open(self.data(replica))?).map_err(io::Error::from)?)
    }

    /// Packs the volumes of a replica. Nobody writes into them meanwhile.
    pub fn pack(&self, replica: ReplicaId, blobs: &dyn BlobStore) -> Result<Blob, VolumeError> {
        let slot = self.slot(replica)?;
        let data = self.data(replica);
        self.note_use(replica)?;
        // What was changed in memory that is a file shows from here on.
        self.flush(replica)?;
        let all = slot.whole();
        let Look { state, bytes, entries } = look(&data, &all)?;
        let mut writer = blobs.create(bytes.saturating_add(entries.saturating_mul(1_024)))?;
        pack(&data, &all, &mut writer)?;
        let blob = writer.finish(None)?;
        if let Some(slot) = self.slots().get_mut(&(replica.service, replica.slot))
            && slot.replica == replica
        {
            slot.packed = Some((state, blob));
        }
        Ok(blob)
    }

    /// Removes the volumes of a slot, unless another replica than this goes on with them.
    pub fn forget(&self, replica: ReplicaId) -> io::Result<()> {
        let folder = self.folder(replica.service, replica.slot);
        let moving = self.moving();
        if read_generation(&folder)?.is_some_and(|generation| generation > replica.generation) {
            return Ok(());
        }
        self.slots().remove(&(replica.service, replica.slot));
        // At once and whole, or not at all: what is left of half of it would pass for what a program wrote.
        let old = self.set_aside(&folder)?;
        drop(moving);
        old.map_or(Ok(()), |old| remove_tree(&old))
    }

    /// A replica has ended, and nobody else has all that is in its volumes: they stay while there is room.
    pub fn give_up(&self, replica: ReplicaId) -> io::Result<()> {
        let _moving = self.moving();
        let mut slots = self.slots();
        let place = (replica.service, replica.slot);
        if slots.get(&place).is_some_and(|slot| slot.replica == replica) {
            slots.remove(&place);
            fs::write(self.folder(replica.service, replica.slot).join(GIVEN_UP), "")?;
        }
        Ok(())
    }

    /// Renames a folder, so that nothing goes on with it. A start of the node removes what is left of such.
    fn set_aside(&self, folder: &Path) -> io::Result<Option<PathBuf>> {
        if !folder.try_exists()? {
            return Ok(None);
        }
        let number = self.removed.fetch_add(1, Ordering::Relaxed);
        let old = folder.with_extension(format!("old-{number}"));
        remove_tree(&old)?;
        fs::rename(folder, &old)?;
        sync(&self.root)?;
        Ok(Some(old))
    }

    fn moving(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Volumes of a program that runs for weeks are not old.
    fn note_use(&self, replica: ReplicaId) -> io::Result<()> {
        let generation = fs::File::open(self.folder(replica.service, replica.slot).join(GENERATION))?;
        let age = generation.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age >= USED_EVERY {
            generation.set_modified(SystemTime::now())?;
        }
        Ok(())
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<(ServiceId, u16), Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, replica: ReplicaId) -> Result<Slot, VolumeError> {
        let slot = self.slots().get(&(replica.service, replica.slot)).cloned();
        slot.filter(|slot| slot.replica == replica).ok_or(VolumeError::NotHere(replica))
    }

    fn folder(&self, service: ServiceId, slot: u16) -> PathBuf {
        self.root.join(format!("{service}-{slot}"))
    }

    fn data(&self, replica: ReplicaId) -> PathBuf {
        self.folder(replica.service, replica.slot).join("data")
    }

    /// Removes what is left of slots that run nowhere here: after a week, or, where they were given up and the disk is
    /// nearly full, the oldest first.
    fn remove_old(&self, now: SystemTime) -> io::Result<()> {
        let _moving = self.moving();
        let in_use: BTreeSet<PathBuf> =
            self.slots().keys().map(|(service, slot)| self.folder(*service, *slot)).collect();
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let folder = entry?.path();
            if folder.extension().is_none() && !in_use.contains(&folder) {
                let used = folder.join(GENERATION).metadata().and_then(|metadata| metadata.modified());
                left.push((used.unwrap_or(now), folder));
            }
        }
        left.sort_unstable();
        for (used, folder) in left {
            let is_old = now.duration_since(used).is_ok_and(|age| age > KEPT);
            let disk = rustix::fs::statvfs(&self.root)?;
            let is_full = disk.f_bavail.saturating_mul(disk.f_frsize) < FREE_BYTES_MIN;
            if is_old || (is_full && folder.join(GIVEN_UP).try_exists()?) {
                tracing::warn!(folder = %folder.display(), "volumes that nobody asked for are removed");
                if let Some(old) = self.set_aside(&folder)? {
                    remove_tree(&old)?;
                }
            }
        }
        Ok(())
    }

    /// Removes what an earlier life of the node was in the midst of making or removing.
    fn remove_unfinished(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let folder = entry?.path();
            if folder.extension().is_some() {
                remove_tree(&folder)?;
            }
        }
        Ok(())
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Which generation wrote last; none: nobody did, or what it did was cut off.
fn read_generation(folder: &Path) -> io::Result<Option<u64>> {
    match fs::read_to_string(folder.join(GENERATION)) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_generation(folder: &Path, generation: u64) -> io::Result<()> {
    let new = folder.join("generation.new");
    let mut file = fs::File::create(&new)?;
    io::Write::write_all(&mut file, generation.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(new, folder.join(GENERATION))?;
    sync(folder)
}

#[cfg(test)]
mod tests;
