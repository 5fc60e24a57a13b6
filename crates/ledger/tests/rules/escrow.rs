//! Escrows, vouchers, claims, objections, refunds.

use crate::common::{Sky, account, agreement, approve, key, micros, public, sky_id};
use opensky_ledger::{
    account::{KeySet, Session},
    action::Action,
    authority::OWN_KEYS_ONLY,
    entry::Entry,
    escrow::{ClaimItem, Escrow, Opening, PayItem, VoucherStatement, id_of},
    event::Event,
    key::Key,
    params::Params,
    rejection::Rejection,
};
use opensky_types::Hash;

pub fn owed(number: u8, cumulative: u64) -> PayItem {
    let receipts = Hash::of(&cumulative.to_le_bytes());
    PayItem { agreement: agreement(number), cumulative: micros(cumulative), receipts }
}

pub fn open(sky: &mut Sky, number: u8, amount: u64) {
    let opening = sky.opening(number, 2, amount);
    sky.act(1, Action::OpenEscrow(opening)).expect("it can be opened");
}

pub fn escrow(sky: &Sky, number: u8) -> Option<Escrow> {
    match sky.ledger.state().get(&Key::Escrow(sky.agreement(number))) {
        Some(Entry::Escrow(escrow)) => Some(**escrow),
        _ => None,
    }
}

pub fn unsigned(number: u8, cumulative: u64, sequence: u64) -> ClaimItem {
    let owed = owed(number, cumulative);
    ClaimItem { owed, count: 1, sequence, is_last: false, voucher: None }
}

/// A claim with a voucher by the key of this number.
pub fn vouched(sky: &Sky, number: u8, cumulative: u64, signer: u8) -> ClaimItem {
    let escrow = escrow(sky, number).expect("it is open");
    let owed = PayItem { agreement: sky.agreement(number), ..owed(number, cumulative) };
    let statement = VoucherStatement::new(sky_id(), &escrow, &owed);
    let voucher = Some(approve(&statement, &key(signer)));
    ClaimItem { owed, voucher, ..unsigned(number, cumulative, 0) }
}

fn claim(item: ClaimItem) -> Action {
    Action::Claim { items: vec![item] }
}

#[test]
fn a_voucher_is_paid_at_once_and_once() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    assert_eq!(sky.balance(1), 990_000);
    let first = vouched(&sky, 1, 3_000, 1);
    assert_eq!(sky.act(2, claim(first.clone())), Ok(()));
    assert_eq!(sky.balance(2), 1_003_000);
    let (agreement, paid) = (sky.agreement(1), micros(3_000));
    let again = Rejection::NothingNew { agreement, paid, cumulative: paid };
    assert_eq!(sky.act(2, claim(first)), Err(again));
    let lower = vouched(&sky, 1, 2_000, 1);
    let lower_found = sky.act(2, claim(lower));
    assert_eq!(lower_found, Err(Rejection::NothingNew { agreement, paid, cumulative: micros(2_000) }));
    // The next one stands for all before it, of which some may be lost.
    let last = ClaimItem { is_last: true, ..vouched(&sky, 1, 7_500, 1) };
    assert_eq!(sky.act(2, claim(last)), Ok(()));
    assert_eq!((sky.balance(1), sky.balance(2)), (992_500, 1_007_500));
    assert_eq!(escrow(&sky, 1), None);
}

#[test]
fn only_the_key_that_the_escrow_names_signs_vouchers() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    let bad = Err(Rejection::BadVoucher { agreement: sky.agreement(1) });
    let session = Session { scope: !OWN_KEYS_ONLY, left: micros(5), expires_at: sky.now().plus_ms(60_000) };
    assert_eq!(sky.act(1, Action::Delegate { key: public(31), session }), Ok(()));
    for signer in [2, 3, 30, 31] {
        let forged = vouched(&sky, 1, 10_000, signer);
        assert_eq!(sky.act(2, claim(forged)), bad);
    }
    let mut raised = vouched(&sky, 1, 10, 1);
    raised.owed.cumulative = micros(10_000);
    assert_eq!(sky.act(2, claim(raised)), bad);
    let stolen = vouched(&sky, 1, 10, 1);
    let other = Rejection::NotParty { account: account(3), agreement: sky.agreement(1) };
    assert_eq!(sky.act(3, claim(stolen)), Err(other));
    let opening = Opening { voucher_key: public(30), ..sky.opening(2, 2, 10_000) };
    assert_eq!(sky.act(1, Action::OpenEscrow(opening)), Ok(()));
    let by_device = vouched(&sky, 2, 500, 30);
    assert_eq!(sky.act(2, claim(by_device)), Ok(()));
    assert_eq!(sky.balance(2), 1_000_500);
    let by_account = vouched(&sky, 2, 600, 1);
    assert_eq!(sky.act(2, claim(by_account)), Err(Rejection::BadVoucher { agreement: sky.agreement(2) }));
}

