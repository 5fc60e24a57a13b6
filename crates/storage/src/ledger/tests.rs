use super::*;
use crate::{
    OpenError,
    file::{META, open},
};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata};

fn block(height: u64) -> BlockRow {
    BlockRow { height, sealed: height.to_be_bytes().to_vec(), border: None }
}

fn chunks(count: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|index| index.to_be_bytes().to_vec())
}

fn chunk_rows(store: &LedgerStore) -> u64 {
    store.file.read("chunks", |reader| Ok(reader.open_table(tables::CHUNKS)?.len()?)).unwrap()
}

#[test]
fn f16_a_newer_ledger_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(LedgerStore::open(folder.path()).unwrap());
    let path = folder.path().join(LEDGER_FILE);
    let database = Database::open(&path).unwrap();
    let writer = database.begin_write().unwrap();
    writer.open_table(META).unwrap().insert(open::FORMAT, LEDGER_FORMAT_VERSION + 1).unwrap();
    writer.commit().unwrap();
    drop(database);
    let Err(error) = LedgerStore::open(folder.path()) else { panic!("a newer ledger was opened") };
    assert!(matches!(error, LedgerStoreError::Open(OpenError::Newer { found: 2, known: 1, .. })));
    assert!(error.to_string().contains("the ledger ") && error.to_string().contains("install the newer"));
    assert!(!error.is_damage());
    let database = Database::open(&path).unwrap();
    let meta = database.begin_read().unwrap().open_table(META).unwrap();
    assert_eq!(meta.get(open::FORMAT).unwrap().unwrap().value(), 2);
}

#[test]
fn a_ledger_that_is_open_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let _open = LedgerStore::open(folder.path()).unwrap();
    let Err(error) = LedgerStore::open(folder.path()) else { panic!("it was opened twice") };
    assert!(matches!(error, LedgerStoreError::Open(OpenError::InUse { .. })));
}

#[test]
fn f1_chunks_of_an_unfinished_snapshot_are_removed_at_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = LedgerStore::open(folder.path()).unwrap();
    store.put_snapshot(1, b"head", b"manifest", &mut chunks(3)).unwrap();
    // What a process leaves that dies in the middle of the next one, and of dropping an older one.
    for number in [7, 9] {
        store.put_chunks(number, &mut chunks(600)).unwrap();
    }
    assert_eq!(chunk_rows(&store), 1_203);
    drop(store);
    let store = LedgerStore::open(folder.path()).unwrap();
    assert_eq!(chunk_rows(&store), 3);
    assert_eq!(store.snapshot().unwrap().unwrap().height, 1);
    assert_eq!(store.snapshot_chunk(1, 2).unwrap().unwrap(), 2u32.to_be_bytes());
}

#[test]
fn a_snapshot_that_is_kept_no_longer_leaves_no_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let store = LedgerStore::open(folder.path()).unwrap();
    for height in 1..6 {
        store.put_snapshot(height, b"head", b"manifest", &mut chunks(300)).unwrap();
    }
    assert_eq!(chunk_rows(&store), 600);
    let too_large = vec![0; CHUNK_BYTES_MAX + 1];
    let mut bad = chunks(300).chain([too_large]);
    let error = store.put_snapshot(6, b"head", b"manifest", &mut bad).unwrap_err();
    assert!(matches!(error, LedgerStoreError::TooLarge { what: "snapshot chunk", .. }));
    assert_eq!(chunk_rows(&store), 600, "what was written of a refused snapshot is gone");
}

#[test]
fn f5_a_missing_block_is_damage_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = LedgerStore::open(folder.path()).unwrap();
    store.append(&(1..=5).map(block).collect::<Vec<_>>(), &[], true).unwrap();
    store
        .file
        .write(Durability::Immediate, |writer| {
            writer.open_table(tables::BLOCKS)?.remove(3)?;
            Ok(())
        })
        .unwrap();
    assert_eq!(store.blocks(1, usize::MAX, 2).unwrap().len(), 2);
    let error = store.blocks(1, usize::MAX, 5).unwrap_err();
    assert!(error.is_damage(), "{error}");
    assert_eq!(store.blocks(4, usize::MAX, 5).unwrap().len(), 2);
}

#[test]
fn f5_a_damaged_snapshot_is_replaced_by_one_of_the_same_height() {
    let folder = tempfile::tempdir().unwrap();
    let store = LedgerStore::open(folder.path()).unwrap();
    store.put_snapshot(3, b"head", b"manifest", &mut chunks(2)).unwrap();
    store.put_snapshot(5, b"head", b"manifest", &mut chunks(2)).unwrap();
    store
        .file
        .write(Durability::Immediate, |writer| {
            let mut table = writer.open_table(tables::SNAPSHOTS)?;
            let (number, mut row) = {
                let (number, row) = table.last()?.unwrap();
                (number.value(), row.value().to_vec())
            };
            row[12] ^= 1;
            table.insert(number, row.as_slice())?;
            Ok(())
        })
        .unwrap();
    assert!(store.snapshot().unwrap_err().is_damage());
    assert!(store.prune(3, 10).unwrap_err().is_damage(), "nothing is dropped on its word");
    store.put_snapshot(5, b"head", b"again", &mut chunks(4)).unwrap();
    let found = store.snapshot().unwrap().unwrap();
    assert_eq!((found.height, found.manifest.as_slice(), found.chunks), (5, &b"again"[..], 4));
    assert!(store.snapshot_chunk(3, 1).unwrap().is_some(), "the one before it stays");
    assert_eq!(chunk_rows(&store), 6);
}
