//! Disks: ext4 in a file, whose power can be cut.

use super::command::run;
use anyhow::{Context, Result};
use rustix::{
    ioctl::{Opcode, Setter, ioctl},
    process::geteuid,
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Room on a disk.
const MEBIBYTES: u64 = 384;
/// `FS_IOC_SHUTDOWN` of Linux (`_IOR('X', 125, __u32)`).
const SHUTDOWN: Opcode = 0x8004_587d;
/// Do not write out the journal first (`EXT4_GOING_FLAGS_NOLOGFLUSH`).
const NO_LOG_FLUSH: u32 = 2;
/// How long a disk may be busy after its processes were killed.
const BUSY_MAX: Duration = Duration::from_secs(10);

/// A disk, mounted at a folder.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
    folder: PathBuf,
}

impl Disk {
    /// Makes a disk with nothing on it and mounts it at `folder`.
    pub fn make(image: &Path, folder: &Path) -> Result<Self> {
        File::create(image)?.set_len(MEBIBYTES << 20)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(image))?;
        fs::create_dir_all(folder)?;
        let disk = Self { image: image.to_owned(), folder: folder.to_owned() };
        disk.mount()?;
        Ok(disk)
    }

    /// Takes the power away: what was not synced by now is never written. Whoever uses the disk gets
    /// errors until [`Disk::restore`].
    pub fn cut(&self) -> Result<()> {
        let folder = File::open(&self.folder)?;
        // SAFETY: the opcode is that of FS_IOC_SHUTDOWN, which reads one 32-bit number of flags.
        let cut = unsafe { ioctl(&folder, Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH)) };
        cut.with_context(|| {
            format!("cutting the power of {} as user {}", self.folder.display(), geteuid().as_raw())
        })
    }

    /// Mounts the disk again after a cut, when no process uses it any more.
    pub fn restore(&self) -> Result<()> {
        let begun = Instant::now();
        while let Err(error) = run(Command::new("umount").arg(&self.folder)) {
            if begun.elapsed() > BUSY_MAX {
                return Err(error);
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.mount()
    }

    /// Fills the disk to its last block with a file of this name.
    pub fn fill(&self, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        // It ends with "no space left", which is what is wanted.
        let _ =
            run(Command::new("dd").args(["if=/dev/zero", "bs=64k"]).arg(format!("of={}", path.display())));
        let _ = run(Command::new("dd")
            .args(["if=/dev/zero", "bs=512", "oflag=append", "conv=notrunc"])
            .arg(format!("of={}", path.display())));
        run(Command::new("sync").arg("-f").arg(&path)).map(drop)
    }

    /// Removes such a file.
    pub fn empty(&self, name: &str) -> Result<()> {
        fs::remove_file(self.folder.join(name)).context("removing what filled the disk")
    }

    fn mount(&self) -> Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.folder)).map(drop)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The namespace of mounts ends with the rig, and this mount with it at the latest.
        let _ = run(Command::new("umount").arg("-l").arg(&self.folder));
    }
}
