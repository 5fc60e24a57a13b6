//! F5: flipped bits are found, never passed on, and never a panic.

#[path = "support/common.rs"]
mod common;
#[path = "support/ledger.rs"]
mod ledger;

use opensky_ports::{BlobStore, Journal, Pin, Record};
use opensky_storage::{
    BlockRow, Condition, FileBlobs, HistoryRow, JOURNAL_FILE, LEDGER_FILE, LedgerStore, LedgerStoreError,
    OpenError, RedbJournal,
};
use opensky_types::{Hash, samples};
use std::{
    fs,
    io::{Read, Seek},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

fn path_of(root: &Path, hash: &Hash) -> PathBuf {
    let text = hash.to_string();
    root.join(&text[..2]).join(&text[2..])
}

fn flip_bit(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Flips one bit at about 150 places of a file, one after the other. `is_refused` opens it, is told the
/// place, and says whether the damage was found; free pages and the older of two commit slots may be
/// anything.
fn flip_everywhere(path: &Path, mut is_refused: impl FnMut(usize) -> bool) {
    let good = fs::read(path).unwrap();
    let used: Vec<usize> = (0..good.len()).filter(|at| good[*at] != 0).collect();
    let places: Vec<usize> = used.iter().step_by(used.len() / 150).copied().collect();
    let refused = places.iter().filter(|at| {
        let mut bad = good.clone();
        bad[**at] ^= 1;
        fs::write(path, bad).unwrap();
        is_refused(**at)
    });
    let refused = refused.count();
    assert!(refused > 20, "{refused} of {} flips were refused", places.len());
}

#[test]
fn f5_a_damaged_journal_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    let journal = RedbJournal::open(folder.path()).unwrap();
    (0..20).for_each(|number| journal.commit(&common::records(number)).unwrap());
    drop(journal);
    flip_everywhere(&path, |at| match RedbJournal::open(folder.path()) {
        Err(OpenError::Damaged { path: named, .. }) => {
            assert_eq!(named, path);
            true
        }
        Err(other) => panic!("damage at {at} was taken for {other}"),
        Ok(journal) => {
            assert_eq!(common::commits_kept(&journal), 20, "damage at {at} was passed on");
            false
        }
    });
    fs::write(&path, b"not a journal at all").unwrap();
    assert!(matches!(RedbJournal::open(folder.path()), Err(OpenError::Damaged { .. })));
}

#[test]
fn f5_damage_under_an_open_journal_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let journal = RedbJournal::open(folder.path()).unwrap();
    let value = vec![0xA5; 40 << 20];
    journal.commit(&[Record::Setting { name: "big".into(), value }]).unwrap();
    let bytes = fs::read(journal.path()).unwrap();
    let at = bytes.windows(64).position(|window| window == [0xA5; 64]).unwrap();
    {
        use std::os::unix::fs::FileExt;
        let file = fs::OpenOptions::new().write(true).open(journal.path()).unwrap();
        file.write_all_at(&[0], (at + 1_000) as u64).unwrap();
    }
    let error = journal.setting("big").unwrap_err();
    assert_eq!(error.to_string(), "journal holds a damaged setting");
    assert!(!journal.is_intact().unwrap());
}

#[test]
fn f5_a_damaged_ledger_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LEDGER_FILE);
    let store = LedgerStore::open(folder.path()).unwrap();
    (1..=30).for_each(|height| ledger::append(&store, height, true));
    drop(store);
    flip_everywhere(&path, |at| match LedgerStore::open(folder.path()) {
        Err(error) => {
            assert!(error.is_damage(), "damage at {at} was taken for {error}");
            let LedgerStoreError::Open(OpenError::Damaged { path: named, .. }) = &error else {
                panic!("{error}")
            };
            assert_eq!(named, &path);
            assert!(error.to_string().contains("fetches the ledger from other nodes"));
            true
        }
        Ok(store) => {
            assert_eq!(ledger::check_blocks(&store), 30, "damage at {at} was passed on");
            false
        }
    });
}

/// Flips a bit of the only place where 64 bytes of `byte` stand.
fn damage_content(path: &Path, byte: u8) {
    use std::os::unix::fs::FileExt;
    let bytes = fs::read(path).unwrap();
    let at = bytes.windows(64).position(|window| window == [byte; 64]).unwrap() + 1_000;
    assert_eq!(bytes[at], byte);
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&[byte ^ 1], at as u64).unwrap();
}

