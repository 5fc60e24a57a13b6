//! Content through sender and receiver: it arrives, and a changed byte does not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opensky_protocol::transfer::{CHUNK_BYTES, Plan, SubtreeHasher};
use opensky_types::Hash;

fuzz_target!(|input: (u8, u16, u32, Vec<u8>)| {
    let (chunks, tail, place, pattern) = input;
    // Up to four chunks and a tail, so that every shape of small tree comes up.
    let size_bytes = usize::from(chunks % 5) * CHUNK_BYTES + usize::from(tail);
    let mut content: Vec<u8> = pattern.iter().copied().chain([7]).cycle().take(size_bytes).collect();
    let mut hasher = SubtreeHasher::new();
    content.chunks(usize::from(tail).max(4_096)).for_each(|piece| hasher.update(piece));
    let outboard = hasher.finish();
    assert_eq!(outboard.hash, Hash::of(&content));
    let plan = Plan::new(outboard.hash, outboard.size_bytes, outboard.subtrees).expect("it is right");
    for (index, chunk) in (0..).zip(content.chunks(CHUNK_BYTES)) {
        plan.verify_chunk(index, chunk).expect("it is right");
    }
    if size_bytes > 0 {
        let place = place as usize % size_bytes;
        content[place] ^= 1;
        let index = place / CHUNK_BYTES;
        let chunk = content.chunks(CHUNK_BYTES).nth(index).expect("the place is inside");
        plan.verify_chunk(index as u32, chunk).expect_err("a byte was changed");
    }
});
