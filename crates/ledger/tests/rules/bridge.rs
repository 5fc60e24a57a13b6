//! Deposits and withdrawals.

use crate::common::{Sky, account, micros, transfer};
use opensky_ledger::{
    action::Action,
    bridge::withdrawals,
    entry::SUPPLY_MAX,
    evm::{Address, claims::ClaimTree},
    params::Params,
    rejection::Rejection,
};
use opensky_types::Hash;

fn deposit(to: u8, amount: u64) -> Action {
    Action::Deposit { chain: 1, id: Hash::of(b"deposit"), to: account(to), amount: micros(amount) }
}

fn withdraw(chain: u64, address: u8, amount: u64) -> Action {
    Action::Withdraw { chain, address: Address::from_bytes([address; 20]), amount: micros(amount) }
}

#[test]
fn l4_a_deposit_is_credited_once_and_by_more_than_two_thirds() {
    let mut sky = Sky::new();
    let no_quorum = |signed| Err(Rejection::NoQuorum { signed, validators: 3 });
    assert_eq!(sky.act_by(account(1), &[1], deposit(1, 5_000)), no_quorum(0));
    assert_eq!(sky.act_by(account(1), &[1, 100, 101], deposit(1, 5_000)), no_quorum(2));
    let stranger = sky.act_by(account(1), &[1, 100, 101, 99], deposit(1, 5_000));
    assert!(matches!(stranger, Err(Rejection::UnneededSignature { .. })), "{stranger:?}");
    assert_eq!(sky.act_by(account(1), &[1, 100, 101, 102], deposit(40, 5_000)), Ok(()));
    assert_eq!(sky.balance(40), 5_000);
    let known = Rejection::DepositKnown { chain: 1, id: Hash::of(b"deposit") };
    assert_eq!(sky.act_by(account(2), &[2, 100, 101, 102], deposit(40, 5_000)), Err(known));
    assert_eq!(sky.act(40, withdraw(1, 7, 5_000)), Ok(()));
}

#[test]
fn withdrawals_add_up_and_are_proven_by_a_checkpoint() {
    let mut sky = Sky::new();
    for amount in [1_000, 500] {
        assert_eq!(sky.act(1, withdraw(1, 7, amount)), Ok(()));
    }
    assert_eq!(sky.act(1, withdraw(10, 7, 1_030)), Ok(()));
    assert_eq!(sky.act(2, withdraw(1, 8, 1_004)), Ok(()));
    assert_eq!(sky.balance(1), 997_470);
    let tree = ClaimTree::new(withdrawals(sky.ledger.state())).expect("they are in order");
    assert_eq!(tree.root().sum, 3_534);
    let id = Hash::from_bytes(*account(1).as_bytes());
    let (claim, proof) = tree.prove(&id, 1, &Address::from_bytes([7; 20])).expect("it is there");
    assert_eq!(claim.cumulative, micros(1_500));
    proof.verify(&tree.root(), &claim).expect("the proof holds");
}

#[test]
fn l5_a_grant_never_leaves_however_often_it_changes_hands() {
    let mut sky = Sky::new();
    assert_eq!(sky.act(6, transfer(7, 500_000)), Ok(()));
    assert_eq!(sky.act(7, transfer(3, 500_000)), Ok(()));
    for (number, free) in [(6, 0), (3, 1_000_000)] {
        let found = sky.act(number, withdraw(1, 7, free + 1_000));
        assert!(matches!(found, Err(Rejection::Granted { .. })), "{found:?}");
    }
    assert_eq!(sky.act(3, withdraw(1, 7, 1_000_000)), Ok(()));
    assert_eq!(sky.balance(3), 500_000);
    let zero = Rejection::Dust { amount: micros(0), at_least: micros(1) };
    assert_eq!(sky.act(3, withdraw(1, 7, 0)), Err(zero));
}

/// If the provider could not be paid when the claim falls due, no block could be made any more.
#[test]
fn l5_money_that_could_not_be_counted_in_one_account_does_not_come_in() {
    let mut sky = Sky::new();
    let mut numbers = 0_u8..;
    let mut deposit = |sky: &mut Sky, to, amount| {
        let id = Hash::of(&[numbers.next().expect("few")]);
        let action = Action::Deposit { chain: 1, id, to: account(to), amount: micros(amount) };
        sky.act_by(account(1), &[1, 100, 101, 102], action)
    };
    let there = 6_000_050;
    assert_eq!(deposit(&mut sky, 3, u64::MAX), Err(Rejection::Overflow));
    assert_eq!(deposit(&mut sky, 3, SUPPLY_MAX - there + 1), Err(Rejection::Overflow));
    assert_eq!(deposit(&mut sky, 3, SUPPLY_MAX - there - 1_000_000), Ok(()));
    assert_eq!(deposit(&mut sky, 2, 1_000_000), Ok(()));
    assert_eq!(deposit(&mut sky, 2, 1_000), Err(Rejection::Overflow));
    // All of it meets in one account by itself.
    let all = u64::try_from(sky.balance(3)).expect("it has that");
    assert_eq!(sky.act(3, Action::OpenEscrow(sky.opening(1, 2, all))), Ok(()));
    let items = vec![crate::escrow::unsigned(1, all, 1)];
    assert_eq!(sky.act(2, Action::Claim { items }), Ok(()));
    sky.wait(60_000);
    assert_eq!(sky.balance(2), i128::from(all) + 2_000_000);
    // What left makes room.
    assert_eq!(sky.act(2, withdraw(1, 7, 5_000)), Ok(()));
    assert_eq!(deposit(&mut sky, 2, 5_000), Ok(()));
}

#[test]
fn a_free_sky_takes_no_deposits() {
    let mut sky = Sky::with(Params::free());
    let found = sky.act_by(account(1), &[1, 100, 101, 102], deposit(1, 5_000));
    assert_eq!(found, Err(Rejection::NoEconomy));
}

#[test]
fn l6_a_new_place_in_the_state_has_a_price() {
    let mut sky = Sky::new();
    let dust = |amount| Rejection::Dust { amount: micros(amount), at_least: micros(1_000) };
    assert_eq!(sky.act(1, withdraw(1, 7, 999)), Err(dust(999)));
    assert_eq!(sky.act(1, withdraw(1, 7, 1_000)), Ok(()));
    assert_eq!(sky.act(1, withdraw(1, 7, 1)), Ok(()), "the place is there");
    let nobody = Err(Rejection::NoAccount { account: account(40) });
    assert_eq!(sky.act(1, Action::OpenEscrow(sky.opening(1, 40, 5_000))), nobody);
    let begin = Action::BeginCharge { request: Hash::of(b"1"), provider: account(40), limit: micros(5) };
    assert_eq!(sky.act(1, begin), nobody);
}
