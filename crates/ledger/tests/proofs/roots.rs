//! Roots: the same as the naive model's, whatever the history.

use crate::common::{Model, apply, batches, hash, naive_root};
use opensky_ledger::tree::{Changes, Draft, DraftGone, EMPTY, Tree};
use opensky_types::Hash;
use proptest::prelude::{prop_assert_eq, proptest};

proptest! {
    #[test]
    fn a_tree_has_the_root_of_its_content(batches in batches()) {
        let (mut tree, mut model) = (Tree::new(), Model::new());
        for changes in &batches {
            let expected = tree.root_with(changes);
            let before = tree.root();
            prop_assert_eq!(naive_root(&model), before, "looking changes nothing");
            apply(&mut model, changes);
            prop_assert_eq!(tree.update(changes), naive_root(&model));
            prop_assert_eq!(tree.root(), expected);
            tree.check();
            prop_assert_eq!(tree.len(), model.len());
            for (key, value) in &model {
                prop_assert_eq!(tree.get(key), Some(*value));
            }
        }
        let again = Tree::from_entries(model.iter().map(|(key, value)| (*key, *value)));
        again.check();
        prop_assert_eq!(again.root(), tree.root(), "history leaves no trace");
    }

    #[test]
    fn changes_that_are_not_final_stack(batches in batches(), finals in 0..10_usize) {
        let (mut tree, mut model) = (Tree::new(), Model::new());
        let (finalized, pending) = batches.split_at(finals.min(batches.len()));
        for changes in finalized {
            tree.update(changes);
            apply(&mut model, changes);
        }
        let mut stacked = Changes::default();
        for changes in pending {
            stacked = stacked.then(changes);
            apply(&mut model, changes);
            prop_assert_eq!(tree.root_with(&stacked), naive_root(&model));
        }
        for changes in pending {
            tree.update(changes);
        }
        prop_assert_eq!(tree.root(), naive_root(&model));
    }

    #[test]
    fn drafts_have_their_roots_and_leave_nothing_behind(
        batches in batches(), steps in proptest::collection::vec((0..8_u8, 0..8_usize), 0..40),
    ) {
        let mut tree = Tree::new();
        let mut model = Model::new();
        let mut drafts: Vec<(Draft, Model)> = Vec::new();
        let mut changes = batches.iter().cycle();
        for (step, pick) in steps {
            let picked = (pick < drafts.len()).then(|| drafts[pick].clone());
            match (step, picked) {
                (0..=4, picked) => {
                    let Some(changes) = changes.next() else { continue };
                    let (on, mut after) = picked.map_or((None, model.clone()), |(draft, after)| (Some(draft), after));
                    apply(&mut after, changes);
                    let draft = tree.draft(on, changes).expect("it stands on something");
                    drafts.push((draft, after));
                }
                (5, Some((draft, _))) => tree.discard(draft),
                (6, Some((draft, after))) => {
                    prop_assert_eq!(tree.adopt(draft), Ok(naive_root(&after)));
                    model = after;
                    prop_assert_eq!(tree.adopt(draft), Err(DraftGone));
                }
                (7, Some(_)) => {
                    let Some(changes) = changes.next() else { continue };
                    apply(&mut model, changes);
                    prop_assert_eq!(tree.update(changes), naive_root(&model));
                }
                _ => {}
            }
            drafts.retain(|(draft, _)| tree.draft_root(*draft).is_ok());
            for (draft, after) in &drafts {
                prop_assert_eq!(tree.draft_root(*draft), Ok(naive_root(after)));
            }
            prop_assert_eq!(tree.root(), naive_root(&model));
            prop_assert_eq!(tree.len(), model.len());
            tree.check();
        }
    }

    #[test]
    fn one_batch_or_many_are_the_same(batches in batches()) {
        let (mut one, mut many) = (Tree::new(), Tree::new());
        let all = batches.iter().fold(Changes::default(), |all, changes| all.then(changes));
        one.update(&all);
        for changes in &batches {
            for change in changes.as_slice() {
                many.update(&[(change.key, change.value)].into_iter().collect());
            }
        }
        prop_assert_eq!(one.root(), many.root());
    }
}

