//! Paths: each key is proven present or absent, and nothing else is.

use crate::common::{Model, apply, batches, hash, key};
use opensky_ledger::tree::{End, PATH_BYTES_MAX, Path, PathError, SIBLINGS_MAX, Tree};
use opensky_types::{Hash, codec};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

proptest! {
    #[test]
    fn what_is_so_is_proven_and_what_is_not_so_is_not(batches in batches(), asked in key()) {
        let (mut tree, mut model) = (Tree::new(), Model::new());
        for changes in &batches {
            tree.update(changes);
            apply(&mut model, changes);
        }
        let root = tree.root();
        let bytes = codec::encode(&tree.prove(&asked));
        let path: Path = codec::decode(&bytes, PATH_BYTES_MAX).expect("our own encoding is read");
        let value = model.get(&asked);
        prop_assert_eq!(path.verify(&root, &asked, value), Ok(()));
        prop_assert!(path.verify(&root, &asked, Some(&hash(77_777))).is_err(), "another value");
        if value.is_some() {
            prop_assert!(path.verify(&root, &asked, None).is_err(), "absent though present");
        }
        prop_assert!(path.verify(&hash(77_777), &asked, value).is_err(), "another root");
        // No path of another key proves that a key in the tree is absent.
        for present in model.keys().filter(|present| **present != asked) {
            prop_assert!(path.verify(&root, present, None).is_err(), "a path used for another key");
        }
    }

    #[test]
    fn every_change_of_a_path_is_refused(
        batches in batches(), asked in key(), place in 0..10_000_usize, flip in 1..=255_u8,
    ) {
        let (mut tree, mut model) = (Tree::new(), Model::new());
        for changes in &batches {
            tree.update(changes);
            apply(&mut model, changes);
        }
        let value = model.get(&asked);
        let mut bytes = codec::encode(&tree.prove(&asked));
        let place = place % bytes.len();
        bytes[place] ^= flip;
        if let Ok(changed) = codec::decode::<Path>(&bytes, PATH_BYTES_MAX) {
            prop_assert!(codec::encode(&changed) == bytes, "a second encoding was accepted");
            prop_assert!(changed.verify(&tree.root(), &asked, value).is_err());
            if value.is_some() {
                prop_assert!(changed.verify(&tree.root(), &asked, None).is_err());
            }
        }
    }
}

fn small_tree() -> Tree {
    Tree::from_entries((0..100).map(|number| (hash(number), hash(number + 1_000))))
}

#[test]
fn a_shortened_or_longer_path_is_refused() {
    let tree = small_tree();
    let path = tree.prove(&hash(5));
    let verify = |siblings: Vec<Hash>| {
        Path { end: path.end, siblings }.verify(&tree.root(), &hash(5), Some(&hash(1_005)))
    };
    assert_eq!(verify(path.siblings.clone()), Ok(()));
    for place in 0..path.siblings.len() {
        let mut shorter = path.siblings.clone();
        shorter.remove(place);
        assert!(matches!(verify(shorter), Err(PathError::WrongRoot { .. })));
        let mut longer = path.siblings.clone();
        longer.insert(place, Hash::from_bytes([0; 32]));
        assert!(matches!(verify(longer), Err(PathError::WrongRoot { .. })));
    }
    let siblings = SIBLINGS_MAX + 1;
    assert_eq!(verify(vec![hash(1); siblings]), Err(PathError::TooLong { siblings }));
}

#[test]
fn another_leaf_proves_absence_only_where_it_stands_in_the_way() {
    let tree = small_tree();
    let root = tree.root();
    let absent = (1_000..).map(hash).find(|key| matches!(tree.prove(key).end, End::Other { .. }));
    let absent = absent.expect("some absent key ends at another's leaf");
    let path = tree.prove(&absent);
    assert_eq!(path.verify(&root, &absent, None), Ok(()));
    let End::Other { key, value } = path.end else { panic!("chosen so") };
    // The leaf's own key is not absent by its own leaf.
    assert!(matches!(path.verify(&root, &key, None), Err(PathError::Elsewhere { .. })));
    assert_eq!(
        Path { end: End::Own, ..path.clone() }.verify(&root, &key, Some(&value)),
        Ok(()),
        "the same siblings prove that key's value"
    );
    // A key that leaves the path before its end is not absent because of this leaf.
    let elsewhere = (2_000..).map(hash).find(|other| !shares(other, &key, path.siblings.len()));
    let elsewhere = elsewhere.expect("most keys are elsewhere");
    assert!(matches!(path.verify(&root, &elsewhere, None), Err(PathError::Elsewhere { .. })));
}

fn shares(one: &Hash, other: &Hash, bits: usize) -> bool {
    (0..bits).all(|depth| crate::common::is_right(one, depth) == crate::common::is_right(other, depth))
}

#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let tree = small_tree();
    // Claim that the two hashes below the root are a key and its value.
    let (left, right) = (tree.prove(&key_on(true)).siblings[0], tree.prove(&key_on(false)).siblings[0]);
    let path = Path { end: End::Own, siblings: Vec::new() };
    assert!(path.verify(&tree.root(), &left, Some(&right)).is_err());
    let other = Path { end: End::Other { key: left, value: right }, siblings: Vec::new() };
    assert!(other.verify(&tree.root(), &hash(5), None).is_err());
}

fn key_on(right: bool) -> Hash {
    (0..).map(hash).find(|key| crate::common::is_right(key, 0) == right).expect("half of all keys")
}

#[test]
fn an_empty_tree_proves_that_everything_is_absent() {
    let tree = Tree::new();
    let path = tree.prove(&hash(1));
    assert_eq!(path, Path { end: End::Empty, siblings: Vec::new() });
    assert_eq!(path.verify(&tree.root(), &hash(1), None), Ok(()));
    assert_eq!(
        path.verify(&tree.root(), &hash(1), Some(&hash(2))),
        Err(PathError::WrongEnd { present: false })
    );
}

#[test]
fn a_path_that_claims_too_many_siblings_is_refused_before_they_are_read() {
    let mut bytes = vec![1];
    bytes.extend_from_slice(&257_u16.to_le_bytes());
    bytes.extend_from_slice(&[1; 257 * 32]);
    assert!(codec::decode::<Path>(&bytes, bytes.len()).is_err());
    bytes[1..3].copy_from_slice(&256_u16.to_le_bytes());
    bytes.truncate(3 + 256 * 32);
    assert!(codec::decode::<Path>(&bytes, PATH_BYTES_MAX).is_ok());
}
