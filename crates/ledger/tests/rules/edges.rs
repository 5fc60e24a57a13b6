//! The edges of what a genesis may say: the last value that is taken, and the first that is not.

use crate::common::{genesis, micros};
use opensky_ledger::{
    entry::SUPPLY_MAX,
    genesis::{Genesis, GenesisError},
    ledger::Ledger,
    params::Params,
    purse::Purse,
    registry::StarterGrant,
};
use opensky_types::Micros;

/// What becomes of the genesis of an open sky that is changed so.
fn begun(change: impl FnOnce(&mut Genesis)) -> Result<(), GenesisError> {
    let mut genesis = genesis(Params::default());
    change(&mut genesis);
    Ledger::new(&genesis).map(|_| ())
}

#[test]
fn a_genesis_may_set_each_number_as_high_as_its_limit() {
    type Set = fn(&mut Params, u64);
    let limits: [(&str, u64, Set); 4] = [
        ("puzzle_bits", 48, |params, value| params.puzzle_bits = value as u8),
        ("witnesses", 32, |params, value| params.witnesses = value as u8),
        ("equivocation_parts", 100_000, |params, value| params.equivocation_parts = value as u32),
        ("charge_max", 1_099_511_627_776, |params, value| params.charge_max = micros(value)),
    ];
    for (parameter, at_most, set) in limits {
        assert_eq!(begun(|genesis| set(&mut genesis.params, at_most)), Ok(()), "{parameter}");
        let value = at_most + 1;
        let found = begun(|genesis| set(&mut genesis.params, value));
        assert_eq!(found, Err(GenesisError::TooHigh { parameter, value, at_most }));
    }
}

#[test]
fn a_genesis_may_set_each_number_as_low_as_one() {
    type Set = fn(&mut Params, u64);
    let needed: [(&str, Set); 6] = [
        ("transactions_max", |params, value| params.transactions_max = value as u32),
        ("signatures_max", |params, value| params.signatures_max = value as u32),
        ("due_max", |params, value| params.due_max = value as u32),
        ("validity_ms_max", |params, value| params.validity_ms_max = value),
        ("escrow_ms_max", |params, value| params.escrow_ms_max = value),
        ("charge_ms_max", |params, value| params.charge_ms_max = value),
    ];
    for (parameter, set) in needed {
        assert_eq!(begun(|genesis| set(&mut genesis.params, 1)), Ok(()), "{parameter}");
        let found = begun(|genesis| set(&mut genesis.params, 0));
        assert_eq!(found, Err(GenesisError::Zero { parameter }));
    }
    assert_eq!(begun(|genesis| genesis.params.epoch_blocks = 2), Ok(()));
}

#[test]
fn l5_a_sky_begins_with_as_much_money_as_a_ledger_may_hold_and_no_more() {
    let with = |treasury: u64| {
        begun(|genesis| {
            genesis.balances.clear();
            genesis.treasury = Purse::free(micros(treasury));
        })
    };
    assert_eq!(with(SUPPLY_MAX), Ok(()));
    assert_eq!(with(SUPPLY_MAX + 1), Err(GenesisError::TooMuchMoney { micros: u128::from(SUPPLY_MAX) + 1 }));
}

#[test]
fn a_genesis_may_fix_the_claim_window_but_not_turn_it_round() {
    let with = |shortest_ms, longest_ms| {
        begun(|genesis| {
            genesis.params.claim_window_ms_min = shortest_ms;
            genesis.params.claim_window_ms_max = longest_ms;
        })
    };
    assert_eq!(with(5_000, 5_000), Ok(()));
    assert_eq!(with(5_001, 5_000), Err(GenesisError::Period { period: "claim window" }));
}

#[test]
fn a_sky_without_prices_has_neither_least_amounts_nor_a_grant() {
    let params = Params::free();
    let Params { new_account_min, withdraw_min, charge_min, charge_max, paid_min, .. } = params;
    assert_eq!([new_account_min, withdraw_min, charge_min, charge_max, paid_min], [Micros::ZERO; 5]);
    assert_eq!((params.economy, params.grant), (false, StarterGrant::OFF));
}