#[test]
fn k1_a_consumer_that_changes_its_keys_still_pays_what_it_signed() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    let voucher = vouched(&sky, 1, 4_000, 1);
    let keys = KeySet { keys: vec![public(20)], threshold: 1 };
    assert_eq!(sky.act_by(account(1), &[1, 20], Action::RotateKeys { keys }), Ok(()));
    assert_eq!(sky.act(2, claim(voucher)), Ok(()));
    assert_eq!(sky.balance(2), 1_004_000);
}

#[test]
fn l4_a_voucher_of_an_earlier_escrow_pays_nothing_in_a_later_one() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    let (first, old) = (sky.agreement(1), vouched(&sky, 1, 4_000, 1));
    assert_eq!(sky.act(2, claim(ClaimItem { is_last: true, ..old.clone() })), Ok(()));
    // The same terms again, between the same parties.
    open(&mut sky, 1, 10_000);
    let second = sky.agreement(1);
    assert_ne!(first, second);
    assert_eq!(sky.act(2, claim(old.clone())), Err(Rejection::NoEscrow { agreement: first }));
    let renamed = ClaimItem { owed: PayItem { agreement: second, ..old.owed }, ..old };
    assert_eq!(sky.act(2, claim(renamed)), Err(Rejection::BadVoucher { agreement: second }));
    assert_eq!(sky.balance(2), 1_004_000);
}

#[test]
fn l4_nobody_takes_the_name_of_an_agreement_that_it_saw_on_its_way() {
    let mut sky = Sky::new();
    let seen = sky.opening(1, 2, 10_000);
    assert_eq!(sky.act(3, Action::OpenEscrow(seen)), Ok(()));
    let theirs = sky.agreement(1);
    assert_eq!(sky.act(1, Action::OpenEscrow(seen)), Ok(()));
    let mine = sky.agreement(1);
    assert_ne!(theirs, mine);
    assert_eq!(mine, id_of(&seen.terms, &account(1), 0));
    assert_eq!(escrow(&sky, 1).map(|escrow| escrow.consumer), Some(account(1)));
}

#[test]
fn an_escrow_pays_as_far_as_it_reaches_and_the_rest_after_a_top_up() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 1_000);
    let voucher = vouched(&sky, 1, 1_500, 1);
    assert_eq!(sky.act(2, claim(voucher.clone())), Ok(()));
    assert_eq!(sky.balance(2), 1_001_000);
    let empty = Rejection::EscrowEmpty { agreement: sky.agreement(1) };
    assert_eq!(sky.act(2, claim(voucher.clone())), Err(empty));
    let more = Action::TopUp { agreement: agreement(1), amount: micros(700) };
    let other = Rejection::NotParty { account: account(3), agreement: sky.agreement(1) };
    assert_eq!(sky.act(3, more.clone()), Err(other));
    assert_eq!(sky.act(1, more), Ok(()));
    assert_eq!(sky.act(2, claim(voucher)), Ok(()));
    assert_eq!(sky.balance(2), 1_001_500);
    assert_eq!(escrow(&sky, 1).map(|escrow| escrow.held.total()), Some(micros(200)));
}

#[test]
fn m2_a_silent_consumer_pays_when_the_window_has_passed() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    assert_eq!(sky.act(2, claim(unsigned(1, 4_000, 1))), Ok(()));
    assert_eq!(sky.balance(2), 1_000_000);
    let waits = sky.act(2, claim(unsigned(1, 5_000, 2)));
    assert!(matches!(waits, Err(Rejection::ClaimWaits { .. })), "{waits:?}");
    sky.wait(57_000);
    assert_eq!(sky.balance(2), 1_000_000, "the window is open");
    sky.wait(3_000);
    assert_eq!(sky.balance(2), 1_004_000);
    let stale = Rejection::StaleClaim { agreement: sky.agreement(1), last: 1, found: 1 };
    assert_eq!(sky.act(2, claim(unsigned(1, 6_000, 1))), Err(stale));
}

