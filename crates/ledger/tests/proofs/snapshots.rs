//! Whole snapshots: cut, carried, restored.

use opensky_ledger::{
    snapshot::{
        Added, CHUNK_BYTES_MAX, Chunk, Cut, MANIFEST_BYTES_MAX, Manifest, ManifestError, Prefix, Record,
        Restore, RestoreError,
    },
    tree::{Tree, key_hash, value_hash},
};
use opensky_types::{Hash, codec};
use proptest::prelude::{prop_assert_eq, proptest};

pub const HEIGHT: u64 = 1_000;

/// An entry of `size_bytes`, more or less.
pub fn record(number: &u32, size_bytes: usize) -> Record {
    let entry = [&number.to_le_bytes()[..], &vec![7; size_bytes]].concat();
    Record { key: number.to_le_bytes().to_vec(), entry }
}

pub fn state(count: u32, size_bytes: usize) -> (Tree, Cut<u32>) {
    let hashes = (0..count).map(|number| {
        let record = record(&number, size_bytes);
        (key_hash(&record.key), value_hash(&record.entry))
    });
    let tree = Tree::from_entries(hashes);
    let cut = Cut::new(HEIGHT, &tree, 0..count, |number| record(number, size_bytes));
    (tree, cut.expect("the state is not too large"))
}

fn restored(tree: &Tree, cut: &Cut<u32>, size_bytes: usize) -> (Tree, Vec<Record>) {
    let bytes = codec::encode(cut.manifest());
    assert!(bytes.len() <= MANIFEST_BYTES_MAX);
    let manifest = Manifest::decode(&bytes, HEIGHT, &tree.root()).expect("our own manifest is read");
    let count = manifest.parts().len();
    let mut restore = Restore::new(manifest);
    let mut records = Vec::new();
    // From the last to the first: the order does not matter.
    for index in (0..count).rev() {
        let chunk =
            cut.chunk(tree, index, |number| record(number, size_bytes)).expect("it is in the manifest");
        let bytes = codec::encode(&chunk);
        assert!(bytes.len() <= CHUNK_BYTES_MAX);
        let Added::New(new) = restore.add(index, &bytes).expect("our own chunk is good") else {
            panic!("chunk {index} is new");
        };
        records.extend(new);
        assert_eq!(restore.add(index, &bytes), Ok(Added::Known));
    }
    assert_eq!(restore.missing().count(), 0);
    (restore.finish().expect("all chunks are here"), records)
}

proptest! {
    #[test]
    fn a_state_comes_out_as_it_went_in(count in 0..300_u32, size_bytes in 1..9_000_usize) {
        let (tree, cut) = state(count, size_bytes);
        let (again, mut records) = restored(&tree, &cut, size_bytes);
        again.check();
        prop_assert_eq!(again.root(), tree.root());
        records.sort_by_key(|record| u32::from_le_bytes(record.key[..].try_into().expect("four bytes")));
        let expected: Vec<Record> = (0..count).map(|number| record(&number, size_bytes)).collect();
        prop_assert_eq!(records, expected);
    }
}

#[test]
fn chunks_are_capped_and_follow_one_another() {
    let (tree, cut) = state(2_000, 2_000);
    let parts = cut.manifest().parts();
    assert!(parts.len() > 15, "4 MB do not fit in {} chunks", parts.len());
    assert!(parts.windows(2).all(|pair| pair[0].next().as_ref() == Some(pair[1].first())));
    assert_eq!(parts[parts.len() - 1].next(), None);
    assert_eq!(cut.chunk(&tree, parts.len(), |number| record(number, 2_000)), None);
    let (small, cut) = state(1, 5);
    assert_eq!(cut.manifest().parts(), [Prefix::ALL]);
    assert_eq!(restored(&small, &cut, 5).0.root(), small.root());
}

