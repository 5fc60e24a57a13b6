//! Verified streaming: what is right passes, and nothing else does.

use opensky_protocol::transfer::{
    BLOB_BYTES_MAX, CHUNK_BYTES, FetchReply, Outboard, Plan, SubtreeHasher, TransferError, chunk_count,
};
use opensky_types::Hash;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

fn content(size_bytes: usize) -> Vec<u8> {
    (0..size_bytes).map(|index| (index ^ (index >> 8) ^ (index >> 16)) as u8).collect()
}

fn outboard(bytes: &[u8]) -> Outboard {
    let mut hasher = SubtreeHasher::new();
    hasher.update(bytes);
    hasher.finish()
}

fn plan(outboard: &Outboard) -> Result<Plan, TransferError> {
    Plan::new(outboard.hash, outboard.size_bytes, outboard.subtrees.clone())
}

/// Sizes around every edge of the tree.
fn sizes() -> Vec<usize> {
    let mut sizes = vec![0, 1, 63, 64, 65, 1_023, 1_024, 1_025, 5 * CHUNK_BYTES + CHUNK_BYTES / 2];
    for chunks in [1, 2, 3, 4, 5, 7, 8, 9] {
        let edge = chunks * CHUNK_BYTES;
        sizes.extend([edge - 1, edge, edge + 1]);
    }
    sizes
}

#[test]
fn the_hash_is_plain_blake3_and_every_chunk_verifies() {
    for size_bytes in sizes() {
        let bytes = content(size_bytes);
        let outboard = outboard(&bytes);
        assert_eq!(outboard.hash, Hash::of(&bytes), "size {size_bytes}");
        assert_eq!(outboard.size_bytes, size_bytes as u64);
        let plan = plan(&outboard).unwrap_or_else(|error| panic!("size {size_bytes}: {error}"));
        assert_eq!((plan.hash(), plan.size_bytes()), (outboard.hash, outboard.size_bytes));
        assert_eq!(plan.chunk_count() as usize, size_bytes.div_ceil(CHUNK_BYTES));
        for (index, chunk) in (0..).zip(bytes.chunks(CHUNK_BYTES)) {
            assert_eq!(plan.chunk_size_bytes(index), chunk.len());
            assert_eq!(plan.chunk_offset(index), index as u64 * CHUNK_BYTES as u64);
            assert_eq!(plan.bytes_from(index), (size_bytes as u64) - plan.chunk_offset(index));
            assert_eq!(plan.verify_chunk(index, chunk), Ok(()), "size {size_bytes}, chunk {index}");
        }
        let count = plan.chunk_count();
        assert_eq!(plan.verify_chunk(count, b""), Err(TransferError::NoSuchChunk { index: count, count }));
        assert_eq!((plan.chunk_size_bytes(count), plan.bytes_from(u32::MAX)), (0, 0));
    }
}

#[test]
fn every_changed_subtree_is_refused() {
    let outboard = outboard(&content(5 * CHUNK_BYTES + 7));
    for index in 0..outboard.subtrees.len() {
        for byte in [0, 15, 31] {
            let mut changed = outboard.clone();
            changed.subtrees[index][byte] ^= 1;
            assert_eq!(plan(&changed), Err(TransferError::WrongRoot { expected: outboard.hash }));
        }
    }
    let mut swapped = outboard.clone();
    swapped.subtrees.swap(0, 1);
    assert_eq!(plan(&swapped), Err(TransferError::WrongRoot { expected: outboard.hash }));
}

#[test]
fn a_count_that_does_not_fit_the_size_is_refused() {
    let outboard = outboard(&content(3 * CHUNK_BYTES));
    for found in [0, 1, 2, 4, 65_536] {
        let mut changed = outboard.clone();
        changed.subtrees.resize(found, [0; 32]);
        assert_eq!(plan(&changed), Err(TransferError::WrongCount { found, expected: 3 }));
    }
    let single = Plan::new(Hash::of(b"x"), 1, vec![[0; 32]]);
    assert_eq!(single, Err(TransferError::WrongCount { found: 1, expected: 0 }));
}

