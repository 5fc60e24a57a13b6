//! Content through sender and receiver: it arrives, and a changed byte does not.

use crate::{Seeds, choices::Choices};
use opensky_protocol::transfer::{CHUNK_BYTES, Plan, SubtreeHasher};
use opensky_types::Hash;

/// The first bytes say how long the content is and where it is changed; the rest is what it is made of.
pub fn check(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let chunks = choices.byte();
    let tail = u16::from_le_bytes([choices.byte(), choices.byte()]);
    let place = u32::from_le_bytes(std::array::from_fn(|_| choices.byte()));
    let pattern = choices.bytes(usize::MAX);
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
}

/// First inputs.
pub fn seeds() -> Seeds {
    crate::seeds([("two_chunks", vec![2, 1, 0, 9, 0, 0, 0, 1, 2, 3]), ("none", Vec::new())])
}
