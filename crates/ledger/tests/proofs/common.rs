//! A naive model of the tree, and small ways to make keys.

use opensky_ledger::tree::{Changes, EMPTY};
use opensky_types::Hash;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use std::collections::BTreeMap;

/// The content of a tree.
pub type Model = BTreeMap<Hash, Hash>;

/// The root as the definition has it: no shared nodes, no sorted batches, its own hashing.
pub fn naive_root(model: &Model) -> Hash {
    let entries: Vec<(Hash, Hash)> = model.iter().map(|(key, value)| (*key, *value)).collect();
    naive_subtree(&entries, 0)
}

fn naive_subtree(entries: &[(Hash, Hash)], depth: usize) -> Hash {
    match entries {
        [] => EMPTY,
        [(key, value)] => pair(b"opensky ledger state tree leaf 1", key, value),
        _ => {
            let (right, left): (Vec<_>, Vec<_>) = entries.iter().partition(|(key, _)| is_right(key, depth));
            let left = naive_subtree(&left, depth + 1);
            let right = naive_subtree(&right, depth + 1);
            pair(b"opensky ledger state tree node 1", &left, &right)
        }
    }
}

fn pair(context: &[u8; 32], left: &Hash, right: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new_keyed(context);
    hasher.update(left.as_bytes()).update(right.as_bytes());
    Hash::from_bytes(*hasher.finalize().as_bytes())
}

/// Whether bit `depth` of a key is set.
pub fn is_right(key: &Hash, depth: usize) -> bool {
    key.as_bytes()[depth / 8] & (0x80 >> (depth % 8)) != 0
}

/// Changes as a model takes them.
pub fn apply(model: &mut Model, changes: &Changes) {
    for change in changes.as_slice() {
        match change.value {
            Some(value) => model.insert(change.key, value),
            None => model.remove(&change.key),
        };
    }
}

/// A scattered hash of a number.
pub fn hash(number: u64) -> Hash {
    Hash::of(&number.to_le_bytes())
}

/// Keys that collide in many first bits, and keys that differ in the first or the last bit only.
pub fn key() -> impl Strategy<Value = Hash> {
    prop_oneof![
        (0..40_u64).prop_map(hash),
        (any::<u8>(), 0..32_usize).prop_map(|(byte, index)| with_byte([0; 32], index, byte)),
        (0..4_u8).prop_map(|byte| with_byte([0xff; 32], 31, byte)),
        Just(Hash::from_bytes([0; 32])),
        Just(Hash::from_bytes([0xff; 32])),
    ]
}

fn with_byte(mut bytes: [u8; 32], index: usize, byte: u8) -> Hash {
    bytes[index] = byte;
    Hash::from_bytes(bytes)
}

/// Batches of changes, some of which take entries out.
pub fn batches() -> impl Strategy<Value = Vec<Changes>> {
    let change = (key(), proptest::option::weighted(0.7, (0..1_000_u64).prop_map(hash)));
    proptest::collection::vec(proptest::collection::vec(change, 0..12), 0..10)
        .prop_map(|batches| batches.into_iter().map(Changes::from_iter).collect())
}