#[test]
fn a_lying_size_is_found_out() {
    let bytes = content(2 * CHUNK_BYTES + 10);
    let outboard = outboard(&bytes);
    for size_bytes in [2 * CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 11, 3 * CHUNK_BYTES] {
        let lie = Plan::new(outboard.hash, size_bytes as u64, outboard.subtrees.clone()).unwrap();
        let mut last = bytes[2 * CHUNK_BYTES..].to_vec();
        assert!(matches!(lie.verify_chunk(2, &last), Err(TransferError::WrongLength { index: 2, .. })));
        last.resize(size_bytes - 2 * CHUNK_BYTES, 0);
        assert_eq!(lie.verify_chunk(2, &last), Err(TransferError::WrongChunk { index: 2 }));
    }
    for size_bytes in [BLOB_BYTES_MAX + 1, u64::MAX] {
        assert_eq!(
            Plan::new(outboard.hash, size_bytes, Vec::new()),
            Err(TransferError::TooLarge { size_bytes })
        );
    }
    assert_eq!(
        Plan::new(outboard.hash, 0, Vec::new()),
        Err(TransferError::WrongRoot { expected: outboard.hash }),
        "an empty blob has one hash only"
    );
    let single = Plan::new(Hash::of(b"four"), 5, Vec::new()).unwrap();
    assert_eq!(single.verify_chunk(0, b"four\0"), Err(TransferError::WrongChunk { index: 0 }));
}

/// Inner nodes of the real tree, announced as if they were chunks, add up to the hash; but then no
/// bytes verify.
#[test]
fn a_tree_of_another_shape_verifies_no_chunk() {
    use blake3::hazmat::{Mode, merge_subtrees_non_root};
    let bytes = content(4 * CHUNK_BYTES);
    let real = outboard(&bytes);
    let parent =
        |left: usize| merge_subtrees_non_root(&real.subtrees[left], &real.subtrees[left + 1], Mode::Hash);
    let plan = Plan::new(real.hash, 2 * CHUNK_BYTES as u64, vec![parent(0), parent(2)]).unwrap();
    for chunk in bytes.chunks(CHUNK_BYTES) {
        for index in 0..2 {
            assert_eq!(plan.verify_chunk(index, chunk), Err(TransferError::WrongChunk { index }));
        }
    }
}

#[test]
fn chunks_do_not_trade_places() {
    let bytes = vec![7; 3 * CHUNK_BYTES];
    let plan = plan(&outboard(&bytes)).unwrap();
    let other = content(CHUNK_BYTES);
    assert_eq!(plan.verify_chunk(1, &bytes[..CHUNK_BYTES]), Ok(()), "equal bytes at another place");
    assert_eq!(plan.verify_chunk(1, &other), Err(TransferError::WrongChunk { index: 1 }));
    assert!(matches!(
        plan.verify_chunk(1, &bytes[..CHUNK_BYTES - 1]),
        Err(TransferError::WrongLength { index: 1, .. })
    ));
}

#[test]
fn the_largest_blob_fits_its_message() {
    use opensky_protocol::Message;
    let count = chunk_count(BLOB_BYTES_MAX) as usize;
    let reply = FetchReply::Found { size_bytes: BLOB_BYTES_MAX, subtrees: vec![[1; 32]; count] };
    let frame = reply.to_frame();
    assert_eq!(FetchReply::from_body(&frame[4..]), Ok(reply));
    let too_large = Outboard { hash: Hash::of(b""), size_bytes: BLOB_BYTES_MAX + 1, subtrees: Vec::new() };
    assert_eq!(too_large.into_reply(), FetchReply::Missing);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pieces_of_any_size_give_the_same_outboard(
        size_bytes in 0..3 * CHUNK_BYTES,
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let bytes = content(size_bytes);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(size_bytes + 1)).collect();
        cuts.extend([0, size_bytes]);
        cuts.sort_unstable();
        let mut hasher = SubtreeHasher::default();
        cuts.windows(2).for_each(|pair| hasher.update(&bytes[pair[0]..pair[1]]));
        prop_assert_eq!(hasher.finish(), outboard(&bytes));
    }

    #[test]
    fn every_flipped_bit_is_found(
        size_bytes in 1..3 * CHUNK_BYTES,
        place in any::<proptest::sample::Index>(),
        bit in 0..8u32,
    ) {
        let mut bytes = content(size_bytes);
        let plan = plan(&outboard(&bytes)).unwrap();
        let place = place.index(size_bytes);
        bytes[place] ^= 1 << bit;
        for (index, chunk) in (0..).zip(bytes.chunks(CHUNK_BYTES)) {
            let hit = place / CHUNK_BYTES == index as usize;
            let expected = if hit { Err(TransferError::WrongChunk { index }) } else { Ok(()) };
            prop_assert_eq!(plan.verify_chunk(index, chunk), expected);
        }
    }
}
