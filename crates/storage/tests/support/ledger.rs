//! What tests of the ledger's store need.

#![allow(dead_code, reason = "each test file uses its own part")]

use opensky_storage::{BlockRow, HistoryRow, LedgerStore};

/// Blocks of an epoch.
pub const EPOCH: u64 = 5;
/// Chunks of a snapshot: they take several transactions.
pub const CHUNKS: u32 = 600;

pub fn account(number: u64) -> [u8; 32] {
    [number as u8; 32]
}

pub fn block(height: u64) -> BlockRow {
    let sealed = (0..500 + height % 7 * 400).map(|index| (index ^ height) as u8).collect();
    let border = height.is_multiple_of(EPOCH).then(|| (height / EPOCH, border(height / EPOCH)));
    BlockRow { height, sealed, border }
}

pub fn border(epoch: u64) -> Vec<u8> {
    format!("border of epoch {epoch}").into_bytes()
}

/// Two lines of the block of this height, for one of three accounts.
pub fn history(height: u64) -> Vec<HistoryRow> {
    let account = account(height % 3);
    [0, 1]
        .map(|index| HistoryRow { account, height, index, line: format!("{height}.{index}").into_bytes() })
        .into()
}

pub fn append(store: &LedgerStore, height: u64, sync: bool) {
    store.append(&[block(height)], &history(height), sync).unwrap();
}

pub fn chunk(height: u64, index: u32) -> Vec<u8> {
    let mut bytes = vec![height as u8; 1_000];
    bytes.extend_from_slice(&index.to_le_bytes());
    bytes
}

pub fn put_snapshot(store: &LedgerStore, height: u64) {
    let mut chunks = (0..CHUNKS).map(|index| chunk(height, index));
    store.put_snapshot(height, b"head", &height.to_le_bytes(), &mut chunks).unwrap();
}

/// Checks that all blocks, borders and lines up to the newest are what was written, and answers it.
pub fn check_blocks(store: &LedgerStore) -> u64 {
    let Some(newest) = store.newest().unwrap() else { return 0 };
    let oldest = store.oldest().unwrap().unwrap();
    let found = store.blocks(oldest, usize::MAX, usize::MAX).unwrap();
    let written: Vec<_> = (oldest..=newest).map(|height| (height, block(height).sealed)).collect();
    assert!(found == written, "blocks {oldest} to {newest} are whole and without a gap");
    let borders = store.borders(0, usize::MAX).unwrap();
    assert_eq!(borders, (1..=newest / EPOCH).map(|epoch| (epoch, border(epoch))).collect::<Vec<_>>());
    for number in 0..3 {
        let found = store.history(&account(number), None, usize::MAX).unwrap();
        let heights = (1..=newest).rev().filter(|height| height % 3 == number);
        let written: Vec<_> = heights.flat_map(|height| history(height).into_iter().rev()).collect();
        assert!(found == written, "history of account {number} is whole");
    }
    newest
}

/// Checks that the newest snapshot is whole, and answers its height.
pub fn check_snapshot(store: &LedgerStore) -> Option<u64> {
    let found = store.snapshot().unwrap()?;
    assert_eq!((found.head.as_slice(), found.chunks), (&b"head"[..], CHUNKS));
    assert_eq!(found.manifest, found.height.to_le_bytes());
    for index in 0..CHUNKS {
        assert_eq!(store.snapshot_chunk(found.height, index).unwrap(), Some(chunk(found.height, index)));
    }
    assert_eq!(store.snapshot_chunk(found.height, CHUNKS).unwrap(), None);
    Some(found.height)
}