#[test]
fn m2_a_silent_provider_is_not_paid_and_the_consumer_is_refunded() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    sky.wait(118_000);
    assert_eq!(sky.balance(1), 990_000, "a claim could still come");
    sky.wait(2_000);
    assert_eq!((sky.balance(1), sky.balance(2)), (1_000_000, 1_000_000));
    let (agreement, consumer) = (sky.agreement(1), account(1));
    assert_eq!(sky.events, [Event::Closed { agreement, consumer, refunded: micros(10_000) }]);
    assert_eq!(sky.act(2, claim(unsigned(1, 1, 1))), Err(Rejection::NoEscrow { agreement }));
}

#[test]
fn m2_a_claim_at_the_last_moment_is_heard_before_the_escrow_closes() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    sky.wait(117_000);
    assert_eq!(sky.act(2, claim(unsigned(1, 4_000, 1))), Ok(()));
    sky.wait(5_000);
    let over = sky.act(1, Action::TopUp { agreement: agreement(1), amount: micros(5) });
    assert_eq!(over, Ok(()), "while the claim waits, the escrow is open");
    sky.wait(60_000);
    assert_eq!((sky.balance(1), sky.balance(2)), (996_000, 1_004_000));
    assert_eq!(escrow(&sky, 1), None);
}

#[test]
fn an_objection_gives_back_what_is_disputed_and_pays_the_rest() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    assert_eq!(sky.act(2, claim(unsigned(1, 4_000, 7))), Ok(()));
    let object = |sequence, owed| Action::Object { agreement: agreement(1), sequence, owed: micros(owed) };
    let none = Rejection::NoClaim { agreement: sky.agreement(1), sequence: 6 };
    assert_eq!(sky.act(1, object(6, 1_000)), Err(none));
    let not_lower = Rejection::NoObjection { claimed: micros(4_000), owed: micros(4_000) };
    assert_eq!(sky.act(1, object(7, 4_000)), Err(not_lower));
    let not_party = Rejection::NotParty { account: account(2), agreement: sky.agreement(1) };
    assert_eq!(sky.act(2, object(7, 1_000)), Err(not_party));
    assert_eq!(sky.act(1, object(7, 1_000)), Ok(()));
    assert_eq!((sky.balance(1), sky.balance(2)), (993_000, 1_001_000));
    let after = escrow(&sky, 1).expect("it is open");
    assert_eq!(
        (after.held.total(), after.objected, after.paid),
        (micros(6_000), micros(3_000), micros(1_000))
    );
    sky.wait(60_000);
    assert_eq!(sky.balance(2), 1_001_000, "what was objected to is not paid");
    let twice = sky.act(1, object(7, 500));
    assert!(matches!(twice, Err(Rejection::NoClaim { .. } | Rejection::NoEscrow { .. })), "{twice:?}");
}

#[test]
fn an_objection_to_all_of_a_claim_pays_nothing() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    assert_eq!(sky.act(2, claim(vouched(&sky, 1, 1_000, 1))), Ok(()));
    let before = escrow(&sky, 1).expect("it is open");
    assert_eq!(sky.act(2, claim(unsigned(1, 4_000, 1))), Ok(()));
    let object = Action::Object { agreement: agreement(1), sequence: 1, owed: before.paid };
    assert_eq!(sky.act(1, object), Ok(()));
    let (agreement, consumer, provider) = (sky.agreement(1), account(1), account(2));
    let objected = Event::Objected { agreement, consumer, provider, amount: micros(3_000) };
    assert_eq!(sky.events, [objected], "and says of no payment");
    let after = escrow(&sky, 1).expect("it is open");
    assert_eq!((after.paid, after.receipts), (before.paid, before.receipts));
}

#[test]
fn a_claim_asks_for_something_new() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    assert_eq!(sky.act(2, claim(vouched(&sky, 1, 3_000, 1))), Ok(()));
    let (agreement, paid) = (sky.agreement(1), micros(3_000));
    for asked in [2_999, 3_000] {
        let nothing = Rejection::NothingNew { agreement, paid, cumulative: micros(asked) };
        assert_eq!(sky.act(2, claim(unsigned(1, asked, 1))), Err(nothing));
    }
    // Receipts of work that cost nothing are something new.
    let mut free = unsigned(1, 3_000, 1);
    free.owed.receipts = Hash::of(b"more receipts");
    assert_eq!(sky.act(2, claim(free)), Ok(()));
}

