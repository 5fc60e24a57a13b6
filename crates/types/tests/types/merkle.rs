//! Merkle proofs: each member is proven, nothing else is.

use opensky_types::{
    Hash,
    merkle::{Frontier, LEAVES_MAX, Tree, verify},
};

fn leaves(count: u32) -> Vec<Hash> {
    (0..count).map(|index| Hash::of(&index.to_le_bytes())).collect()
}

#[test]
fn every_leaf_of_every_size_is_proven_and_only_there() {
    for count in 1..=70 {
        let leaves = leaves(count);
        let tree = Tree::new(&leaves);
        let root = tree.root();
        for (index, leaf) in (0..count).zip(&leaves) {
            let proof = tree.proof(index);
            assert!(verify(&root, count, index, leaf, &proof), "leaf {index} of {count}");
            for other in (0..count + 2).filter(|other| *other != index) {
                assert!(!verify(&root, count, other, leaf, &proof), "leaf {index} of {count} as {other}");
            }
            assert!(!verify(&root, count, index, &Hash::of(b"other"), &proof));
            assert!(!verify(&Hash::of(b"other"), count, index, leaf, &proof));
        }
    }
}

#[test]
fn a_tree_that_grows_has_the_root_of_the_whole_tree_at_every_size() {
    let leaves = leaves(300);
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), None);
    for count in 1..=leaves.len() {
        frontier.push(&leaves[count - 1]);
        assert_eq!(frontier.root(), Some(Tree::new(&leaves[..count]).root()), "{count} leaves");
    }
}

#[test]
fn a_changed_proof_proves_nothing() {
    let leaves = leaves(37);
    let tree = Tree::new(&leaves);
    for (index, leaf) in (0..37).zip(&leaves) {
        let proof = tree.proof(index);
        let refused = |proof: &[Hash]| !verify(&tree.root(), 37, index, leaf, proof);
        for position in 0..proof.len() {
            let mut changed = proof.clone();
            changed[position] = Hash::of(b"changed");
            assert!(refused(&changed));
            let mut shortened = proof.clone();
            shortened.remove(position);
            assert!(refused(&shortened));
        }
        assert!(refused(&[proof.clone(), vec![Hash::of(b"more")]].concat()));
        let mut reversed = proof.clone();
        reversed.reverse();
        assert!(reversed == proof || refused(&reversed));
    }
}

/// The count is not in the root, so a wrong one may pass only where the path is the same; it never
/// proves another leaf or another place.
#[test]
fn a_wrong_count_proves_no_other_leaf() {
    for count in 1..=33 {
        let leaves = leaves(count);
        let tree = Tree::new(&leaves);
        for claimed in 0..=40 {
            for index in 0..claimed {
                for (real, leaf) in (0..count).zip(&leaves) {
                    let accepted = verify(&tree.root(), claimed, index, leaf, &tree.proof(real));
                    let same_path = path(claimed, index) == path(count, real);
                    assert_eq!(accepted, same_path, "leaf {real} of {count} as {index} of {claimed}");
                }
            }
        }
    }
}

/// On which side each sibling stands on the way up.
fn path(count: u32, index: u32) -> Vec<bool> {
    let (mut position, mut width, mut sides) = (index, count, Vec::new());
    while width > 1 {
        if position ^ 1 < width {
            sides.push(position & 1 == 0);
        }
        (position, width) = (position / 2, width.div_ceil(2));
    }
    sides
}

#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let four = leaves(4);
    let tree = Tree::new(&four);
    // The node above leaves 0 and 1 is the first hash of the proof of leaf 2 or 3, one level up.
    let inner = tree.proof(2)[1];
    let sibling = tree.proof(0)[1];
    assert!(!verify(&tree.root(), 2, 0, &inner, &[sibling]), "second preimage: node as leaf");
    assert_ne!(Tree::new(&[inner, sibling]).root(), tree.root());
    // A leaf whose content is the two hashes below a node does not make that node either.
    let joined = Hash::of(&[*four[0].as_bytes(), *four[1].as_bytes()].concat());
    assert_ne!(Tree::new(&[joined, four[2], four[3]]).root(), tree.root());
    // An odd leaf moves up unchanged, yet is no smaller tree's root with another leaf.
    let three = Tree::new(&four[..3]);
    assert_ne!(three.root(), Tree::new(&[four[0], four[1], four[2], four[2]]).root(), "CVE-2012-2459");
}

#[test]
fn limits_of_a_tree_hold() {
    let leaf = Hash::of(b"leaf");
    assert!(!verify(&leaf, 0, 0, &leaf, &[]), "a tree without leaves proves nothing");
    assert!(!verify(&leaf, LEAVES_MAX + 1, 0, &leaf, &vec![leaf; 25]));
    assert!(!verify(&leaf, u32::MAX, u32::MAX - 1, &leaf, &vec![leaf; 32]));
    assert!(std::panic::catch_unwind(|| Tree::new(&[])).is_err());
}
