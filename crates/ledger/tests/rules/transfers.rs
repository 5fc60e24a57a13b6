//! Transfers, and what makes a transaction count once and here only.

use crate::common::{Sky, account, agreement, approve, key, micros, sky_id, transfer};
use opensky_ledger::{
    action::Action,
    approval::ApprovalError,
    memo::{Memo, MemoError},
    params::Params,
    rejection::Rejection,
    transaction::{SignedTransaction, TransactionError},
};
use opensky_types::{Hash, Timestamp};

#[test]
fn money_goes_over_and_a_new_account_begins_with_enough() {
    let mut sky = Sky::new();
    assert_eq!(sky.act(1, transfer(2, 400_000)), Ok(()));
    assert_eq!((sky.balance(1), sky.balance(2)), (600_000, 1_400_000));
    let dust = Rejection::Dust { amount: micros(999), at_least: micros(1_000) };
    assert_eq!(sky.act(1, transfer(50, 999)), Err(dust));
    assert_eq!(sky.act(1, transfer(50, 1_000)), Ok(()));
    assert_eq!(sky.act(50, transfer(1, 1)), Ok(()));
    assert_eq!(sky.balance(50), 999);
}

#[test]
fn l5_what_is_not_there_cannot_be_given_away() {
    let mut sky = Sky::new();
    let too_little = |needed| Rejection::TooLittle { available: micros(1_000_000), needed: micros(needed) };
    assert_eq!(sky.act(1, transfer(2, 1_000_001)), Err(too_little(1_000_001)));
    assert_eq!(sky.act(1, transfer(2, u64::MAX)), Err(too_little(u64::MAX)));
    let dust = Rejection::Dust { amount: micros(0), at_least: micros(1) };
    assert_eq!(sky.act(1, transfer(2, 0)), Err(dust));
    assert_eq!(sky.act(1, transfer(1, 5)), Err(Rejection::WithItself));
    assert_eq!(sky.act(60, transfer(1, 5)), Err(Rejection::NoAccount { account: account(60) }));
}

#[test]
fn l4_a_replayed_transaction_is_refused_in_this_sky_and_in_another() {
    let mut sky = Sky::new();
    let paid = sky.signed(1, transfer(2, 10));
    assert_eq!(sky.submit(paid.clone()), Ok(()));
    assert_eq!(sky.submit(paid), Err(Rejection::Nonce { expected: 1, found: 0 }));
    let mut early = sky.transaction(account(1), transfer(2, 10));
    early.nonce = 2;
    let signed = early.signed(vec![approve(&early, &key(1))]);
    assert_eq!(sky.submit(signed), Err(Rejection::Nonce { expected: 1, found: 2 }));

    let mut foreign = sky.transaction(account(1), transfer(2, 10));
    foreign.sky = Hash::of(b"another sky");
    let signed = foreign.signed(vec![approve(&foreign, &key(1))]);
    assert_eq!(sky.submit(signed), Err(Rejection::OtherSky { expected: sky_id(), found: foreign.sky }));
    let mut newer = sky.transaction(account(1), transfer(2, 10));
    newer.rules = 2;
    let signed = newer.signed(vec![approve(&newer, &key(1))]);
    assert_eq!(sky.submit(signed), Err(Rejection::OtherRules { expected: 1, found: 2 }));
}

#[test]
fn l4_a_transaction_counts_until_its_time_is_over_and_not_for_ever() {
    let mut sky = Sky::new();
    let mut late = sky.transaction(account(1), transfer(2, 10));
    let now = sky.now().plus_ms(1_000);
    late.valid_until = sky.now().plus_ms(999);
    let signed = late.signed(vec![approve(&late, &key(1))]);
    assert_eq!(sky.submit(signed), Err(Rejection::Expired { valid_until: late.valid_until, now }));
    let now = sky.now().plus_ms(1_000);
    late.valid_until = now;
    let signed = late.signed(vec![approve(&late, &key(1))]);
    assert_eq!(sky.submit(signed), Ok(()));
    let mut eternal = sky.transaction(account(1), transfer(2, 10));
    eternal.valid_until = Timestamp::from_millis(u64::MAX);
    let latest = sky.now().plus_ms(1_000 + Params::default().validity_ms_max);
    let signed = eternal.signed(vec![approve(&eternal, &key(1))]);
    let too_long = Rejection::ValidTooLong { valid_until: eternal.valid_until, latest };
    assert_eq!(sky.submit(signed), Err(too_long));
}

#[test]
fn a_foreign_key_moves_nothing() {
    let mut sky = Sky::new();
    let stolen = sky.act_by(account(1), &[2], transfer(2, 10));
    assert_eq!(stolen, Err(Rejection::NotAuthorised { account: account(1) }));
    let two = sky.act_by(account(1), &[1, 2], transfer(2, 10));
    let Err(Rejection::UnneededSignature { key }) = two else { panic!("{two:?}") };
    assert_eq!(key, crate::common::public(2));
}