#[test]
fn the_provider_may_give_up_the_rest_and_nobody_else() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    let close = Action::CloseEscrow { agreement: agreement(1) };
    let opened = sky.agreement(1);
    let not_party = |number| Rejection::NotParty { account: account(number), agreement: opened };
    assert_eq!(sky.act(1, close.clone()), Err(not_party(1)), "or a consumer would take back what it owes");
    assert_eq!(sky.act(3, close.clone()), Err(not_party(3)));
    assert_eq!(sky.act(2, claim(unsigned(1, 4_000, 1))), Ok(()));
    assert_eq!(sky.act(2, close), Ok(()));
    assert_eq!(sky.balance(1), 1_000_000);
    sky.wait(200_000);
    assert_eq!((sky.balance(1), sky.balance(2)), (1_000_000, 1_000_000));
}

#[test]
fn the_terms_of_an_escrow_have_bounds() {
    let mut sky = Sky::new();
    let good = sky.opening(1, 2, 5_000);
    let mut refused = |opening: Opening| sky.act(1, Action::OpenEscrow(opening)).expect_err("out of bounds");
    let dust = Rejection::Dust { amount: micros(999), at_least: micros(1_000) };
    assert_eq!(refused(Opening { amount: micros(999), ..good }), dust);
    assert_eq!(refused(Opening { provider: account(1), ..good }), Rejection::WithItself);
    let far = good.expires_at.plus_ms(Params::default().escrow_ms_max);
    let times = [
        Opening { expires_at: far, ..good },
        Opening { claim_window_ms: 0, ..good },
        Opening { claim_window_ms: u64::MAX, ..good },
        Opening { expires_at: opensky_types::Timestamp::from_millis(5), ..good },
    ];
    for opening in times {
        let found = refused(opening);
        assert!(matches!(found, Rejection::Period { .. }), "{found:?}");
    }
    assert_eq!(sky.act(1, Action::OpenEscrow(good)), Ok(()));
}

#[test]
fn one_transaction_settles_many_agreements_or_none() {
    let mut sky = Sky::new();
    for number in 1..=40 {
        open(&mut sky, number, 2_000);
    }
    let mut items: Vec<PayItem> = (1..=40).map(|number| owed(number, 1_500)).collect();
    items.push(owed(41, 10));
    let none = Rejection::NoEscrow { agreement: agreement(41) };
    assert_eq!(sky.act(1, Action::Pay { items: items.clone() }), Err(none));
    assert_eq!(sky.balance(2), 1_000_000);
    items.pop();
    assert_eq!(sky.act(1, Action::Pay { items }), Ok(()));
    assert_eq!(sky.balance(2), 1_060_000);
    let items = (1..=40).map(|number| vouched(&sky, number, 1_900, 1)).collect();
    assert_eq!(sky.act(2, Action::Claim { items }), Ok(()));
    assert_eq!(sky.balance(2), 1_076_000);
    let none = sky.act(2, Action::Claim { items: Vec::new() });
    assert_eq!(none, Err(Rejection::Items { count: 0, limit: 512 }));
    let many = vec![owed(1, 2_000); 513];
    assert_eq!(sky.act(1, Action::Pay { items: many }), Err(Rejection::Items { count: 513, limit: 512 }));
    let twice = vec![owed(1, 1_950), owed(1, 1_950)];
    let found = sky.act(1, Action::Pay { items: twice });
    assert!(matches!(found, Err(Rejection::NothingNew { .. })), "{found:?}");
}

#[test]
fn l6_what_falls_due_is_bounded_by_block_and_none_is_lost() {
    let mut sky = Sky::with(Params { due_max: 3, ..Params::default() });
    for number in 1..=10 {
        open(&mut sky, number, 1_000);
    }
    sky.wait(200_000);
    assert_eq!(sky.events.len(), 3);
    assert_eq!(sky.balance(1), 993_000);
    for closed in [3, 3, 1, 0] {
        sky.wait(1);
        assert_eq!(sky.events.len(), closed);
    }
    assert_eq!(sky.balance(1), 1_000_000);
}
