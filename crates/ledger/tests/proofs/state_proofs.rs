//! Proofs for light clients: an entry, or its absence, under a header's root.

use opensky_ledger::{
    proof::{ENTRY_BYTES_MAX, KEY_BYTES_MAX, STATE_PROOF_BYTES_MAX, StateProof, StateProofError},
    tree::{PathError, Tree, key_hash, value_hash},
};
use opensky_types::codec;

/// Key and entry number `number` of a state.
fn record(number: u32) -> (Vec<u8>, Vec<u8>) {
    (format!("key {number}").into_bytes(), format!("entry {number}").into_bytes())
}

fn tree() -> Tree {
    Tree::from_entries((0..500).map(record).map(|(key, entry)| (key_hash(&key), value_hash(&entry))))
}

fn proof(number: u32) -> StateProof {
    let (key, entry) = record(number);
    StateProof { entry: (number < 500).then_some(entry), path: tree().prove(&key_hash(&key)), key }
}

#[test]
fn entries_and_their_absence_are_proven() {
    let root = tree().root();
    for number in [0, 7, 499, 500, 77_777] {
        let bytes = codec::encode(&proof(number));
        assert_eq!(StateProof::decode(&bytes).expect("our own proof is read").verify(&root), Ok(()));
    }
}

#[test]
fn l3_a_proof_of_another_entry_key_or_root_is_refused() {
    let root = tree().root();
    let good = proof(7);
    let refused = |proof: StateProof| matches!(proof.verify(&root), Err(StateProofError::Path(_)));
    assert!(refused(StateProof { entry: Some(b"entry 8".to_vec()), ..good.clone() }));
    assert!(refused(StateProof { entry: None, ..good.clone() }));
    assert!(refused(StateProof { entry: Some(Vec::new()), ..proof(500) }));
    assert!(refused(StateProof { key: b"key 8".to_vec(), ..good.clone() }));
    let mut older = tree();
    let changed = [(key_hash(b"key 3"), Some(value_hash(b"other")))].into_iter().collect();
    let found = good.verify(&older.update(&changed));
    assert!(matches!(found, Err(StateProofError::Path(PathError::WrongRoot { .. }))));
}

#[test]
fn every_flipped_byte_of_a_proof_is_refused() {
    let root = tree().root();
    for number in [7, 500] {
        let good = codec::encode(&proof(number));
        for place in 0..good.len() {
            let mut bytes = good.clone();
            bytes[place] ^= 1;
            let accepted = StateProof::decode(&bytes).is_ok_and(|proof| proof.verify(&root).is_ok());
            assert!(!accepted, "byte {place} of {}", good.len());
        }
        assert!(StateProof::decode(&[&good[..], &[0]].concat()).is_err(), "trailing byte");
        assert!(StateProof::decode(&good[..good.len() - 1]).is_err(), "cut off");
    }
}

#[test]
fn what_no_state_holds_is_refused_by_its_size() {
    let large = StateProof { key: vec![0; KEY_BYTES_MAX + 1], ..proof(7) };
    let expected =
        StateProofError::TooLarge { part: "key", size_bytes: KEY_BYTES_MAX + 1, limit_bytes: KEY_BYTES_MAX };
    assert_eq!(large.verify(&tree().root()), Err(expected.clone()));
    assert_eq!(StateProof::decode(&codec::encode(&large)), Err(expected));
    let large = StateProof { entry: Some(vec![0; ENTRY_BYTES_MAX + 1]), ..proof(7) };
    assert!(matches!(large.verify(&tree().root()), Err(StateProofError::TooLarge { part: "entry", .. })));
    let huge = vec![0; STATE_PROOF_BYTES_MAX + 1];
    assert!(matches!(StateProof::decode(&huge), Err(StateProofError::Malformed(_))));
}