#[test]
fn of_two_changes_of_one_key_the_later_counts() {
    let later: Changes =
        [(hash(2), Some(hash(1))), (hash(1), Some(hash(5))), (hash(2), None)].into_iter().collect();
    assert_eq!(later.as_slice().len(), 2);
    assert!(later.as_slice().is_sorted_by_key(|change| change.key));
    let kept = later.as_slice().iter().find(|change| change.key == hash(2)).expect("the key is there");
    assert_eq!(kept.value, None);
}

#[test]
fn a_tree_that_is_emptied_holds_nothing_and_grows_into_the_same_memory() {
    let fill: Changes = (0..3_000).map(|number| (hash(number), Some(hash(number + 1)))).collect();
    let empty: Changes = (0..3_000).map(|number| (hash(number), None)).collect();
    let mut tree = Tree::new();
    let full = tree.update(&fill);
    let memory_bytes = tree.memory_bytes();
    for _ in 0..3 {
        assert_eq!(tree.update(&empty), EMPTY);
        assert!(tree.is_empty());
        tree.check();
        assert_eq!(tree.update(&fill), full);
    }
    tree.check();
    let grown = tree.memory_bytes() - memory_bytes;
    assert!(grown <= 16 * 8_192, "only the lists of free places grew, by {grown} bytes");
}

#[test]
fn the_memory_of_a_tree_is_that_of_its_entries_and_the_nodes_above_them() {
    let count = 40_000;
    let tree = Tree::from_entries((0..count).map(|number| (hash(number), hash(number))));
    let each = tree.memory_bytes() as u64 / count;
    // A leaf has two hashes. Above it are one and a half nodes of two hashes and two links, and pages may
    // have room left.
    assert!((64 + 72..400).contains(&each), "{each} bytes for each entry");
}

#[test]
fn a_draft_becomes_final_with_what_it_stands_on_and_its_rivals_are_gone() {
    let set = |key: u64, value: u64| -> Changes { [(hash(key), Some(hash(value)))].into_iter().collect() };
    let mut tree = Tree::from_entries((0..10).map(|number| (hash(number), hash(number))));
    let final_root = tree.root();
    let parent = tree.draft(None, &set(1, 100)).expect("on the final state");
    let child = tree.draft(Some(parent), &set(2, 200)).expect("on the parent");
    let grandchild = tree.draft(Some(child), &set(3, 300)).expect("on the child");
    let rival = tree.draft(None, &set(4, 400)).expect("on the final state");
    let rival_child = tree.draft(Some(rival), &set(5, 500)).expect("on the rival");
    assert_eq!(tree.root(), final_root, "drafts change nothing");
    assert_eq!(tree.get(&hash(1)), Some(hash(1)));
    let expected = tree.draft_root(grandchild).expect("it is there");
    tree.adopt(child).expect("it is there");
    assert_eq!((tree.get(&hash(1)), tree.get(&hash(2))), (Some(hash(100)), Some(hash(200))));
    for gone in [parent, child, rival, rival_child] {
        assert_eq!(tree.draft_root(gone), Err(DraftGone));
        assert_eq!(tree.draft(Some(gone), &set(1, 1)), Err(DraftGone));
    }
    assert_eq!(tree.adopt(grandchild), Ok(expected));
    tree.check();
}

#[test]
fn two_keys_that_differ_in_the_last_bit_are_the_deepest_tree() {
    let (mut one, mut other) = ([7; 32], [7; 32]);
    (one[31], other[31]) = (6, 7);
    let (one, other) = (Hash::from_bytes(one), Hash::from_bytes(other));
    let mut tree = Tree::from_entries([(one, hash(1)), (other, hash(2))]);
    tree.check();
    let path = tree.prove(&one);
    assert_eq!(path.siblings.len(), 256);
    assert_eq!(path.verify(&tree.root(), &one, Some(&hash(1))), Ok(()));
    tree.update(&[(other, None)].into_iter().collect());
    assert_eq!(tree.prove(&one).siblings.len(), 0, "the chain is gone with its reason");
    tree.check();
}
