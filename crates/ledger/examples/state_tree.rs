//! What the authenticated state costs at 1,000,000 entries: a block's root, proofs, snapshots, claims.
//!
//! `cargo run --release -p opensky-ledger --example state_tree [ENTRIES]`

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and its arguments")]

use opensky_ledger::{
    evm::{
        Address,
        claims::{Claim, ClaimTree},
    },
    snapshot::{Added, Cut, Manifest, Record, Restore},
    tree::{Changes, Tree, key_hash, value_hash},
};
use opensky_types::{Hash, Micros, codec};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const CHANGES: u64 = 2_000;
const ROUNDS: u64 = 51;
const HEIGHT: u64 = 1;
/// An account of the ledger with two keys and a session is about this long.
const ENTRY_BYTES: usize = 120;

fn main() {
    let entries =
        std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number of entries"));
    let compression = median(ROUNDS, |_| {
        (0..CHANGES).for_each(|_| _ = black_box(blake3::keyed_hash(&[7; 32], black_box(&[1; 64]))));
    }) / CHANGES as u32;
    println!("one compression of BLAKE3: {} ns", compression.as_nanos());

    let hashes: Vec<(Hash, Hash)> = (0..entries).map(|number| hashes(number, 0)).collect();
    let mut tree = Tree::new();
    let built = time(|| tree = Tree::from_entries(hashes.iter().copied()));
    let per_entry = tree.memory_bytes() as u64 / entries.max(1);
    println!(
        "{entries} entries built in {} ms; {} MB of memory, {per_entry} bytes an entry",
        built.as_millis(),
        tree.memory_bytes() / 1_000_000
    );
    drop(hashes);
    measure_blocks(&mut tree, entries);
    measure_proofs(&tree, entries);
    measure_snapshot(entries);
    measure_claims();
}

/// A block of 1,000 transfers between accounts drawn from all.
fn block(round: u64, entries: u64) -> Changes {
    let touched = (0..CHANGES).map(|number| scatter(round * CHANGES + number) % entries);
    touched.map(|number| hashes(number, round + 1)).map(|(key, value)| (key, Some(value))).collect()
}

fn measure_blocks(tree: &mut Tree, entries: u64) {
    let [mut ahead, mut drafted, mut adopted, mut applied] = [const { Vec::new() }; 4];
    let mut parents = std::collections::VecDeque::new();
    for round in 0..ROUNDS {
        let changes = block(2 * round, entries);
        ahead.push(time(|| _ = black_box(tree.root_with(&changes))));
        applied.push(time(|| _ = black_box(tree.update(&changes))));
    }
    // As a validator does it: each block on one that is not final yet, the one before that becomes final.
    for round in 0..ROUNDS {
        let changes = block(2 * round + 1, entries);
        let on = parents.back().copied();
        drafted.push(time(|| parents.push_back(tree.draft(on, &changes).expect("the parent is there"))));
        if parents.len() > 2 {
            let oldest = parents.pop_front().expect("three are there");
            adopted.push(time(|| _ = tree.adopt(oldest).expect("the oldest is there")));
        }
    }
    for (name, mut times) in [
        ("root of a block, state unchanged", ahead),
        ("block applied", applied),
        ("block drafted on two that are not final", drafted),
        ("draft made final", adopted),
    ] {
        times.sort_unstable();
        let [best, median, worst] =
            [0, times.len() / 2, times.len() - 1].map(|place| times[place].as_micros());
        println!("{name}, {CHANGES} changed entries: best {best} us, median {median} us, worst {worst} us");
    }
}

fn measure_proofs(tree: &Tree, entries: u64) {
    let root = tree.root();
    let key = |round| key_hash(&record(scatter(round) % entries, 0).key);
    let proven = median(1_001, |round| drop(black_box(tree.prove(&key(round)))));
    let path = tree.prove(&key(1));
    let value = tree.get(&key(1)).expect("the entry is in the tree");
    let verified = median(1_001, |_| path.verify(&root, &key(1), Some(&value)).expect("the proof holds"));
    println!(
        "proof made in {} ns and verified in {} ns; {} siblings, {} bytes",
        proven.as_nanos(),
        verified.as_nanos(),
        path.siblings.len(),
        codec::encode(&path).len()
    );
}

fn measure_snapshot(entries: u64) {
    let tree = Tree::from_entries((0..entries).map(|number| hashes(number, 0)));
    let encode = |number: &u64| record(*number, 0);
    let mut cut = None;
    let planned = time(|| cut = Cut::new(HEIGHT, &tree, 0..entries, encode).ok());
    let cut = cut.expect("the state is not too large");
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    let written = time(|| {
        let made = (0..).map_while(|index| cut.chunk(&tree, index, encode));
        chunks = made.map(|chunk| codec::encode(&chunk)).collect();
    });
    let size_bytes: usize = chunks.iter().map(Vec::len).sum();
    println!(
        "snapshot cut in {} ms, written in {} ms: {} chunks, {} MB, manifest {} bytes",
        planned.as_millis(),
        written.as_millis(),
        chunks.len(),
        size_bytes / 1_000_000,
        codec::encode(cut.manifest()).len()
    );
    let manifest = codec::encode(cut.manifest());
    let manifest = Manifest::decode(&manifest, HEIGHT, &tree.root()).expect("our own manifest is read");
    let mut restore = Restore::new(manifest);
    let verified = time(|| {
        for (index, bytes) in chunks.iter().enumerate() {
            assert!(matches!(restore.add(index, bytes), Ok(Added::New(_))), "our own chunk is good");
        }
    });
    let rebuilt = time(|| drop(restore.finish().expect("all chunks are here")));
    println!("chunks verified in {} ms, tree rebuilt in {} ms", verified.as_millis(), rebuilt.as_millis());
}

fn measure_claims() {
    let claims: Vec<Claim> = (0..100_000_u64)
        .map(|number| Claim {
            account: Hash::from_bytes(std::array::from_fn(|index| number.to_be_bytes()[index % 8])),
            chain: 1,
            address: Address::from_bytes([7; 20]),
            cumulative: Micros::new(number),
        })
        .collect();
    let count = claims.len();
    let made = time(|| drop(black_box(ClaimTree::new(claims).expect("the claims are in order"))));
    println!("sum tree over {count} withdrawal claims: {} ms", made.as_millis());
}

fn record(number: u64, round: u64) -> Record {
    let mut entry = vec![3; ENTRY_BYTES];
    entry[..8].copy_from_slice(&round.to_le_bytes());
    let mut key = vec![0; 33];
    key[1..9].copy_from_slice(&number.to_le_bytes());
    Record { key, entry }
}

fn hashes(number: u64, round: u64) -> (Hash, Hash) {
    let record = record(number, round);
    (key_hash(&record.key), value_hash(&record.entry))
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(rounds: u64, mut round: impl FnMut(u64)) -> Duration {
    let mut times: Vec<Duration> = (0..rounds).map(|number| time(|| round(number))).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// Spreads counting numbers over all bits (the finalizer of SplitMix64).
fn scatter(number: u64) -> u64 {
    let value = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^ value >> 27
}
