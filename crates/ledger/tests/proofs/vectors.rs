//! What viem, an independent implementation, says of the same data (`vectors/generate.mjs`).

use opensky_ledger::evm::{
    Address, Checkpoint, Contract, Domain, EvmKey, EvmSignature, Keccak, RecoverError, SessionKey,
    TransactionText, TypedData, Voucher,
    claims::{Claim, ClaimProof, ClaimTree, SumNode},
    digest, personal_digest, struct_hash,
};
use opensky_types::{Hash, Micros, Timestamp};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Vectors {
    sky: String,
    contract: Value,
    keys: Vec<Key>,
    typed: Vec<Typed>,
    personal: Vec<Personal>,
    claims: Vec<Claims>,
}

#[derive(Deserialize)]
struct Key {
    secret: String,
    address: String,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    kind: String,
    domain: String,
    message: Value,
    separator: String,
    #[serde(rename = "struct")]
    struct_hash: String,
    digest: String,
    signer: String,
    signature: String,
}

#[derive(Deserialize)]
struct Personal {
    message: String,
    digest: String,
    signer: String,
    signature: String,
}

#[derive(Deserialize)]
struct Claims {
    claims: Vec<Value>,
    root: Value,
    proofs: Vec<Value>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../vectors/evm.json")).expect("the vectors are read")
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let digits = text.strip_prefix("0x").expect("hex starts with 0x");
    hex::decode(digits).expect("hex").try_into().expect("the right length")
}

fn word(value: &Value) -> [u8; 32] {
    bytes(value.as_str().expect("a text"))
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().expect("numbers are texts").parse().expect("a number in range")
}

fn domain(vectors: &Vectors, kind: &str) -> Domain {
    let sky = Hash::from_bytes(bytes(&vectors.sky));
    let address = vectors.contract["address"].as_str().expect("a text").parse().expect("an address");
    let contract = Contract { chain: number(&vectors.contract["chain"]), address };
    Domain { sky, contract: (kind == "contract").then_some(contract) }
}

fn key_of(vectors: &Vectors, signer: &str) -> EvmKey {
    let key = vectors.keys.iter().find(|key| key.address == signer).expect("a key of the vectors");
    EvmKey::from_secret(&bytes(&key.secret)).expect("a key")
}

fn check<T: TypedData>(vectors: &Vectors, expected: &Typed, value: &T) {
    let domain = domain(vectors, &expected.domain);
    assert_eq!(domain.separator().to_string(), expected.separator, "{}", expected.kind);
    assert_eq!(struct_hash(value).to_string(), expected.struct_hash, "{}", expected.kind);
    let digest = digest(&domain, value);
    assert_eq!(digest.to_string(), expected.digest, "{}", expected.kind);
    check_signature(vectors, &digest, &expected.signer, &expected.signature);
}

fn check_signature(vectors: &Vectors, digest: &Keccak, signer: &str, signature: &str) {
    let signature = EvmSignature::from_bytes(bytes(signature));
    let address: Address = signer.parse().expect("an address");
    assert_eq!(signature.verify(digest, &address), Ok(()));
    assert_eq!(key_of(vectors, signer).sign(digest), signature, "both sign by RFC 6979 with low s");
}

#[test]
fn typed_data_has_the_digests_that_viem_makes() {
    let vectors = vectors();
    assert_eq!(vectors.typed.len(), 20, "every sample in both domains");
    for typed in &vectors.typed {
        let field = |name: &str| &typed.message[name];
        let hash = |name| Hash::from_bytes(word(field(name)));
        match typed.kind.as_str() {
            "Checkpoint" => {
                let value = Checkpoint {
                    epoch: number(field("epoch")),
                    previous: Keccak::from_bytes(word(field("previous"))),
                    root: Keccak::from_bytes(word(field("root"))),
                    total: number(field("total")),
                    set_id: number(field("setId")),
                };
                check(&vectors, typed, &value);
            }
            "Voucher" => {
                let (agreement, payer, payee) = (hash("agreement"), hash("payer"), hash("payee"));
                let cumulative = Micros::new(number(field("cumulative")));
                let receipts = hash("receipts");
                check(&vectors, typed, &Voucher { agreement, payer, payee, cumulative, receipts });
            }
            "Transaction" => {
                let value = TransactionText {
                    action: field("action").as_str().expect("a text"),
                    account: hash("account"),
                    nonce: number(field("nonce")),
                    valid_until: Timestamp::from_millis(number(field("validUntil"))),
                    transaction: hash("transaction"),
                };
                check(&vectors, typed, &value);
            }
            "SessionKey" => {
                let value = SessionKey {
                    account: hash("account"),
                    key: word(field("key")),
                    scope: number(field("scope")),
                    cap: Micros::new(number(field("cap"))),
                    expiry: Timestamp::from_millis(number(field("expiry"))),
                };
                check(&vectors, typed, &value);
            }
            other => panic!("vectors of an unknown type {other}"),
        }
    }
}

#[test]
fn personal_messages_have_the_digests_that_viem_makes() {
    let vectors = vectors();
    for expected in &vectors.personal {
        let digest = personal_digest(expected.message.as_bytes());
        assert_eq!(digest.to_string(), expected.digest, "{:?}", expected.message);
        check_signature(&vectors, &digest, &expected.signer, &expected.signature);
    }
}