#[test]
fn l6_bytes_that_are_not_the_one_encoding_are_refused() {
    let sky = Sky::new();
    let good = sky.signed(1, transfer(2, 10));
    let bytes = good.encode();
    assert_eq!(SignedTransaction::decode(&bytes), Ok(good.clone()));
    assert_eq!(good.size_bytes(), bytes.len());
    for cut in 0..bytes.len() {
        let cut = SignedTransaction::decode(&bytes[..cut]).and_then(SignedTransaction::check);
        assert!(cut.is_err(), "a part of a transaction passed for one");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let read = SignedTransaction::decode(&changed).and_then(SignedTransaction::check);
            assert!(read.is_err(), "bit {bit} of byte {at} does not count");
        }
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(SignedTransaction::decode(&longer).is_err());
}

#[test]
fn l6_signatures_are_in_order_each_key_once() {
    let sky = Sky::new();
    let transaction = sky.transaction(account(1), transfer(2, 10));
    let approval = approve(&transaction, &key(1));
    let twice = transaction.signed(vec![approval, approval]).check();
    let expected = ApprovalError::Order { key: approval.key() };
    assert_eq!(twice, Err(TransactionError::Approval(expected)));
    let none = transaction.signed(Vec::new()).check();
    assert_eq!(none, Err(TransactionError::Approval(ApprovalError::Count { count: 0 })));
}

#[test]
fn a_batch_with_one_bad_signature_names_it() {
    let sky = Sky::new();
    let good: Vec<_> = (1..=5).map(|number| sky.signed(number, transfer(6, 10))).collect();
    assert!(SignedTransaction::check_all(good.clone()).is_ok_and(|checked| checked.len() == 5));
    let transaction = sky.transaction(account(1), transfer(2, 10));
    let other = sky.transaction(account(1), transfer(2, 11));
    let mut all = good;
    all.push(transaction.signed(vec![approve(&other, &key(1))]));
    let expected = ApprovalError::BadSignature { key: crate::common::public(1) };
    assert_eq!(SignedTransaction::check_all(all), Err(TransactionError::Approval(expected)));
}

#[test]
fn bad_signatures_among_many_are_found_one_by_one() {
    let sky = Sky::new();
    let signed: Vec<SignedTransaction> =
        (0..40).map(|amount| sky.signed(1, transfer(2, 1_000 + amount))).collect();
    for bad in [vec![], vec![0], vec![39], vec![7, 8, 20], (0..40).collect::<Vec<_>>()] {
        let mut all = signed.clone();
        for index in &bad {
            // Another's signature under it.
            let other = sky.transaction(account(1), transfer(3, 5));
            all[*index] =
                sky.transaction(account(1), transfer(2, 9_000)).signed(vec![approve(&other, &key(1))]);
        }
        let checked = SignedTransaction::check_each(all.clone());
        assert_eq!(checked.len(), all.len(), "each has its answer");
        for (index, (checked, signed)) in checked.into_iter().zip(all).enumerate() {
            assert_eq!(checked.is_ok(), !bad.contains(&index), "{index} of {bad:?}");
            assert!(checked.is_err() || checked.is_ok_and(|checked| checked.signed == signed));
        }
    }
    assert!(SignedTransaction::check_each(Vec::new()).is_empty());
}

#[test]
fn a_memo_is_short_and_cannot_dress_up() {
    assert_eq!(Memo::new(&"x".repeat(65)), Err(MemoError::TooLong { size_bytes: 65 }));
    assert_eq!(Memo::new("rent\nTo: me"), Err(MemoError::Control { character: '\n' }));
    assert_eq!(Memo::new("\u{202e}"), Err(MemoError::Control { character: '\u{202e}' }));
    let memo = Memo::new("rent").expect("a memo");
    let action = Action::Transfer { to: account(2), amount: micros(1_500_000), memo };
    let expected = format!("Transfer 1.500000 credits to {} (rent)", account(2));
    assert_eq!(action.describe(), expected);
}

#[test]
fn granted_money_changes_hands_but_stays_granted() {
    let mut sky = Sky::new();
    assert_eq!(sky.act(6, transfer(7, 5_000)), Ok(()));
    let view = sky.ledger.view(&sky.ledger.head().id()).expect("the head is known");
    let held = view.find_account(&account(7)).expect("it was paid").available;
    assert_eq!((held.free, held.granted), (micros(0), micros(5_000)));
}

#[test]
fn a_free_sky_goes_the_same_ways_without_money() {
    let mut sky = Sky::with(Params::free());
    let opening = sky.opening(1, 2, 0);
    assert_eq!(sky.act(1, Action::OpenEscrow(opening)), Ok(()));
    let paid = opensky_ledger::escrow::PayItem {
        agreement: agreement(1),
        cumulative: micros(0),
        receipts: Hash::of(b"receipts"),
    };
    assert_eq!(sky.act(1, Action::Pay { items: vec![paid] }), Ok(()));
    let again = sky.act(1, Action::Pay { items: vec![paid] });
    assert!(matches!(again, Err(Rejection::NothingNew { .. })), "{again:?}");
    assert_eq!(
        sky.act(1, Action::OpenEscrow(sky.opening(2, 2, 1))),
        Err(Rejection::TooLittle { available: micros(0), needed: micros(1) })
    );
}