#[test]
fn a_snapshot_that_is_not_whole_is_no_state() {
    let (tree, cut) = state(500, 2_000);
    let mut restore = Restore::new(cut.manifest().clone());
    let chunk = cut.chunk(&tree, 0, |number| record(number, 2_000)).expect("there is a first chunk");
    restore.add(0, &codec::encode(&chunk)).expect("our own chunk is good");
    let (missing, chunks) = (restore.missing().count(), cut.manifest().parts().len());
    assert_eq!(missing, chunks - 1);
    assert_eq!(restore.add(chunks, &[]), Err(RestoreError::NoSuchChunk { index: chunks, chunks }));
    assert!(matches!(restore.finish(), Err(RestoreError::Missing { missing: left }) if left == missing));
}

/// A manifest's bytes, with parts that no honest node would name.
fn manifest_bytes(root: &Hash, parts: &[Prefix]) -> Vec<u8> {
    [codec::encode(&(1_u16, HEIGHT, *root)), codec::encode(&parts.to_vec())].concat()
}

#[test]
fn l3_a_manifest_with_gaps_or_of_another_block_is_refused_at_once() {
    let (tree, cut) = state(500, 2_000);
    let root = tree.root();
    let parts = cut.manifest().parts().to_vec();
    let decode = |parts: &[Prefix]| Manifest::decode(&manifest_bytes(&root, parts), HEIGHT, &root);
    assert_eq!(decode(&parts), Ok(cut.manifest().clone()));
    for index in 0..parts.len() {
        let mut gap = parts.clone();
        gap.remove(index);
        assert_eq!(decode(&gap), Err(ManifestError::Gap { index }));
        let mut twice = parts.clone();
        twice.insert(index, parts[index]);
        assert_eq!(decode(&twice), Err(ManifestError::Gap { index: index + 1 }));
    }
    assert_eq!(decode(&[]), Err(ManifestError::Count { parts: 0 }));
    let bytes = codec::encode(cut.manifest());
    let other = Manifest::decode(&bytes, HEIGHT + 1, &root);
    assert!(matches!(other, Err(ManifestError::OtherBlock { found_height: HEIGHT, .. })));
    assert!(matches!(
        Manifest::decode(&bytes, HEIGHT, &Hash::of(b"other")),
        Err(ManifestError::OtherBlock { .. })
    ));
    assert!(Manifest::decode(&bytes[1..], HEIGHT, &root).is_err());
}

#[test]
fn a_prefix_of_any_length_has_one_form() {
    for length in 1..=256_u16 {
        let (whole, rest) = (usize::from(length / 8), length % 8);
        let mut bytes = [&length.to_le_bytes()[..], &vec![0xff; whole]].concat();
        if rest > 0 {
            let ones = !(0xff_u8 >> rest);
            let longer = [&bytes[..], &[ones | 0x80 >> rest]].concat();
            assert!(codec::decode::<Prefix>(&longer, 64).is_err(), "{length} bits and one more");
            bytes.push(ones);
        }
        let prefix = codec::decode::<Prefix>(&bytes, 64).expect("the one form");
        assert_eq!((prefix.len(), codec::encode(&prefix)), (usize::from(length), bytes));
    }
}

#[test]
fn a_prefix_has_one_form() {
    let (tree, cut) = state(500, 2_000);
    let part = cut.manifest().parts()[1];
    let bytes = codec::encode(&part);
    assert_eq!(codec::decode::<Prefix>(&bytes, 64), Ok(part));
    let mut second = bytes.clone();
    *second.last_mut().expect("a prefix of some bits has a byte") |= 1;
    assert!(codec::decode::<Prefix>(&second, 64).is_err(), "bits behind the end");
    assert!(codec::decode::<Prefix>(&[&[1, 1][..], &[0; 33]].concat(), 64).is_err(), "257 bits");
    let chunk = cut.chunk(&tree, 1, |number| record(number, 2_000)).expect("there is a second chunk");
    assert_eq!(codec::decode::<Chunk>(&codec::encode(&chunk), CHUNK_BYTES_MAX), Ok(chunk));
}
