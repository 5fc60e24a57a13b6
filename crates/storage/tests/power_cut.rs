//! F2: after a power cut, everything acknowledged is there and nothing is half done; F4 on a small
//! file system. Both need root and a loop device, and say so where they are skipped.

#[path = "support/common.rs"]
mod common;
#[path = "support/ledger.rs"]
mod ledger;

use opensky_ports::{BlobStore, Journal, Record};
use opensky_storage::{LedgerStore, LedgerStoreError};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};

const ROUNDS: u32 = 12;

/// A process that another test starts holds all open files until it runs its own program, and a disk
/// with open files cannot be unmounted. So the tests that have a disk run one after another.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A small ext4 on a loop device.
struct LoopDisk {
    folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl LoopDisk {
    /// `None` where this machine does not let us.
    fn new(megabytes: u64) -> Option<Self> {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let disk = Self { folder: tempfile::tempdir().unwrap(), _alone: alone };
        std::fs::create_dir(disk.mount_point()).unwrap();
        File::create(disk.image()).and_then(|image| image.set_len(megabytes << 20)).unwrap();
        let made = succeeds(Command::new("mkfs.ext4").arg("-q").arg(disk.image()));
        (made && disk.mount()).then_some(disk)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount_point(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn mount(&self) -> bool {
        succeeds(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.mount_point()))
    }

    fn unmount(&self) -> bool {
        succeeds(Command::new("umount").arg(self.mount_point()))
    }

    /// Stops the file system at once: what was not synced is lost.
    fn cut_power(&self) {
        const SHUTDOWN: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'X', 125);
        const NO_LOG_FLUSH: u32 = 2;
        let root = File::open(self.mount_point()).unwrap();
        // SAFETY: FS_IOC_SHUTDOWN reads one u32, which lives through the call.
        unsafe { rustix::ioctl::ioctl(&root, rustix::ioctl::Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH)) }
            .unwrap();
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        // Lazily: a test that failed may still have files open.
        succeeds(Command::new("umount").arg("--lazy").arg(self.mount_point()));
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn skipped(test: &str) {
    eprintln!("SKIPPED {test}: no root, no mkfs.ext4 or no loop device here");
}

#[test]
fn f2_a_power_cut_loses_nothing_that_was_acknowledged() {
    let Some(disk) = LoopDisk::new(256) else {
        return skipped("f2_a_power_cut_loses_nothing_that_was_acknowledged");
    };
    let mut kept = 0;
    for round in 0..ROUNDS {
        let (journal, blobs) = common::open(&disk.mount_point());
        let acknowledged = kept + 1 + round % 5;
        (kept..acknowledged).for_each(|number| common::step(&journal, &blobs, number));
        // Half a step is under way when the power goes.
        let unfinished = blobs.create(1_000).unwrap();
        blobs.put(&common::blob_content(acknowledged)).unwrap();
        // Every other time its facts are readable, but left to a later commit to sync: the power takes
        // them whole or not at all.
        if round % 2 == 1 {
            journal.commit_unsynced(&common::records(acknowledged)).unwrap();
        }
        disk.cut_power();
        assert!(journal.commit(&common::records(acknowledged)).is_err(), "the disk is gone");
        assert!(journal.setting("any").is_err(), "after a failed sync the journal stays closed (F3)");
        drop((journal, unfinished, blobs));
        assert!(disk.unmount() && disk.mount());
        kept = common::check_steps(&disk.mount_point(), acknowledged);
    }
}

#[test]
fn f2_a_power_cut_takes_no_synced_block_and_no_half_snapshot() {
    let test = "f2_a_power_cut_takes_no_synced_block_and_no_half_snapshot";
    let Some(disk) = LoopDisk::new(256) else { return skipped(test) };
    let (mut newest, mut snapshot) = (0, None);
    for round in 0..u64::from(ROUNDS) {
        let store = LedgerStore::open(&disk.mount_point()).unwrap();
        let unsynced = newest + 1 + round % 3;
        (newest + 1..=unsynced).for_each(|height| ledger::append(&store, height, false));
        let synced = match round % 4 {
            0 => newest,
            1 => {
                store.sync().unwrap();
                unsynced
            }
            2 => {
                ledger::append(&store, unsynced + 1, true);
                unsynced + 1
            }
            _ => {
                ledger::put_snapshot(&store, unsynced);
                snapshot = Some(unsynced);
                unsynced
            }
        };
        let last = unsynced.max(synced) + round % 2;
        (unsynced.max(synced) + 1..=last).for_each(|height| ledger::append(&store, height, false));
        // The power goes before the first or the second part of another snapshot is written.
        let cut_at = if round % 8 < 4 { 100 } else { 400 };
        let mut cut_power_at = (0..ledger::CHUNKS).map(|index| {
            if index == cut_at {
                disk.cut_power();
            }
            ledger::chunk(last, index)
        });
        let failed = store.put_snapshot(last + 1, b"head", b"manifest", &mut cut_power_at);
        assert!(matches!(failed, Err(LedgerStoreError::Io { .. })), "the disk is gone");
        assert!(store.newest().is_err() && store.sync().is_err(), "after a failed sync it stays closed (F3)");
        drop(store);
        assert!(disk.unmount() && disk.mount());
        let store = LedgerStore::open(&disk.mount_point()).unwrap();
        newest = ledger::check_blocks(&store);
        assert!((synced..=last).contains(&newest), "{newest} of {synced} to {last}");
        assert_eq!(ledger::check_snapshot(&store), snapshot);
    }
    assert!(newest > u64::from(ROUNDS));
}

#[test]
fn f2_blocks_that_were_not_synced_are_lost_from_their_end_only() {
    let test = "f2_blocks_that_were_not_synced_are_lost_from_their_end_only";
    let Some(disk) = LoopDisk::new(64) else { return skipped(test) };
    let mut newest = 0;
    for round in 0..u64::from(ROUNDS) {
        let store = LedgerStore::open(&disk.mount_point()).unwrap();
        ledger::append(&store, newest + 1, true);
        let last = newest + 1 + round * 3;
        (newest + 2..=last).for_each(|height| ledger::append(&store, height, false));
        disk.cut_power();
        drop(store);
        assert!(disk.unmount() && disk.mount());
        let store = LedgerStore::open(&disk.mount_point()).unwrap();
        let found = ledger::check_blocks(&store);
        assert!((newest + 1..=last).contains(&found), "{found} of {} to {last}", newest + 1);
        newest = found;
    }
}

#[test]
fn f4_a_small_disk_fills_and_the_ledger_recovers() {
    let test = "f4_a_small_disk_fills_and_the_ledger_recovers";
    let Some(disk) = LoopDisk::new(48) else { return skipped(test) };
    let folder = disk.mount_point();
    let store = LedgerStore::open(&folder).unwrap();
    (1..=5).for_each(|height| ledger::append(&store, height, true));
    ledger::put_snapshot(&store, 5);
    let ballast = folder.join("ballast");
    fill_disk(&ballast);

    let mut chunks = (0..16).map(|index| vec![index; 1 << 20]);
    store.put_snapshot(6, b"head", b"manifest", &mut chunks).expect_err("there is no room");
    assert_eq!((ledger::check_blocks(&store), ledger::check_snapshot(&store)), (5, Some(5)));

    std::fs::remove_file(&ballast).unwrap();
    ledger::append(&store, 6, true);
    ledger::put_snapshot(&store, 6);
    drop(store);
    let store = LedgerStore::open(&folder).unwrap();
    assert_eq!((ledger::check_blocks(&store), ledger::check_snapshot(&store)), (6, Some(6)));
}

#[test]
fn f4_a_small_disk_fills_and_recovers() {
    let Some(disk) = LoopDisk::new(48) else { return skipped("f4_a_small_disk_fills_and_recovers") };
    let folder = disk.mount_point();
    let (journal, blobs) = common::open(&folder);
    common::step(&journal, &blobs, 0);
    let ballast = folder.join("ballast");
    fill_disk(&ballast);

    let big = Record::Setting { name: "big".into(), value: vec![1; 8 << 20] };
    journal.commit(std::slice::from_ref(&big)).expect_err("there is no room");
    blobs.put(&vec![1; 8 << 20]).expect_err("there is no room");
    assert_eq!(common::commits_kept(&journal), 1, "what is there stays readable");
    assert!(journal.setting("big").unwrap().is_none());

    std::fs::remove_file(&ballast).unwrap();
    journal.commit(&[big]).expect("with room again, commits work again");
    common::step(&journal, &blobs, 1);
    drop((journal, blobs));
    common::check_steps(&folder, 2);
}

fn fill_disk(path: &Path) {
    let mut file = File::create(path).unwrap();
    let chunk = vec![0xA5; 64 << 10];
    while std::io::Write::write_all(&mut file, &chunk).is_ok() {}
}
