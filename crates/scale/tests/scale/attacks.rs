//! Attackers in the DHT and in the market.

use opensky_scale::{discovery::sybils, knocks, run::Trace, worth};

#[test]
fn t2_lookups_hold_in_a_closed_sky_and_fall_to_ids_around_a_key() {
    let table = sybils::table(120, 2, 4, &mut Trace::default(), &mut |_| {});
    let found = |row| table.number(row, "found").expect("it is a number");
    assert_eq!(found(0), 1.0, "{table}");
    assert!(found(9) < 0.5, "40 ids around a key hide it: {table}");
}

#[test]
fn t2_the_market_takes_a_members_offer_for_what_it_says() {
    let table = worth::sybils(100, 20, 5, &mut |_| {});
    let chosen = |row| table.number(row, "Sybils chosen").expect("it is a number");
    assert_eq!(chosen(0), 0.0);
    assert!(chosen(1) > 0.5 && chosen(2) == 1.0, "{table}");
    assert_eq!(table.number(3, "honest in it"), Some(0.0), "a full index keeps what holds longest: {table}");
}

/// A fault of the product that the model found: places for strangers are few, and bans are by key, which costs nothing.
#[test]
fn t2_one_address_never_shuts_the_gate_and_a_few_do() {
    let open = |addresses| knocks::attack(addresses, 6, &mut Trace::default()).let_in;
    assert_eq!(open(0), 1.0);
    assert_eq!(open(1), 1.0);
    assert!(open(8) < 0.2, "{}", open(8));
}
