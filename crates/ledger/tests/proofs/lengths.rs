//! The longest of each kind is as long as its limit says, and can be read.

use opensky_ledger::{
    evm::claims::{CLAIM_PROOF_BYTES_MAX, ClaimProof, DEPTH_MAX, SumNode},
    proof::{ENTRY_BYTES_MAX, KEY_BYTES_MAX, STATE_PROOF_BYTES_MAX, StateProof},
    snapshot::{CHUNK_BYTES, CHUNK_BYTES_MAX, Chunk, Prefix, Record},
    tree::{End, PATH_BYTES_MAX, Path, SIBLINGS_MAX},
};
use opensky_types::{Hash, codec};

fn longest_path() -> Path {
    let (key, value) = (Hash::of(b"key"), Hash::of(b"value"));
    Path { end: End::Other { key, value }, siblings: vec![Hash::of(b"sibling"); SIBLINGS_MAX] }
}

#[test]
fn the_longest_path_and_the_longest_proof_of_an_entry_can_be_read() {
    let path = longest_path();
    assert_eq!(codec::encode(&path).len(), PATH_BYTES_MAX);
    let proof = StateProof { key: vec![1; KEY_BYTES_MAX], entry: Some(vec![2; ENTRY_BYTES_MAX]), path };
    let bytes = codec::encode(&proof);
    assert_eq!(bytes.len(), STATE_PROOF_BYTES_MAX);
    assert_eq!(StateProof::decode(&bytes), Ok(proof));
}

#[test]
fn the_longest_proof_of_a_claim_can_be_read() {
    let proof = ClaimProof { sides: 0, siblings: vec![SumNode::default(); DEPTH_MAX] };
    let bytes = codec::encode(&proof);
    assert_eq!(bytes.len(), CLAIM_PROOF_BYTES_MAX);
    assert_eq!(codec::decode(&bytes, CLAIM_PROOF_BYTES_MAX), Ok(proof));
}

#[test]
fn the_longest_chunk_can_be_read() {
    let whole_key = [&256_u16.to_le_bytes()[..], &[7; 32]].concat();
    let prefix: Prefix = codec::decode(&whole_key, whole_key.len()).expect("a prefix of all bits");
    let siblings = vec![Hash::of(b"sibling"); SIBLINGS_MAX];
    let entry = vec![1; CHUNK_BYTES / 4 - 8 - 32];
    let records = vec![Record { key: vec![2; 32], entry }; 4];
    let chunk = Chunk { prefix, siblings, records };
    let bytes = codec::encode(&chunk);
    assert_eq!(bytes.len(), CHUNK_BYTES_MAX);
    assert_eq!(Chunk::decode(&bytes), Ok(chunk));
}
