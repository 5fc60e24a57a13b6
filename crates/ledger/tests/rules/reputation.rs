//! What moves reputation in a ledger, and for how long it can.

use crate::common::{STEP_MS, Sky, account, agreement, micros};
use opensky_ledger::{
    action::Action,
    entry::Entry,
    escrow::{ClaimItem, PayItem},
    key::Key,
    params::Params,
    rejection::Rejection,
    reputation::{AuditReport, Reputation, Verdict},
};
use opensky_types::Hash;

fn score(sky: &Sky, number: u8) -> u16 {
    match sky.ledger.state().get(&Key::Reputation(account(number))) {
        Some(Entry::Reputation(reputation)) => reputation.score().get(),
        _ => Reputation::default().score().get(),
    }
}

fn pay(number: u8, cumulative: u64) -> Action {
    let receipts = Hash::from_bytes([number; 32]);
    Action::Pay {
        items: vec![PayItem { agreement: agreement(number), cumulative: micros(cumulative), receipts }],
    }
}

#[test]
fn each_payment_of_a_block_counts_once() {
    let mut sky = Sky::new();
    for (consumer, provider) in [(1, 2), (3, 4)] {
        sky.act(consumer, Action::OpenEscrow(sky.opening(consumer, provider, 10_000))).expect("opened");
    }
    let paid = [1, 3].map(|number| sky.signed(number, pay(number, 5_000)).check().expect("signed"));
    assert_eq!(sky.block(paid.to_vec(), STEP_MS), []);
    assert_eq!((score(&sky, 2), score(&sky, 4)), (101, 101));
}

#[test]
fn a_payment_below_the_least_does_not_count() {
    let mut sky = Sky::new();
    sky.act(1, Action::OpenEscrow(sky.opening(1, 2, 10_000))).expect("opened");
    sky.act(1, pay(1, 99)).expect("paid");
    assert_eq!(score(&sky, 2), 100);
    sky.act(1, pay(1, 199)).expect("paid");
    assert_eq!(score(&sky, 2), 101, "a hundred more");
}

#[test]
fn where_work_is_free_it_counts_for_reputation_all_the_same() {
    let mut sky = Sky::with(Params::free());
    sky.act(1, Action::OpenEscrow(sky.opening(1, 2, 0))).expect("opened");
    sky.act(1, pay(1, 0)).expect("paid");
    assert_eq!(score(&sky, 2), 101);
}

#[test]
fn audits_are_reported_until_an_hour_after_the_end_and_then_no_more() {
    let mut sky = Sky::new();
    crate::escrow::open(&mut sky, 1, 10_000);
    let item = ClaimItem { is_last: true, ..crate::escrow::vouched(&sky, 1, 5_000, 1) };
    sky.act(2, Action::Claim { items: vec![item] }).expect("it is signed");
    let praise = AuditReport {
        agreement: agreement(1),
        receipt: Hash::of(b"receipt"),
        verdict: Verdict::Passed,
        witnesses: Vec::new(),
    };
    sky.wait(3_598_999);
    assert_eq!(sky.act(1, Action::AuditReport(praise.clone())), Ok(()), "the last millisecond of the hour");
    sky.wait(1);
    let over = Rejection::NoEscrow { agreement: sky.agreement(1) };
    assert_eq!(sky.act(1, Action::AuditReport(praise)), Err(over));
}
