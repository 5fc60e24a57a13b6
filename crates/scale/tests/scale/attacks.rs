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
    let honest = table.number(3, "honest in it").expect("it is a number");
    assert!(honest > 1.0, "a full index keeps a fair sample, whatever offers claim: {table}");
}

#[test]
fn t2_few_networks_do_not_shut_the_gate_and_a_hundred_do() {
    let open = |addresses| knocks::attack(addresses, 1, 6, &mut Trace::default()).let_in;
    assert_eq!((open(0), open(1), open(8), open(20)), (1.0, 1.0, 1.0, 1.0));
    let many = open(120);
    assert!(many < 0.9, "{many}");
    let together = knocks::attack(120, 8, 6, &mut Trace::default()).let_in;
    assert_eq!(together, 1.0, "who holds many addresses of few networks takes places from himself");
}
