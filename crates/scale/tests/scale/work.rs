//! Offers, market, settlement, traffic.

use opensky_market::{Config, Market};
use opensky_scale::{
    gossip, offers,
    params::{LIFE_INTERVALS, offer_interval_ms},
    run::Trace,
    settlement, stock, worth,
};
use opensky_types::Timestamp;

#[test]
fn t2_offers_hold_no_longer_than_the_index_takes_them() {
    let now = Timestamp::from_millis(1_767_225_600_000);
    for members in [1, 85, 86, 1_000, 100_000] {
        let expires_at = now.plus_ms(LIFE_INTERVALS * offer_interval_ms(members));
        let (offer, signed) = stock::plain(1, 1, now, expires_at);
        assert!(Market::new(Config::default()).insert(now, offer, signed).is_ok(), "{members} members");
    }
}

#[test]
fn t2_the_index_knows_all_that_are_there() {
    let mut trace = Trace::default();
    for nodes in [60, 400] {
        let held = offers::live(nodes, 1.0, 0.0, 1, &mut trace);
        assert_eq!((held.offers, held.dead, held.refused), (nodes, 0, 0));
    }
    let churned = offers::live(400, 6.0, 0.3, 1, &mut trace);
    assert!(churned.dead > 0 && churned.offers > churned.dead, "{churned:?}");
}

#[test]
fn t2_knowing_more_offers_never_makes_the_choice_worse() {
    let table = worth::curve(3_000, 2, &mut |_| {});
    let shares: Vec<f64> =
        (0..table.rows.len()).filter_map(|row| table.number(row, "of the best score")).collect();
    assert_eq!(shares.last(), Some(&1.0));
    assert!(shares.windows(2).all(|pair| pair[1] >= pair[0] - 0.02), "{shares:?}");
    assert!(shares[0] > 0.5);
}

#[test]
fn t2_settlement_conserves_what_it_counts() {
    let settled = settlement::settle(2_000, 1.0, 3, &mut Trace::default());
    // One escrow for each agreement, and at most a claim for each and each ten minutes of it.
    assert!(settled.transactions > settled.agreements, "{settled:?}");
    assert!(settled.transactions < 3 * settled.agreements, "{settled:?}");
    assert!(settled.signatures >= settled.transactions && settled.waiting < 50, "{settled:?}");
}

#[test]
fn t2_a_small_sky_is_as_quiet_as_it_was_measured() {
    let (peers, course) = gossip::course(4, 1, &mut Trace::default());
    assert_eq!((peers, course.reached), (3.0, 1.0));
    let offers_a_second = 4.0 / 30.0;
    // 136 to 151 bytes a second were measured on the product, with pings and the DHT in it.
    assert!((40.0..151.0).contains(&(offers_a_second * course.bytes)), "{course:?}");
}