#[test]
fn f5_damage_under_an_open_ledger_is_found_on_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = LedgerStore::open(folder.path()).unwrap();
    let of = |byte: u8, size: usize| vec![byte; size];
    let block = |height, byte| BlockRow { height, sealed: of(byte, 8 << 20), border: None };
    let line = HistoryRow { account: [1; 32], height: 1, index: 0, line: of(0xA2, 2 << 20) };
    let border = BlockRow { border: Some((1, of(0xA3, 2 << 20))), ..block(1, 0xA0) };
    store.append(&[border, block(2, 0xA1)], &[line], true).unwrap();
    store
        .put_snapshot(2, b"head", b"manifest", &mut [of(0xA4, 1 << 20), of(0xA5, 1 << 20)].into_iter())
        .unwrap();
    // More than redb keeps in memory, so that what is damaged is read from the disk.
    store.put_setting("ballast", &of(0xB0, 64 << 20)).unwrap();
    (0xA1..=0xA4).for_each(|byte| damage_content(store.path(), byte));

    let damaged = |error: LedgerStoreError| {
        assert!(error.is_damage(), "{error}");
        error.to_string()
    };
    assert_eq!(store.blocks(1, usize::MAX, 1).unwrap(), [(1, of(0xA0, 8 << 20))], "the rest stays readable");
    let error = damaged(store.blocks(1, usize::MAX, 9).unwrap_err());
    assert_eq!(error, "the ledger's store holds a damaged block");
    assert!(damaged(store.history(&[1; 32], None, 9).unwrap_err()).ends_with("damaged line of history"));
    assert!(damaged(store.borders(0, 9).unwrap_err()).ends_with("damaged border"));
    assert!(damaged(store.snapshot_chunk(2, 0).unwrap_err()).ends_with("damaged snapshot chunk"));
    assert_eq!(store.snapshot_chunk(2, 1).unwrap(), Some(of(0xA5, 1 << 20)));
    assert!(!store.is_intact().unwrap());
}

#[test]
fn f5_a_damaged_small_blob_is_missing_and_can_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(folder.path(), 1 << 20).unwrap();
    let content = vec![1; 10_000];
    let blob = blobs.put(&content).unwrap();
    blobs.pin(Pin::Job(samples::job_id()), &[blob.hash]).unwrap();
    assert_eq!(blobs.verify(&blob.hash).unwrap(), Condition::Intact);
    flip_bit(&path_of(folder.path(), &blob.hash), 5_000);
    assert!(blobs.open(&blob.hash).unwrap().is_none(), "never served");
    assert_eq!(blobs.usage().0, 0);
    assert!(!path_of(folder.path(), &blob.hash).exists());
    blobs.put(&content).unwrap();
    assert_eq!(blobs.get(&blob.hash, u64::MAX).unwrap(), Some(content));
}

#[test]
fn f5_a_damaged_large_blob_fails_the_read_that_would_complete_it() {
    let folder = tempfile::tempdir().unwrap();
    let content = vec![1; 3 << 20];
    let blob = FileBlobs::open(folder.path(), 1 << 30).unwrap().put(&content).unwrap();
    flip_bit(&path_of(folder.path(), &blob.hash), 1 << 20);
    let blobs = FileBlobs::open(folder.path(), 1 << 30).unwrap();
    let mut reader = blobs.open(&blob.hash).unwrap().unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(blobs.open(&blob.hash).unwrap().is_none(), "it is missing from then on");

    blobs.put(&content).unwrap();
    flip_bit(&path_of(folder.path(), &blob.hash), 17);
    assert_eq!(blobs.verify(&blob.hash).unwrap(), Condition::Removed, "scrubbing finds it at any time");
    assert_eq!(blobs.verify(&blob.hash).unwrap(), Condition::Missing);
}

#[test]
fn a_large_blob_read_in_pieces_and_out_of_order_is_still_checked() {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..3u32 << 20).map(|index| index as u8).collect();
    let blob = FileBlobs::open(folder.path(), 1 << 30).unwrap().put(&content).unwrap();
    let blobs = FileBlobs::open(folder.path(), 1 << 30).unwrap();
    let mut reader = blobs.open(&blob.hash).unwrap().unwrap();
    let mut chunk = [0; 1_000];
    reader.read_exact(&mut chunk).unwrap();
    reader.seek(std::io::SeekFrom::Start(500)).unwrap();
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, content[500..]);
}

#[test]
fn f5_a_torn_pin_file_keeps_its_whole_records() {
    let folder = tempfile::tempdir().unwrap();
    let open = || FileBlobs::open(folder.path(), 20_000).unwrap();
    let pin = Pin::Job(samples::job_id());
    let blobs = open();
    let [first, second] = [1, 2].map(|byte| blobs.put(&vec![byte; 8_000]).unwrap().hash);
    blobs.pin(pin, &[first]).unwrap();
    blobs.pin(pin, &[second]).unwrap();
    drop(blobs);
    let path = folder.path().join("pins").join(samples::job_id().to_string());
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let blobs = open();
    drop(blobs.create(12_000).unwrap());
    assert!(blobs.open(&first).unwrap().is_some(), "its record is whole");
    assert!(blobs.open(&second).unwrap().is_none(), "its pin was never acknowledged");
    blobs.pin(pin, &[Hash::of(b"later")]).expect("records can follow again");
}
