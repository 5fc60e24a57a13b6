//! What each method of the ledger's store promises.

#[path = "support/ledger.rs"]
mod ledger;

use ledger::{account, append, block, border, chunk, history, put_snapshot};
use opensky_storage::{BLOCK_BYTES_MAX, BlockRow, CHUNK_BYTES_MAX, LedgerStore, LedgerStoreError};

fn open() -> (tempfile::TempDir, LedgerStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LedgerStore::open(folder.path()).unwrap();
    (folder, store)
}

fn heights(blocks: &[(u64, Vec<u8>)]) -> Vec<u64> {
    blocks.iter().map(|(height, _)| *height).collect()
}

#[test]
fn the_store_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<LedgerStore>();
    let (_folder, store) = open();
    std::thread::scope(|scope| {
        scope.spawn(|| (1..=50).for_each(|height| append(&store, height, height % 10 == 0)));
        scope.spawn(|| (1..=3).for_each(|height| put_snapshot(&store, height)));
        for _ in 0..50 {
            if let Some(found) = store.snapshot().unwrap() {
                assert_eq!(found.manifest, found.height.to_le_bytes());
            }
        }
    });
    assert_eq!(ledger::check_blocks(&store), 50);
    assert_eq!(ledger::check_snapshot(&store), Some(3));
}

#[test]
fn a_new_store_is_empty_and_begins_with_block_1() {
    let (_folder, store) = open();
    assert_eq!((store.oldest().unwrap(), store.newest().unwrap()), (None, None));
    assert!(store.blocks(0, usize::MAX, 9).unwrap().is_empty());
    assert!(store.borders(0, 9).unwrap().is_empty());
    assert!(store.history(&account(1), None, 9).unwrap().is_empty());
    assert!(store.snapshot().unwrap().is_none());
    assert!(store.snapshot_chunk(0, 0).unwrap().is_none());
    assert!(store.setting("any").unwrap().is_none());
    assert_eq!(store.prune(u64::MAX, 9).unwrap(), 0);
    store.sync().unwrap();
    for wrong in [0, 2] {
        let error = store.append(&[block(wrong)], &[], true).unwrap_err();
        assert!(matches!(error, LedgerStoreError::NotContiguous { expected: 1, found } if found == wrong));
    }
    append(&store, 1, true);
    assert_eq!((store.oldest().unwrap(), store.newest().unwrap()), (Some(1), Some(1)));
}

#[test]
fn blocks_come_back_over_a_restart() {
    let (folder, store) = open();
    (1..=20).for_each(|height| append(&store, height, false));
    assert_eq!(ledger::check_blocks(&store), 20, "unsynced blocks can be read at once");
    store.sync().unwrap();
    drop(store);
    let store = LedgerStore::open(folder.path()).unwrap();
    assert_eq!(ledger::check_blocks(&store), 20);
    assert!(store.is_intact().unwrap());
}

#[test]
fn blocks_with_a_gap_are_refused_as_a_whole() {
    let (_folder, store) = open();
    (1..=3).for_each(|height| append(&store, height, true));
    for wrong in [&[4, 6][..], &[3], &[5], &[4, 4], &[4, 5, 3]] {
        let blocks: Vec<BlockRow> = wrong.iter().map(|height| block(*height)).collect();
        let error = store.append(&blocks, &history(4), true).unwrap_err();
        assert!(matches!(error, LedgerStoreError::NotContiguous { .. }) && !error.is_damage());
        assert_eq!(ledger::check_blocks(&store), 3, "nothing of {wrong:?} is kept");
    }
    let blocks: Vec<BlockRow> = (4..=9).map(block).collect();
    let lines: Vec<_> = (4..=9).flat_map(history).collect();
    store.append(&blocks, &lines, false).unwrap();
    assert_eq!(ledger::check_blocks(&store), 9);
}

#[test]
fn a_block_above_the_cap_is_refused_and_one_at_the_cap_is_kept() {
    let (_folder, store) = open();
    let of_size = |height, size| BlockRow { height, sealed: vec![7; size], border: None };
    let error = store.append(&[block(1), of_size(2, BLOCK_BYTES_MAX + 1)], &[], true).unwrap_err();
    assert!(matches!(error, LedgerStoreError::TooLarge { what: "block", .. }));
    assert_eq!(store.newest().unwrap(), None);
    store.append(&[of_size(1, BLOCK_BYTES_MAX)], &[], true).unwrap();
    assert_eq!(store.blocks(1, 0, 1).unwrap()[0].1.len(), BLOCK_BYTES_MAX);
}

