//! Inference requests that may end below zero.

use crate::common::{Sky, account, micros, transfer};
use opensky_ledger::{action::Action, event::Event, params::Params, rejection::Rejection};
use opensky_types::Hash;

fn request() -> Hash {
    Hash::of(b"request")
}

fn begin(limit: u64) -> Action {
    Action::BeginCharge { request: request(), provider: account(2), limit: micros(limit) }
}

fn complete(cost: u64) -> Action {
    Action::CompleteCharge { consumer: account(1), request: request(), cost: micros(cost) }
}

/// A sky in which account 1 has this much.
fn with(amount: u64) -> Sky {
    let mut sky = Sky::new();
    sky.act(1, transfer(3, 1_000_000 - amount)).expect("it has that");
    sky
}

#[test]
fn l6_a_request_may_end_below_zero_and_then_nothing_new_begins() {
    let mut sky = with(1_000);
    assert_eq!(sky.act(1, begin(5_000)), Ok(()));
    assert_eq!(sky.act(2, complete(4_000)), Ok(()));
    assert_eq!((sky.balance(1), sky.balance(2)), (-3_000, 1_001_000));
    assert_eq!(sky.act(1, begin(1)), Err(Rejection::InDebt { debt: micros(3_000) }));
    let nothing = Rejection::TooLittle { available: micros(0), needed: micros(1) };
    assert_eq!(sky.act(1, transfer(2, 1)), Err(nothing));
    assert_eq!(sky.act(3, transfer(1, 3_500)), Ok(()), "income pays the debt first");
    assert_eq!((sky.balance(1), sky.balance(2)), (500, 1_004_000), "and the provider gets it");
    let little = Rejection::TooLittle { available: micros(500), needed: micros(1_000) };
    assert_eq!(sky.act(1, begin(1)), Err(little));
    assert_eq!(sky.act(3, transfer(1, 500)), Ok(()));
    assert_eq!(sky.act(1, begin(1)), Ok(()));
}

#[test]
fn l6_an_overdraft_is_bounded_by_one_request() {
    let mut sky = with(1_000);
    let limit = Params::default().charge_max;
    let high = Rejection::ChargeTooHigh { amount: micros(limit.get() + 1), limit };
    assert_eq!(sky.act(1, begin(limit.get() + 1)), Err(high));
    assert_eq!(sky.act(1, begin(5_000)), Ok(()));
    let other = Action::BeginCharge { request: Hash::of(b"2"), provider: account(3), limit: micros(5) };
    assert_eq!(sky.act(1, other), Err(Rejection::ChargeOpen { request: request() }));
    let aside = Rejection::TooLittle { available: micros(0), needed: micros(1_000) };
    assert_eq!(sky.act(1, transfer(3, 1_000)), Err(aside), "what it has is put aside");
    let over = Rejection::ChargeTooHigh { amount: micros(5_001), limit: micros(5_000) };
    assert_eq!(sky.act(2, complete(5_001)), Err(over));
    assert_eq!(sky.act(3, complete(5_000)), Err(Rejection::NoCharge { request: request() }));
    assert_eq!(sky.act(2, complete(5_000)), Ok(()));
    assert_eq!((sky.balance(1), sky.balance(2)), (-4_000, 1_001_000));
    assert_eq!(sky.act(2, complete(1)), Err(Rejection::NoCharge { request: request() }));
}

#[test]
fn l5_an_overdraft_makes_no_money() {
    let mut sky = Sky::new();
    let limit = Params::default().charge_max.get();
    assert_eq!(sky.act(2, transfer(40, 1_000)), Ok(()));
    assert_eq!(sky.act(40, begin(limit)), Ok(()));
    let whole = Action::CompleteCharge { consumer: account(40), request: request(), cost: micros(limit) };
    assert_eq!(sky.act(2, whole), Ok(()));
    assert_eq!((sky.balance(2), sky.balance(40)), (1_000_000, 1_000 - i128::from(limit)));
}

#[test]
fn what_a_request_did_not_cost_goes_back() {
    let mut sky = with(10_000);
    assert_eq!(sky.act(1, begin(5_000)), Ok(()));
    assert_eq!(sky.balance(1), 5_000);
    assert_eq!(sky.act(2, complete(1_200)), Ok(()));
    assert_eq!((sky.balance(1), sky.balance(2)), (8_800, 1_001_200));
}

#[test]
fn l6_a_circle_of_debts_ends() {
    let mut sky = with(1_000);
    assert_eq!(sky.act(2, transfer(3, 999_000)), Ok(()));
    assert_eq!(sky.act(1, begin(5_000)), Ok(()));
    let back = Action::BeginCharge { request: request(), provider: account(1), limit: micros(5_000) };
    assert_eq!(sky.act(2, back), Ok(()));
    assert_eq!(sky.act(2, complete(5_000)), Ok(()));
    let whole = Action::CompleteCharge { consumer: account(2), request: request(), cost: micros(5_000) };
    assert_eq!(sky.act(1, whole), Ok(()));
    let owed = |sky: &Sky| sky.balance(1) + sky.balance(2);
    let before = owed(&sky);
    assert_eq!(sky.act(3, transfer(1, 100)), Ok(()));
    assert_eq!(owed(&sky), before + 200, "it came in, and paid a debt of one of them");
    let nothing = Rejection::TooLittle { available: micros(0), needed: micros(1) };
    assert_eq!(sky.act(2, transfer(3, 1)), Err(nothing), "what it got pays its own debt first");
}

#[test]
fn m2_a_request_that_is_never_completed_costs_nothing() {
    let mut sky = with(1_000);
    assert_eq!(sky.act(1, begin(5_000)), Ok(()));
    sky.wait(Params::default().charge_ms_max);
    assert_eq!(sky.events, [Event::ChargeDropped { consumer: account(1), request: request() }]);
    assert_eq!(sky.act(2, complete(5_000)), Err(Rejection::NoCharge { request: request() }));
    assert_eq!(sky.balance(1), 1_000);
    assert_eq!(sky.act(1, begin(5_000)), Ok(()));
}

#[test]
fn l5_no_request_makes_money_where_work_is_free() {
    let mut sky = Sky::with(Params { charge_max: micros(5_000), ..Params::free() });
    assert_eq!(Params::free().charge_max, micros(0));
    assert_eq!(sky.act(1, begin(5_000)), Err(Rejection::NoEconomy));
    assert_eq!(sky.act(1, begin(0)), Ok(()));
    assert_eq!(sky.act(2, complete(0)), Ok(()));
}