#[test]
fn addresses_carry_the_checksum_of_eip_55() {
    for key in vectors().keys {
        let own = EvmKey::from_secret(&bytes(&key.secret)).expect("a key").address();
        assert_eq!(own.to_string(), key.address);
        assert_eq!(key.address.parse(), Ok(own));
        assert_eq!(key.address.to_lowercase().parse(), Ok(own));
        let letter = key.address.rfind(char::is_alphabetic).expect("an address has letters");
        let mut mistyped = key.address.clone().into_bytes();
        mistyped[letter] ^= 0x20;
        let mistyped = String::from_utf8(mistyped).expect("letters stay letters");
        assert!(mistyped.parse::<Address>().is_err(), "{mistyped}");
        assert!(key.address[2..].parse::<Address>().is_err());
        assert!(key.address[..41].parse::<Address>().is_err());
    }
}

fn node(value: &Value) -> SumNode {
    SumNode { hash: Keccak::from_bytes(word(&value["hash"])), sum: number(&value["sum"]) }
}

#[test]
fn claims_have_the_roots_and_proofs_that_viem_makes() {
    for expected in vectors().claims {
        let claims: Vec<Claim> = expected
            .claims
            .iter()
            .map(|claim| Claim {
                account: Hash::from_bytes(word(&claim["account"])),
                chain: number(&claim["chain"]),
                address: claim["recipient"].as_str().expect("a text").parse().expect("an address"),
                cumulative: Micros::new(number(&claim["cumulative"])),
            })
            .collect();
        let tree = ClaimTree::new(claims.clone()).expect("the claims are in order");
        let root = node(&expected.root);
        assert_eq!(tree.root(), root, "{} claims", claims.len());
        assert_eq!(expected.proofs.len(), claims.len());
        for (claim, proof) in claims.iter().zip(&expected.proofs) {
            let sides = proof["sides"].as_u64().and_then(|sides| sides.try_into().ok()).expect("32 bits");
            let siblings = proof["siblings"].as_array().expect("a list").iter().map(node).collect();
            let expected = ClaimProof { sides, siblings };
            assert_eq!(expected.verify(&root, claim), Ok(()));
            let own = tree.prove(&claim.account, claim.chain, &claim.address);
            assert_eq!(own, Some((*claim, expected)));
        }
    }
}

/// The order of the curve.
const ORDER: &str = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

/// The order less a scalar.
fn negated(scalar: &[u8]) -> [u8; 32] {
    let (mut result, mut borrow) = (bytes::<32>(ORDER), 0);
    for index in (0..32).rev() {
        let difference = i16::from(result[index]) - i16::from(scalar[index]) - borrow;
        borrow = i16::from(difference < 0);
        result[index] = difference.rem_euclid(256) as u8;
    }
    result
}

#[test]
fn l6_a_signature_has_one_form() {
    let vectors = vectors();
    let digest = Keccak::of(b"digest");
    let key = key_of(&vectors, &vectors.keys[0].address);
    let good = *key.sign(&digest).as_bytes();
    let recover = |change: &dyn Fn(&mut [u8; 65])| {
        let mut changed = good;
        change(&mut changed);
        EvmSignature::from_bytes(changed).recover(&digest)
    };
    assert_eq!(recover(&|_| {}), Ok(key.address()));
    // The twin: n - s with the other parity of R is the same signature to a lax verifier.
    let twin = recover(&|bytes| {
        let s = negated(&bytes[32..64]);
        bytes[32..64].copy_from_slice(&s);
        bytes[64] = 55 - bytes[64];
    });
    assert_eq!(twin, Err(RecoverError::HighS));
    for v in (0..=255).filter(|v| ![27, 28].contains(v)) {
        assert_eq!(recover(&|bytes| bytes[64] = v), Err(RecoverError::RecoveryByte { v }));
    }
    assert_ne!(recover(&|bytes| bytes[64] = 55 - bytes[64]), Ok(key.address()));
    for (from, scalar) in [(0, [0; 32]), (32, [0; 32]), (0, bytes(ORDER)), (0, [0xff; 32]), (32, [0xff; 32])]
    {
        let result = recover(&|bytes| bytes[from..from + 32].copy_from_slice(&scalar));
        assert_eq!(result, Err(RecoverError::NoScalar));
    }
    for place in 0..64 {
        assert_ne!(recover(&|bytes| bytes[place] ^= 1), Ok(key.address()), "byte {place}");
    }
}

#[test]
fn a_signature_counts_for_one_sky_one_contract_and_one_type() {
    let vectors = vectors();
    let key = key_of(&vectors, &vectors.keys[0].address);
    let checkpoint =
        Checkpoint { epoch: 1, previous: Keccak::default(), root: Keccak::of(b"root"), total: 5, set_id: 1 };
    let here = domain(&vectors, "sky");
    let signature = key.sign(&digest(&here, &checkpoint));
    let refused = |domain: &Domain, value: &Checkpoint| {
        let result = signature.verify(&digest(domain, value), &key.address());
        matches!(result, Err(RecoverError::OtherSigner { .. } | RecoverError::NoKey))
    };
    assert_eq!(signature.verify(&digest(&here, &checkpoint), &key.address()), Ok(()));
    assert!(refused(&Domain::of_sky(Hash::of(b"another sky")), &checkpoint));
    assert!(refused(&domain(&vectors, "contract"), &checkpoint));
    assert!(refused(&here, &Checkpoint { total: 6, ..checkpoint }));
    assert!(refused(&here, &Checkpoint { set_id: 2, ..checkpoint }));
    assert!(EvmKey::from_secret(&[0; 32]).is_none());
    assert!(EvmKey::from_secret(&bytes(ORDER)).is_none());
}
