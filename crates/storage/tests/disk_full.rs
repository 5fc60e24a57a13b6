//! F4: a full disk refuses commits, keeps what is there readable, and does no lasting harm.

#[path = "support/common.rs"]
mod common;
#[path = "support/ledger.rs"]
mod ledger;

use opensky_ports::{BlobError, BlobStore, Journal, JournalError, Record};
use opensky_storage::{BlockRow, LedgerStore, LedgerStoreError, RedbJournal};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{path::Path, process::Command};

/// Set for the child process: the folder to work in.
const FOLDER: &str = "OPENSKY_TEST_FULL_FOLDER";

/// The child's part (its file size limit stands for a full disk); does nothing in a run of the suite.
#[test]
fn child_with_little_room() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let (journal, blobs) = common::open(folder);
    common::step(&journal, &blobs, 0);

    let room = std::fs::metadata(journal.path()).unwrap().len();
    set_file_size_max(Some(room));
    let failed = fill(&journal);
    assert!(matches!(failed, JournalError::Io { .. }), "{failed}");
    assert_eq!(common::commits_kept(&journal), 1, "what was there stays readable, what failed is not there");
    assert!(journal.setting("big").unwrap().is_none_or(|value| value.len() < 1 << 20));
    fill(&journal);
    let blob = vec![7; 2 * room as usize];
    assert!(matches!(blobs.put(&blob), Err(BlobError::Io { .. })));

    set_file_size_max(None);
    common::step(&journal, &blobs, 1);
    assert_eq!(common::commits_kept(&journal), 2, "with room again, commits work again");
    blobs.put(&blob).expect("with room again, blobs can be written again");
    drop((journal, blobs));
    common::check_steps(folder, 2);
}

/// The same for the ledger.
#[test]
fn child_that_keeps_a_ledger_with_little_room() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let store = LedgerStore::open(folder).unwrap();
    (1..=6).for_each(|height| ledger::append(&store, height, true));
    ledger::put_snapshot(&store, 6);
    ledger::append(&store, 7, false);

    set_file_size_max(Some(std::fs::metadata(store.path()).unwrap().len()));
    let large = |height| BlockRow { height, sealed: vec![9; 16 << 20], border: None };
    let failed = store.append(&[large(8)], &[], true).unwrap_err();
    assert!(matches!(failed, LedgerStoreError::Io { .. }) && !failed.is_damage(), "{failed}");
    let newest = ledger::check_blocks(&store);
    assert!(newest == 6 || newest == 7, "what was synced stays readable: {newest}");
    let mut chunks = (0..64).map(|index| vec![index; 1 << 20]);
    store.put_snapshot(7, b"head", b"manifest", &mut chunks).unwrap_err();
    assert_eq!(ledger::check_snapshot(&store), Some(6), "the snapshot before it stays");

    set_file_size_max(None);
    match (store.sync(), ledger::check_blocks(&store)) {
        (Err(LedgerStoreError::Lost { from: 7 }), 6) => {
            store.sync().expect("it is said once");
            ledger::append(&store, 7, false);
        }
        (Ok(()), 7) => {}
        (outcome, newest) => panic!("{outcome:?} with {newest} as the newest"),
    }
    ledger::append(&store, 8, true);
    ledger::put_snapshot(&store, 8);
    drop(store);
    let store = LedgerStore::open(folder).unwrap();
    assert_eq!((ledger::check_blocks(&store), ledger::check_snapshot(&store)), (8, Some(8)));
}

#[test]
fn f4_a_full_disk_refuses_commits_until_there_is_room() {
    with_little_room("child_with_little_room");
}

#[test]
fn f4_a_full_disk_refuses_blocks_and_snapshots_until_there_is_room() {
    with_little_room("child_that_keeps_a_ledger_with_little_room");
}

fn with_little_room(child: &str) {
    let folder = tempfile::tempdir().unwrap();
    // Past its limit a process gets a signal that ends it, unless its parent had it ignored.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact \"$1\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .arg(child)
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
}

fn set_file_size_max(bytes: Option<u64>) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).unwrap();
}

/// Commits ever more until one fails.
fn fill(journal: &RedbJournal) -> JournalError {
    for megabytes in 1..64 {
        let value = vec![megabytes as u8; megabytes << 20];
        if let Err(error) = journal.commit(&[Record::Setting { name: "big".into(), value }]) {
            return error;
        }
    }
    panic!("64 MiB fit where there is no room");
}