#[test]
fn blocks_are_given_within_bytes_and_count_but_one_at_least() {
    let (_folder, store) = open();
    let blocks: Vec<_> =
        (1..=9).map(|height| BlockRow { height, sealed: vec![0; 100], border: None }).collect();
    store.append(&blocks, &[], false).unwrap();
    let ask = |from, bytes, count| heights(&store.blocks(from, bytes, count).unwrap());
    assert_eq!(ask(2, 300, 9), [2, 3, 4]);
    assert_eq!(ask(2, 299, 9), [2, 3]);
    assert_eq!(ask(2, 0, 9), [2]);
    assert_eq!(ask(8, usize::MAX, 9), [8, 9]);
    assert_eq!(ask(2, usize::MAX, 2), [2, 3]);
    assert!(ask(2, usize::MAX, 0).is_empty());
    assert!(ask(0, usize::MAX, 9).is_empty(), "there is no block 0 to begin with");
    assert!(ask(10, usize::MAX, 9).is_empty());
    assert!(ask(u64::MAX, usize::MAX, 9).is_empty());
}

#[test]
fn borders_are_kept_when_their_blocks_are_dropped() {
    let (_folder, store) = open();
    store.put_borders(&[(0, border(0)), (7, border(7))]).unwrap();
    (1..=20).for_each(|height| append(&store, height, false));
    store.restart_at(100).unwrap();
    let epochs = |from, count| heights(&store.borders(from, count).unwrap());
    assert_eq!(epochs(0, 99), [0, 1, 2, 3, 4, 7]);
    assert_eq!(epochs(2, 3), [2, 3, 4]);
    assert_eq!(store.borders(5, 1).unwrap(), [(7, border(7))]);
}

#[test]
fn history_is_given_newest_first_in_pages() {
    let (_folder, store) = open();
    (1..=12).for_each(|height| append(&store, height, false));
    let ask = |before, limit| -> Vec<(u64, u32)> {
        let lines = store.history(&account(0), before, limit).unwrap();
        assert!(lines.iter().all(|line| line.account == account(0)));
        lines.iter().map(|line| (line.height, line.index)).collect()
    };
    assert_eq!(ask(None, 3), [(12, 1), (12, 0), (9, 1)]);
    assert_eq!(ask(Some((9, 1)), 3), [(9, 0), (6, 1), (6, 0)]);
    assert_eq!(ask(Some((3, 1)), 9), [(3, 0)]);
    assert!(ask(Some((3, 0)), 9).is_empty());
    assert!(ask(Some((0, 0)), 9).is_empty());
    assert!(ask(None, 0).is_empty());
    assert_eq!(ask(Some((u64::MAX, u32::MAX)), 99).len(), 8);
    assert!(store.history(&account(9), None, 9).unwrap().is_empty());
}

#[test]
fn the_newest_snapshot_and_the_one_before_it_are_kept() {
    let (folder, store) = open();
    for height in [10, 20, 30] {
        put_snapshot(&store, height);
        assert_eq!(ledger::check_snapshot(&store), Some(height));
    }
    assert_eq!(store.snapshot_chunk(20, 599).unwrap(), Some(chunk(20, 599)));
    assert_eq!(store.snapshot_chunk(10, 0).unwrap(), None);
    drop(store);
    let store = LedgerStore::open(folder.path()).unwrap();
    assert_eq!(ledger::check_snapshot(&store), Some(30));
    assert_eq!(store.snapshot_chunk(20, 0).unwrap(), Some(chunk(20, 0)));
    put_snapshot(&store, 30);
    assert_eq!(ledger::check_snapshot(&store), Some(30));
    assert_eq!(store.snapshot_chunk(20, 0).unwrap(), Some(chunk(20, 0)), "put twice, it counts once");
}

