//! Lookups.

use opensky_scale::{
    chance::Chance,
    discovery::{
        churn,
        dht::{Dht, Rules},
        dialling, measure, saturation, settled,
    },
    params::CONNECTIONS_MAX,
};

#[test]
fn t2_lookups_in_a_settled_sky_always_find_the_nearest() {
    for nodes in [1, 2, 15, 300, 3_000] {
        let mut dht = settled(nodes, Rules::default(), 5);
        let found = measure(&mut dht, 100, &mut Chance::new(5, "lookups"));
        if nodes > 1 {
            assert_eq!((found.nearest, found.recall, found.late), (1.0, 1.0, 0.0), "{nodes} nodes");
        }
    }
}

#[test]
fn t2_hops_grow_with_the_logarithm_of_the_nodes() {
    let hops = |nodes| {
        let mut dht = settled(nodes, Rules::default(), 6);
        measure(&mut dht, 200, &mut Chance::new(6, "lookups")).hops
    };
    let (small, middle, large) = (hops(250), hops(1_000), hops(4_000));
    assert!(small < middle && middle < large, "{small} {middle} {large}");
    // Each hop gains at least one bit (Maymounkov, Mazières 2002), and with 20 in a bucket several.
    assert!(large < (4_000_f64 / 20.0).log2(), "{large}");
    // Equal factors of size cost about equally many hops.
    assert!((large - middle - (middle - small)).abs() < 0.35, "{small} {middle} {large}");
}

fn quiet(dht: &Dht) {
    let messages = dht.messages;
    assert_eq!(messages.sent, messages.delivered + messages.lost, "{messages:?}");
}

#[test]
fn t2_every_message_of_the_dht_arrives_or_is_lost() {
    let mut dht = settled(400, Rules::default(), 7);
    measure(&mut dht, 50, &mut Chance::new(7, "lookups"));
    dht.run(u64::MAX);
    quiet(&dht);
    assert_eq!(dht.messages.lost, 0);
    dht.rules.forgets_gone = false;
    for node in (0..400).step_by(3) {
        dht.gone_at[node] = Some(0);
    }
    measure(&mut dht, 50, &mut Chance::new(8, "lookups"));
    dht.run(u64::MAX);
    quiet(&dht);
    assert!(dht.messages.lost > 0);
}

#[test]
fn t2_churn_leaves_tables_right_and_newcomers_find_their_place() {
    let churn::Lived { mut dht, stale } = churn::live(150, 0.5, 0.5, 9);
    assert!(stale > 0.0 && stale < 0.5, "{stale}");
    for node in 0..dht.space.len() as u32 {
        dht.tables[node as usize].check(&dht.space, node);
    }
    assert_eq!((0..dht.space.len() as u32).filter(|node| dht.is_there(*node)).count(), 150);
    let found = measure(&mut dht, 60, &mut Chance::new(9, "lookups"));
    assert!(found.nearest > 0.9, "{found:?}");
}

#[test]
fn t2_connections_stay_within_their_bound() {
    let rules = Rules { is_bounded: true, ..Rules::default() };
    let mut dht = saturation::grown(800, rules, 10);
    measure(&mut dht, 100, &mut Chance::new(10, "lookups"));
    for node in 0..800 {
        assert!(dht.degree(node) <= CONNECTIONS_MAX);
        dht.tables[node as usize].check(&dht.space, node);
    }
}

#[test]
fn t2_dialling_by_id_loads_few_nodes_and_by_chance_all() {
    let table = dialling::table(2_000, 11, &mut |_| {});
    let held = |row| table.number(row, "held by a tenth of nodes").expect("it is a number");
    assert!(held(1) > 2.0 * held(0), "{table}");
}

#[test]
fn t2_a_silent_end_of_few_makes_many_lookups_late() {
    // As in libp2p by itself, with dials as long as they were; the product no longer leaves it at that.
    let rules = Rules { forgets_gone: false, dial_timeout: 10_000_000, ..Rules::default() };
    let mut dht = settled(1_000, rules, 12);
    let mut chance = Chance::new(12, "gone");
    for node in 0..1_000 {
        if chance.is(0.03) {
            dht.gone_at[node] = Some(0);
        }
    }
    let kept = measure(&mut dht, 60, &mut chance);
    dht.rules.dial_timeout = Rules::default().dial_timeout;
    let quick = measure(&mut dht, 60, &mut chance);
    dht.rules = Rules::default();
    let forgotten = measure(&mut dht, 60, &mut chance);
    assert!(kept.late > 0.2 && quick.late < 0.1 && forgotten.late < 0.1, "{kept:?} {quick:?} {forgotten:?}");
}
