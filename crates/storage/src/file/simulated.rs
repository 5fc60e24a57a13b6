//! A disk in memory that fails as real ones do.

use redb::StorageBackend;
use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a disk writes at once: a torn write ends at such a border.
const SECTOR_BYTES: usize = 512;

/// A disk with one file on it. Clones are the same disk. What was written and not synced is lost in part
/// by [`SimulatedDisk::crash`]; who had the file open then can do nothing with it any more.
#[derive(Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<Platter>>);

#[derive(Default)]
struct Platter {
    /// What a reader sees.
    current: Vec<u8>,
    /// What a crash leaves for sure.
    durable: Vec<u8>,
    /// What lies between the two, in order.
    unsynced: Vec<Change>,
    /// Whether the file was made whole once; until then it counts as absent, as one that is made beside
    /// its name and renamed does.
    is_made: bool,
    /// Counts crashes and openings; a file that was opened before is closed to who opened it.
    life: u64,
    syncs: u64,
    fault: Option<DiskFault>,
    /// The disk dies with this sync; whether the sync still reaches it.
    dies: Option<(u64, bool)>,
    is_dead: bool,
}

enum Change {
    Length(usize),
    Bytes { offset: usize, bytes: Vec<u8> },
}

/// What is wrong with a disk until it is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// Syncs fail, and what they should have kept is lost.
    SyncFails,
    /// Nothing more fits.
    Full,
}

impl SimulatedDisk {
    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends who uses it, as a power cut does. Each change since the last sync is kept, lost, or, a write,
    /// kept in part, as `chance(n)` draws a number below n.
    pub fn crash(&self, mut chance: impl FnMut(u64) -> u64) {
        let mut platter = self.lock();
        platter.life += 1;
        (platter.is_dead, platter.dies) = (false, None);
        for change in std::mem::take(&mut platter.unsynced) {
            match (chance(4), change) {
                (0, _) => {}
                (1, Change::Bytes { offset, bytes }) => {
                    for (sector, piece) in bytes.chunks(SECTOR_BYTES).enumerate() {
                        if chance(2) == 0 {
                            apply(&mut platter.durable, offset + sector * SECTOR_BYTES, piece);
                        }
                    }
                }
                (_, Change::Bytes { offset, bytes }) => apply(&mut platter.durable, offset, &bytes),
                (_, Change::Length(length)) => platter.durable.resize(length, 0),
            }
        }
        platter.current = platter.durable.clone();
    }

    /// Ends who uses it, as a kill does: what was written is there.
    pub fn kill(&self) {
        let mut platter = self.lock();
        platter.life += 1;
        (platter.is_dead, platter.dies) = (false, None);
        platter.settle();
    }

    /// The disk dies with the sync that comes after `more` others; `reaches`: that one is still kept.
    pub fn die_at_sync(&self, more: u64, reaches: bool) {
        let mut platter = self.lock();
        platter.dies = Some((platter.syncs + more + 1, reaches));
    }

    /// Whether it died so; it works again after a crash.
    pub fn is_dead(&self) -> bool {
        self.lock().is_dead
    }

    /// Breaks it, or mends it.
    pub fn set_fault(&self, fault: Option<DiskFault>) {
        self.lock().fault = fault;
    }

    /// Whether something is wrong with it.
    pub fn has_fault(&self) -> bool {
        self.lock().fault.is_some()
    }

    /// Changes one bit at rest; `position` counts bits and wraps.
    pub fn rot(&self, position: u64) {
        let mut platter = self.lock();
        let bits = platter.durable.len() as u64 * 8;
        if bits > 0 {
            let (byte, bit) = ((position % bits / 8) as usize, position % 8);
            platter.durable[byte] ^= 1 << bit;
            if let Some(current) = platter.current.get_mut(byte) {
                *current ^= 1 << bit;
            }
        }
    }

    /// Throws the file away, as a lost disk does.
    pub fn wipe(&self) {
        let mut platter = self.lock();
        let life = platter.life + 1;
        *platter = Platter { life, ..Platter::default() };
    }

    /// Whether the file has to be made; what is left of an earlier try is removed then.
    pub(crate) fn begins_anew(&self) -> bool {
        let mut platter = self.lock();
        if !platter.is_made {
            (platter.current, platter.durable, platter.unsynced) = Default::default();
        }
        !platter.is_made
    }

    /// The file is whole.
    pub(crate) fn made(&self) {
        self.lock().is_made = true;
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.lock().current.len() as u64
    }

    /// Opens it for one user; whoever had it open loses it.
    pub(crate) fn open(&self) -> OpenDisk {
        let mut platter = self.lock();
        platter.life += 1;
        OpenDisk { disk: self.clone(), life: platter.life }
    }
}

impl Platter {
    fn settle(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Change::Length(length) => self.durable.resize(length, 0),
                Change::Bytes { offset, bytes } => apply(&mut self.durable, offset, &bytes),
            }
        }
    }
}

/// Writes that reach beyond an end whose change of length was lost make the file longer themselves.
fn apply(to: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[offset..end].copy_from_slice(bytes);
}

/// One user's access to a disk.
pub(crate) struct OpenDisk {
    disk: SimulatedDisk,
    life: u64,
}

impl OpenDisk {
    fn platter(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let platter = self.disk.lock();
        if platter.life != self.life || platter.is_dead {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the disk is gone"));
        }
        Ok(platter)
    }
}

impl fmt::Debug for OpenDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenDisk(life {})", self.life)
    }
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput.into())
}

impl StorageBackend for OpenDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter()?.current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let (platter, offset) = (self.platter()?, place(offset)?);
        let bytes = platter.current.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let (mut platter, length) = (self.platter()?, place(length)?);
        if length > platter.current.len() && platter.fault == Some(DiskFault::Full) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        platter.current.resize(length, 0);
        platter.unsynced.push(Change::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.platter()?;
        platter.syncs += 1;
        let syncs = platter.syncs;
        if let Some((_, reaches)) = platter.dies.take_if(|(at, _)| *at <= syncs) {
            if reaches {
                platter.settle();
            }
            platter.is_dead = true;
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the disk is gone"));
        }
        if platter.fault == Some(DiskFault::SyncFails) {
            // As on Linux: the pages count as clean from here on, and are not on disk.
            platter.unsynced.clear();
            return Err(io::Error::other("the disk did not take it"));
        }
        platter.settle();
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut platter, offset) = (self.platter()?, place(offset)?);
        if platter.fault == Some(DiskFault::Full) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        apply(&mut platter.current, offset, bytes);
        platter.unsynced.push(Change::Bytes { offset, bytes: bytes.to_vec() });
        Ok(())
    }
}
