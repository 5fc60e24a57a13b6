//! Whole runs.

use opensky_scale::{Options, Part, run};

fn options(seed: u64, only: &[Part]) -> Options {
    Options { nodes: 300, seed, only: only.to_vec() }
}

#[test]
fn t2_a_seed_run_twice_is_the_same_run() {
    let parts = [Part::Lookups, Part::Gossip, Part::Offers, Part::Market, Part::Settlement, Part::Traffic];
    let once = run(&options(1, &parts), &mut |_| {});
    let twice = run(&options(1, &parts), &mut |_| {});
    assert_eq!(once, twice);
    let other = run(&options(2, &parts), &mut |_| {});
    assert_ne!(once.hash, other.hash);
    assert_ne!(once.events, other.events);
}

#[test]
fn t2_each_part_has_a_word_and_makes_tables() {
    for part in Part::ALL {
        assert_eq!(part.as_str().parse::<Part>(), Ok(part));
    }
    assert!("weather".parse::<Part>().is_err());
    let mut told = Vec::new();
    let report = run(&options(1, &[Part::Market]), &mut |what| told.push(what.to_owned()));
    let ids: Vec<&str> = report.tables.iter().map(|table| table.id).collect();
    assert_eq!(ids, ["market", "market-crowd"]);
    assert!(told.iter().all(|what| what.starts_with("market")), "{told:?}");
}