#[test]
fn a_snapshot_is_not_seen_before_its_last_chunk() {
    let (_folder, store) = open();
    put_snapshot(&store, 10);
    let mut chunks = (0..ledger::CHUNKS).map(|index| {
        assert_eq!(store.snapshot().unwrap().unwrap().height, 10);
        assert_eq!(store.snapshot_chunk(20, 0).unwrap(), None);
        chunk(20, index)
    });
    store.put_snapshot(20, b"head", &20u64.to_le_bytes(), &mut chunks).unwrap();
    assert_eq!(ledger::check_snapshot(&store), Some(20));
}

#[test]
fn large_chunks_and_no_chunks_make_a_snapshot_too() {
    let (_folder, store) = open();
    let mut chunks = (0..40).map(|index| vec![index; CHUNK_BYTES_MAX]);
    store.put_snapshot(1, b"", b"", &mut chunks).unwrap();
    assert_eq!(store.snapshot().unwrap().unwrap().chunks, 40);
    assert_eq!(store.snapshot_chunk(1, 39).unwrap(), Some(vec![39; CHUNK_BYTES_MAX]));
    store.put_snapshot(2, b"", b"", &mut std::iter::empty()).unwrap();
    assert_eq!(store.snapshot().unwrap().unwrap().chunks, 0);
    assert_eq!(store.snapshot_chunk(2, 0).unwrap(), None);
}

#[test]
fn after_a_restart_at_a_height_blocks_go_on_above_it() {
    let (folder, store) = open();
    (1..=12).for_each(|height| append(&store, height, false));
    store.restart_at(100).unwrap();
    assert_eq!((store.oldest().unwrap(), store.newest().unwrap()), (None, None));
    assert!(store.blocks(1, usize::MAX, 9).unwrap().is_empty());
    assert_eq!(store.history(&account(0), None, 9).unwrap().len(), 8, "history stays");
    drop(store);
    let store = LedgerStore::open(folder.path()).unwrap();
    for wrong in [1, 13, 100, 102] {
        let error = store.append(&[block(wrong)], &[], false).unwrap_err();
        assert!(matches!(error, LedgerStoreError::NotContiguous { expected: 101, .. }));
    }
    append(&store, 101, true);
    append(&store, 102, true);
    assert_eq!((store.oldest().unwrap(), store.newest().unwrap()), (Some(101), Some(102)));
    assert_eq!(heights(&store.blocks(101, usize::MAX, 9).unwrap()), [101, 102]);
    store.sync().unwrap();
}

#[test]
fn pruning_stops_at_the_snapshot_at_the_newest_block_and_at_the_count() {
    let (_folder, store) = open();
    (1..=20).for_each(|height| append(&store, height, false));
    assert_eq!(store.prune(15, 99).unwrap(), 0, "without a snapshot all blocks are needed");
    put_snapshot(&store, 10);
    assert_eq!(store.prune(4, 99).unwrap(), 3);
    assert_eq!(store.oldest().unwrap(), Some(4));
    assert_eq!(store.prune(15, 2).unwrap(), 2);
    assert_eq!(store.prune(15, 99).unwrap(), 5, "up to the snapshot's block");
    assert_eq!(store.prune(15, 99).unwrap(), 0);
    assert_eq!((store.oldest().unwrap(), store.newest().unwrap()), (Some(11), Some(20)));
    assert!(store.blocks(10, usize::MAX, 9).unwrap().is_empty());
    assert_eq!(heights(&store.blocks(11, usize::MAX, 2).unwrap()), [11, 12]);
    assert_eq!(store.borders(0, 99).unwrap().len(), 4, "borders are kept for ever");
    put_snapshot(&store, 30);
    assert_eq!(store.prune(u64::MAX, 99).unwrap(), 9);
    assert_eq!((store.oldest().unwrap(), store.newest().unwrap()), (Some(20), Some(20)));
    append(&store, 21, true);
}

#[test]
fn settings_are_kept_and_replaced() {
    let (folder, store) = open();
    store.put_setting("mark", b"one").unwrap();
    store.put_setting("mark", b"two").unwrap();
    store.put_setting("empty", b"").unwrap();
    drop(store);
    let store = LedgerStore::open(folder.path()).unwrap();
    assert_eq!(store.setting("mark").unwrap(), Some(b"two".to_vec()));
    assert_eq!(store.setting("empty").unwrap(), Some(Vec::new()));
}
