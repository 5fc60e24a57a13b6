//! Rotations: the chain of proofs, and crashes in the middle.

use opensky_identity::{
    ChainError, DataFolder, KeyFile, Layout, Passphrase, Protection, RotateError, generate,
    rotation::{rotate, rotations, verify_chain},
};
use opensky_types::{Keypair, Timestamp, rotation::RotationProof};
use std::{fs, path::Path};

fn folder(root: &Path) -> (DataFolder, Keypair) {
    let folder = DataFolder::open(root).unwrap();
    let key = generate();
    KeyFile::create(&folder.layout().key(), &key, Protection::None).unwrap();
    (folder, key)
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + 1_000 * seconds)
}

fn current(layout: &Layout) -> opensky_types::NodeId {
    KeyFile::load(&layout.key()).unwrap().id()
}

#[test]
fn rotations_form_a_chain_from_the_first_key() {
    let root = tempfile::tempdir().unwrap();
    let (folder, first) = folder(root.path());
    let secret = Passphrase::from_prompt("correct horse".into()).unwrap();
    let (second, proof) = rotate(&folder, &first, Protection::Passphrase(&secret), at(1)).unwrap();
    assert_eq!(proof.verify().unwrap().new, second.id());
    let (third, _) = rotate(&folder, &second, Protection::None, at(2)).unwrap();

    let layout = folder.layout();
    assert_eq!(current(layout), third.id());
    let proofs = rotations(layout).unwrap();
    let chain = verify_chain(&proofs, third.id()).unwrap();
    let keys: Vec<_> = chain.iter().map(|rotation| (rotation.old, rotation.new)).collect();
    assert_eq!(keys, [(first.id(), second.id()), (second.id(), third.id())]);

    let retired = KeyFile::load(&layout.retired_key(second.id())).unwrap();
    assert!(retired.is_encrypted(), "a retired key stays as protected as it was");
    assert_eq!(retired.unlock(Some(&secret)).unwrap().id(), second.id());
    assert_eq!(KeyFile::load(&layout.retired_key(first.id())).unwrap().id(), first.id());
    drop(folder);
    DataFolder::open(root.path()).expect("a rotated folder is still at home");
}

#[test]
fn only_the_folders_own_key_is_rotated() {
    let root = tempfile::tempdir().unwrap();
    let (folder, key) = folder(root.path());
    let refused = rotate(&folder, &generate(), Protection::None, at(1));
    assert!(matches!(refused, Err(RotateError::OtherKey { found, .. }) if found == key.id()));
    assert_eq!(current(folder.layout()), key.id());
    assert!(rotations(folder.layout()).unwrap().is_empty());
}

#[test]
fn a_broken_chain_is_named() {
    let keys: Vec<Keypair> = (1..5).map(|seed| Keypair::from_seed([seed; 32])).collect();
    let step = |old: usize, new: usize| RotationProof::sign(&keys[old], &keys[new], at(1));
    assert!(verify_chain(&[], keys[0].id()).unwrap().is_empty());
    assert!(verify_chain(&[step(0, 1), step(1, 2)], keys[2].id()).is_ok());
    let end = verify_chain(&[step(0, 1)], keys[2].id()).unwrap_err();
    assert_eq!(end, ChainError::OtherEnd { expected: keys[2].id(), found: keys[1].id() });
    let gap = verify_chain(&[step(0, 1), step(2, 3)], keys[3].id()).unwrap_err();
    assert_eq!(gap, ChainError::Gap { position: 1, expected: keys[1].id(), found: keys[2].id() });
    let itself = verify_chain(&[step(0, 0)], keys[0].id()).unwrap_err();
    assert!(matches!(itself, ChainError::Proof { position: 0, .. }));
}

/// F1: the states that a crash can leave, made by taking a finished rotation apart.
#[test]
fn f1_a_crash_leaves_the_old_key_or_the_new_one() {
    let root = tempfile::tempdir().unwrap();
    let (folder, old) = folder(root.path());
    let layout = folder.layout().clone();
    let before = fs::read(layout.key()).unwrap();
    let (new, _) = rotate(&folder, &old, Protection::None, at(1)).unwrap();
    let after = fs::read(layout.key()).unwrap();
    let proofs = fs::read(layout.rotations()).unwrap();
    let next = layout.identity().join("next.key");
    drop(folder);

    // The new key was written, its proof was not: undone.
    fs::write(layout.key(), &before).unwrap();
    fs::write(&next, &after).unwrap();
    set_private(&next);
    fs::remove_file(layout.rotations()).unwrap();
    drop(DataFolder::open(root.path()).unwrap());
    assert_eq!(current(&layout), old.id());
    assert!(!next.exists());

    // The proof was kept, the new key has not taken its place: finished, with or without the copy.
    for with_copy in [true, false] {
        fs::write(layout.key(), &before).unwrap();
        fs::write(&next, &after).unwrap();
        set_private(&next);
        fs::write(layout.rotations(), &proofs).unwrap();
        if !with_copy {
            fs::remove_file(layout.retired_key(old.id())).unwrap();
        }
        drop(DataFolder::open(root.path()).unwrap());
        assert_eq!(current(&layout), new.id());
        assert_eq!(KeyFile::load(&layout.retired_key(old.id())).unwrap().id(), old.id());
        assert!(!next.exists());
        verify_chain(&rotations(&layout).unwrap(), new.id()).unwrap();
    }

    // A damaged list of proofs is not guessed at.
    fs::write(layout.rotations(), b"garbage").unwrap();
    assert!(matches!(rotations(&layout), Err(RotateError::Damaged { .. })));
}

fn set_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
