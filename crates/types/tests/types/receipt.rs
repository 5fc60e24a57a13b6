//! Receipts: checked by anyone, offline, one by one (spec V2; threats M2, C1).

use opensky_types::{
    AgreementId, Hash, JobId, Micros, Signed, Timestamp, codec,
    key::Keypair,
    merkle::Tree,
    receipt::{BatchHead, Countersignature, Receipt, ReceiptError, ReceiptProof, ReceiptStanding},
    samples,
    signed::SignedError,
};

fn root_of(proof: &ReceiptProof) -> Hash {
    proof.head.verify().expect("samples are signed").root
}

fn accepted(count: u32, index: u32) -> ReceiptProof {
    let mut proof = samples::receipt_proof(count, index);
    proof.countersignature = Some(samples::countersignature(root_of(&proof), count, &[index]));
    proof
}

#[test]
fn a_receipt_stands_as_it_was_judged() {
    for count in [1, 2, 3, 8, 9, 33] {
        for index in 0..count {
            let mut proof = samples::receipt_proof(count, index);
            assert_eq!(proof.verify(), Ok(ReceiptStanding::Claimed));
            let root = root_of(&proof);
            proof.countersignature = Some(samples::countersignature(root, count, &[index]));
            assert_eq!(proof.verify(), Ok(ReceiptStanding::Accepted));
            let others: Vec<u32> = (0..count).filter(|other| *other != index).collect();
            proof.countersignature = Some(samples::countersignature(root, count, &others));
            assert_eq!(proof.verify(), Ok(ReceiptStanding::Rejected));
            let sent: ReceiptProof = codec::decode(&codec::encode(&proof), 10_000).unwrap();
            assert_eq!(sent, proof);
        }
    }
}

#[test]
fn a_short_countersignature_accepts_nothing_beyond_its_end() {
    let countersignature = Countersignature { root: Hash::of(b"root"), accepted: vec![0b1000_0001] };
    let accepts: Vec<u32> = (0..64).filter(|index| countersignature.accepts(*index)).collect();
    assert_eq!(accepts, [0, 7]);
    assert!(!countersignature.accepts(u32::MAX));
}

#[test]
fn every_field_of_a_receipt_is_bound() {
    type Change = fn(&mut Receipt);
    let changes: [(&str, Change); 17] = [
        ("agreement", |r| r.agreement = AgreementId::from_hash(Hash::of(b"x"))),
        ("job", |r| r.job = JobId::from_bytes([0; 10])),
        ("task stage", |r| r.task.stage += 1),
        ("task index", |r| r.task.index += 1),
        ("attempt", |r| r.attempt += 1),
        ("program", |r| r.program = Hash::of(b"x")),
        ("input", |r| r.input = Hash::of(b"x")),
        ("output", |r| r.output = Hash::of(b"x")),
        ("exited", |r| r.exited = !r.exited),
        ("fuel", |r| r.usage.fuel += 1),
        ("memory", |r| r.usage.memory_peak_bytes += 1),
        ("wall", |r| r.usage.wall_us += 1),
        ("price", |r| r.price = Micros::new(1)),
        ("engine", |r| r.engine.push('x')),
        ("engine config", |r| r.engine_config = Hash::of(b"x")),
        ("started", |r| r.started_at = Timestamp::from_millis(0)),
        ("ended", |r| r.ended_at = Timestamp::from_millis(0)),
    ];
    for (field, change) in changes {
        let mut proof = accepted(5, 3);
        change(&mut proof.receipt);
        assert_eq!(proof.verify(), Err(ReceiptError::NotInBatch), "{field} was changed");
    }
    for change in [(|r| r.provider = samples::node(9)) as Change, |r| r.consumer = samples::node(9)] {
        let mut proof = accepted(5, 3);
        change(&mut proof.receipt);
        assert!(matches!(proof.verify(), Err(ReceiptError::WrongSigner { .. })), "a party was changed");
    }
}

#[test]
fn the_place_in_the_batch_is_bound() {
    for index in [0, 2, 4, 5, u32::MAX] {
        let mut proof = accepted(5, 3);
        proof.index = index;
        assert_eq!(proof.verify(), Err(ReceiptError::NotInBatch));
    }
    let mut proof = accepted(5, 3);
    proof.siblings[0] = Hash::of(b"x");
    assert_eq!(proof.verify(), Err(ReceiptError::NotInBatch));
    let mut proof = accepted(5, 3);
    proof.siblings.push(Hash::of(b"x"));
    assert_eq!(proof.verify(), Err(ReceiptError::NotInBatch));
}

fn head(change: impl FnOnce(&mut BatchHead), key: &Keypair) -> Signed<BatchHead> {
    let (head, _) = samples::receipts(5);
    let mut head = head.verify().unwrap();
    change(&mut head);
    Signed::sign(&head, key)
}

#[test]
fn only_the_named_provider_signs_the_batch() {
    let with_head = |head| ReceiptProof { head, ..samples::receipt_proof(5, 3) };
    let (provider, stranger) = (samples::provider(), samples::keypair(9));
    assert!(with_head(head(|_| {}, &provider)).verify().is_ok());
    let refused = [
        head(|_| {}, &stranger),
        head(|head| head.provider = stranger.id(), &provider),
        head(|head| head.provider = stranger.id(), &stranger),
        head(|head| head.consumer = stranger.id(), &provider),
    ];
    for head in refused {
        assert!(matches!(with_head(head).verify(), Err(ReceiptError::WrongSigner { .. })));
    }
    let other_root = head(|head| head.root = Hash::of(b"x"), &provider);
    assert_eq!(with_head(other_root).verify(), Err(ReceiptError::NotInBatch));
    let fewer = head(|head| head.count = 3, &provider);
    assert_eq!(with_head(fewer).verify(), Err(ReceiptError::NotInBatch));
}

#[test]
fn only_the_named_consumer_countersigns_and_only_this_batch() {
    let plain = samples::receipt_proof(5, 3);
    let root = root_of(&plain);
    let with = |value: Countersignature, key: &Keypair| ReceiptProof {
        countersignature: Some(Signed::sign(&value, key)),
        ..plain.clone()
    };
    let yes = Countersignature { root, accepted: vec![0xff] };
    assert_eq!(with(yes.clone(), &samples::consumer()).verify(), Ok(ReceiptStanding::Accepted));
    // A provider must not be able to accept its own work.
    assert!(matches!(with(yes, &samples::provider()).verify(), Err(ReceiptError::WrongSigner { .. })));
    let elsewhere = Countersignature { root: Hash::of(b"other batch"), accepted: vec![0xff] };
    assert_eq!(with(elsewhere, &samples::consumer()).verify(), Err(ReceiptError::WrongBatch));
}

#[test]
fn any_flipped_bit_of_a_proof_is_found() {
    let bytes = codec::encode(&accepted(5, 3));
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let Ok(proof) = codec::decode::<ReceiptProof>(&changed, 10_000) else { continue };
            let refused = match proof.verify() {
                Err(ReceiptError::Signature(SignedError::BadSignature { .. })) => true,
                Err(_) => true,
                Ok(standing) => panic!("byte {place}, bit {bit}: still {standing:?}"),
            };
            assert!(refused);
        }
    }
}

#[test]
fn a_batch_of_one_is_its_own_root() {
    let (head, receipts) = samples::receipts(1);
    assert_eq!(Tree::new(&[receipts[0].id()]).root(), head.verify().unwrap().root);
    assert!(Tree::new(&[receipts[0].id()]).proof(0).is_empty());
}
