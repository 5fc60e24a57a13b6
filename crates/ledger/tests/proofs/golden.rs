//! Roots, proofs and snapshots do not change by accident: their bytes stand in `tests/golden/`.
//!
//! A difference means that old headers, proofs and snapshots would not be understood any more: raise
//! the version, or, before a release, write the file anew with `UPDATE_GOLDEN=1`.

#![expect(clippy::disallowed_methods, reason = "golden files are files")]

use crate::{
    common::hash,
    snapshots::{record, state},
};
use opensky_ledger::{
    evm::claims::{Claim, ClaimTree},
    proof::StateProof,
    tree::{Tree, key_hash, value_hash},
};
use opensky_types::{Hash, Micros, codec};
use std::{fs, path::Path};

fn lines() -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |name: &str, text: String| lines.push((name.to_owned(), text));
    for count in [0, 1, 2, 3, 10, 1_000] {
        let tree = Tree::from_entries((0..count).map(|number| (hash(number), hash(number + 1))));
        line(&format!("root.{count}"), tree.root().to_string());
        line(&format!("path.{count}"), hex::encode(codec::encode(&tree.prove(&hash(2)))));
    }
    line("key_hash", key_hash(b"key").to_string());
    line("value_hash", value_hash(b"entry").to_string());
    let tree = Tree::from_entries([(key_hash(b"key"), value_hash(b"entry"))]);
    let state_proof = |key: &[u8], entry: Option<&[u8]>| StateProof {
        key: key.to_vec(),
        entry: entry.map(<[u8]>::to_vec),
        path: tree.prove(&key_hash(key)),
    };
    line("state_proof.present", hex::encode(codec::encode(&state_proof(b"key", Some(b"entry")))));
    line("state_proof.absent", hex::encode(codec::encode(&state_proof(b"other", None))));
    let (tree, cut) = state(5, 4);
    let chunk = cut.chunk(&tree, 0, |number| record(number, 4)).expect("there is one");
    line("chunk", hex::encode(codec::encode(&chunk)));
    let (tree, cut) = state(500, 2_000);
    line("manifest", hex::encode(codec::encode(cut.manifest())));
    let chunk = cut.chunk(&tree, 2, |number| record(number, 2_000)).expect("there is one");
    line("chunk.hash", Hash::of(&codec::encode(&chunk)).to_string());
    let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".parse().expect("an address");
    let claims = (1..=3).map(|number| Claim {
        account: Hash::from_bytes([number; 32]),
        chain: 1,
        address,
        cumulative: Micros::new(u64::from(number)),
    });
    let tree = ClaimTree::new(claims.collect()).expect("the claims are in order");
    line("claims", hex::encode(codec::encode(&tree.root())));
    let proven = tree.prove(&Hash::from_bytes([2; 32]), 1, &address).expect("it is in the tree");
    line("claim_proof", hex::encode(codec::encode(&proven)));
    lines
}

#[test]
fn formats_stay_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/proofs.txt");
    let found: String = lines().iter().map(|(name, text)| format!("{name} {text}\n")).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, found).expect("the golden folder is writable");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (expected, found) in golden.lines().zip(found.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(golden.lines().count(), found.lines().count(), "a line per value");
}
