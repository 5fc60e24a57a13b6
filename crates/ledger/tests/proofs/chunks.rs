//! A lying peer is found by its first bad chunk.

use crate::snapshots::{record, state};
use opensky_ledger::snapshot::{CHUNK_BYTES_MAX, Chunk, ChunkError, Record, Restore, RestoreError};
use opensky_types::{Hash, codec};

const SIZE_BYTES: usize = 2_000;
const INDEX: usize = 1;

/// What becomes of the second chunk after `lie` changed it.
fn lied(lie: impl FnOnce(&mut Chunk)) -> ChunkError {
    let (tree, cut) = state(500, SIZE_BYTES);
    let mut chunk = cut.chunk(&tree, INDEX, |number| record(number, SIZE_BYTES)).expect("there is one");
    lie(&mut chunk);
    let mut restore = Restore::new(cut.manifest().clone());
    let missing = restore.missing().count();
    let Err(RestoreError::Chunk { index, source }) = restore.add(INDEX, &codec::encode(&chunk)) else {
        panic!("a bad chunk was accepted");
    };
    assert_eq!((index, restore.missing().count()), (INDEX, missing), "nothing of it is kept");
    source
}

#[test]
fn l3_a_changed_left_out_or_added_entry_is_found_in_its_chunk() {
    let is_wrong_root = |error| matches!(error, ChunkError::WrongRoot { .. });
    assert!(is_wrong_root(lied(|chunk| chunk.records[3].entry[0] ^= 1)));
    assert!(is_wrong_root(lied(|chunk| drop(chunk.records.remove(0)))));
    assert!(is_wrong_root(lied(|chunk| drop(chunk.records.pop()))));
    assert!(is_wrong_root(lied(|chunk| chunk.records.clear())));
    assert!(is_wrong_root(lied(|chunk| chunk.siblings[0] = Hash::of(b"other"))));
    // A key that belongs here and is not in the state.
    assert!(is_wrong_root(lied(|chunk| {
        let fits = |key: &Vec<u8>| chunk.prefix.holds(&opensky_ledger::tree::key_hash(key));
        let key = (0_u64..).map(|number| number.to_le_bytes().to_vec()).find(fits).expect("a few tries");
        chunk.records.push(Record { key, entry: vec![1] });
        chunk.records.sort_by_key(|record| opensky_ledger::tree::key_hash(&record.key));
    })));
}

#[test]
fn l3_entries_of_another_part_or_in_another_order_are_refused() {
    assert_eq!(lied(|chunk| chunk.records.swap(4, 5)), ChunkError::Misplaced { index: 5 });
    assert_eq!(
        lied(|chunk| chunk.records.insert(2, chunk.records[1].clone())),
        ChunkError::Misplaced { index: 2 }
    );
    let elsewhere = lied(|chunk| chunk.records[0] = record(&77_777, 5));
    assert!(matches!(elsewhere, ChunkError::Misplaced { .. } | ChunkError::WrongRoot { .. }));
    let (tree, cut) = state(500, SIZE_BYTES);
    let first = cut.chunk(&tree, 0, |number| record(number, SIZE_BYTES)).expect("there is one");
    assert!(matches!(lied(|chunk| *chunk = first), ChunkError::OtherPart { .. }));
    let depth = cut.manifest().parts()[INDEX].len();
    assert_eq!(
        lied(|chunk| chunk.siblings.truncate(chunk.prefix.len() - 1)),
        ChunkError::WrongDepth { depth, siblings: depth - 1 }
    );
    assert_eq!(
        lied(|chunk| chunk.siblings.push(Hash::from_bytes([0; 32]))),
        ChunkError::WrongDepth { depth, siblings: depth + 1 }
    );
}

#[test]
fn l3_what_is_too_large_is_refused() {
    assert_eq!(lied(|chunk| chunk.records[2].key = vec![0; 257]), ChunkError::TooLarge { index: 2 });
    assert_eq!(lied(oversized), ChunkError::TooLarge { index: 2 });
    assert!(matches!(
        lied(|chunk| chunk.records[2].entry = vec![0; CHUNK_BYTES_MAX]),
        ChunkError::Malformed(_)
    ));
}

/// One entry of more than any state holds, in a chunk that is small enough.
fn oversized(chunk: &mut Chunk) {
    chunk.records.truncate(3);
    chunk.records[2].entry = vec![0; 65_537];
}

#[test]
fn every_flipped_bit_of_a_small_chunk_is_refused() {
    let (tree, cut) = state(3, 4);
    let chunk = cut.chunk(&tree, 0, |number| record(number, 4)).expect("there is one");
    let good = codec::encode(&chunk);
    for place in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[place / 8] ^= 1 << (place % 8);
        let mut restore = Restore::new(cut.manifest().clone());
        assert!(restore.add(0, &bytes).is_err(), "bit {place}");
    }
}
