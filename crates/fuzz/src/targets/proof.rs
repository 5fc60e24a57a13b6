//! What a stranger shows of the ledger: proofs, snapshots, claims, signatures, addresses.

use crate::{Seeds, small};
use opensky_ledger::{
    evm::{
        Address, EvmKey, EvmSignature, Keccak,
        claims::{CLAIM_PROOF_BYTES_MAX, Claim, ClaimProof, ClaimTree},
    },
    proof::StateProof,
    snapshot::{Chunk, Manifest, Record},
    tree::{Tree, key_hash},
};
use opensky_types::{Hash, codec};
use std::sync::LazyLock;

static TREE: LazyLock<Tree> = LazyLock::new(small::tree);
static RECORDS: LazyLock<Vec<Record>> = LazyLock::new(small::records);
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| small::cut().manifest().clone());
static CLAIMS: LazyLock<ClaimTree> = LazyLock::new(small::claims);

fn check_state_proof(bytes: &[u8]) {
    let Ok(proof) = StateProof::decode(bytes) else { return };
    assert!(codec::encode(&proof) == bytes, "a second encoding was accepted");
    if proof.verify(&TREE.root()).is_ok() {
        let truth = RECORDS.iter().find(|record| record.key == proof.key).map(|record| &record.entry);
        assert!(proof.entry.as_ref() == truth, "something false was proven");
    }
}

fn check_snapshot(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::decode(bytes, 1, &TREE.root()) {
        assert!(codec::encode(&manifest) == bytes, "a second encoding was accepted");
    }
    let Ok(chunk) = Chunk::decode(bytes) else { return };
    assert!(codec::encode(&chunk) == bytes, "a second encoding was accepted");
    if chunk.verify(MANIFEST.root(), &MANIFEST.parts()[0]).is_ok() {
        assert!(
            chunk.records.iter().all(|record| RECORDS.contains(record))
                && chunk.records.len() == RECORDS.len()
        );
    }
}

fn check_claim(bytes: &[u8]) {
    if let Ok((claim, proof)) = codec::decode::<(Claim, ClaimProof)>(bytes, 68 + CLAIM_PROOF_BYTES_MAX) {
        assert!(codec::encode(&(claim, proof.clone())) == bytes, "a second encoding was accepted");
        if proof.verify(&CLAIMS.root(), &claim).is_ok() {
            let truth = CLAIMS.prove(&claim.account, claim.chain, &claim.address);
            assert!(truth == Some((claim, proof)), "something false was proven");
        }
    }
}

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    check_state_proof(bytes);
    check_snapshot(bytes);
    check_claim(bytes);
    if let Ok(signature) = <[u8; 65]>::try_from(bytes) {
        let key = EvmKey::from_secret(&[7; 32]).expect("a key");
        let digest = Keccak::of(b"fuzz");
        if EvmSignature::from_bytes(signature).verify(&digest, &key.address()).is_ok() {
            assert!(key.sign(&digest).as_bytes() == &signature, "a second signature was accepted");
        }
    }
    if let Some(address) = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<Address>().ok()) {
        assert!(address.to_string().parse() == Ok(address));
    }
}

/// First inputs.
pub fn seeds() -> Seeds {
    let (tree, cut) = (small::tree(), small::cut());
    let proof = |key: u8, entry: Option<Vec<u8>>| StateProof {
        key: vec![key],
        entry,
        path: tree.prove(&key_hash(&[key])),
    };
    let claim = small::claims().prove(&Hash::from_bytes([3; 32]), 1, &Address::from_bytes([3; 20]));
    let signature = EvmKey::from_secret(&[7; 32]).map(|key| key.sign(&Keccak::of(b"fuzz")));
    crate::seeds([
        ("present", codec::encode(&proof(7, Some(vec![7; 5])))),
        ("absent", codec::encode(&proof(99, None))),
        ("manifest", codec::encode(cut.manifest())),
        ("chunk", codec::encode(&cut.chunk(&tree, 0, Record::clone))[1..].to_vec()),
        ("claim", codec::encode(&claim)[1..].to_vec()),
        ("signature", signature.map_or_else(Vec::new, |signature| signature.as_bytes().to_vec())),
        ("address", b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_vec()),
    ])
}
