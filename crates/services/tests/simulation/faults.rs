//! Nodes that die, come back and are cut off; keepers that stand in.

use crate::{
    chance::Chance,
    heal,
    programs::Behaviour,
    settle,
    sky::{Sky, Weather},
    spec, stays,
};
use opensky_types::{ServiceId, service::ServiceSpec};

const KEEPERS: [usize; 3] = [0, 1, 2];
const NAMES: [&str; 2] = ["web", "db"];
/// How long after the last fault everything is as it should be, in milliseconds.
const HEALED_MS: u64 = 35_000;

fn deployed(seed: u64, slots: &[u16], replicas: u16) -> (Sky, ServiceId) {
    let mut sky = Sky::new(seed, slots);
    let service = sky.declare("web", &KEEPERS, Some(spec(Behaviour::Good, 1, replicas)));
    settle(&mut sky, service, 10_000);
    (sky, service)
}

#[test]
fn c10_replicas_spread_over_distinct_nodes() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, &[4; 6], 5);
        assert!(sky.spread(service).values().all(|count| *count == 1), "seed {seed}");
        stays(&mut sky, service, 5_000);
        // Where there are fewer nodes than replicas, none has two more than another.
        let (sky, service) = deployed(seed, &[4; 3], 7);
        let spread = sky.spread(service);
        assert!(spread.len() == 3 && spread.values().all(|count| (2..=3).contains(count)), "seed {seed}");
    }
}

#[test]
fn c10_f12_a_replica_of_a_dead_node_runs_elsewhere_within_ten_seconds() {
    let mut slowest_ms = 0;
    for seed in 0..24 {
        let (mut sky, service) = deployed(seed, &[0, 0, 0, 4, 4, 4, 4, 4], 3);
        let victims: Vec<_> = sky.spread(service).into_keys().collect();
        let victim = sky.chance.pick(&victims);
        let victim = sky.number(victim);
        sky.crash(victim);
        slowest_ms = slowest_ms.max(settle(&mut sky, service, 10_000));
        stays(&mut sky, service, 15_000);
        // It comes back empty, and nothing moves for that.
        sky.come_back(victim);
        stays(&mut sky, service, 15_000);
    }
    println!("slowest: {slowest_ms} ms");
}

#[test]
fn c10_f12_the_acting_keeper_dies_with_a_host_and_the_next_one_stands_in_within_ten_seconds() {
    let mut slowest_ms = 0;
    for seed in 0..24 {
        let (mut sky, service) = deployed(seed, &[2, 2, 2, 2, 2, 2], 5);
        sky.crash(0);
        if seed % 2 == 1 {
            let other = sky.chance.between(3, 5) as usize;
            sky.crash(other);
        }
        slowest_ms = slowest_ms.max(settle(&mut sky, service, 10_000));
        assert_eq!(sky.acting(service), Some(1), "seed {seed}");
        stays(&mut sky, service, 15_000);
        // The first one is back and acts again; nothing that runs is touched for it.
        let before = sky.replicas(service).len();
        sky.come_back(0);
        sky.run(20_000, |sky| assert!(sky.answering_slots(service).len() == before, "seed {seed}"));
        assert_eq!(sky.acting(service), Some(0), "seed {seed}");
        settle(&mut sky, service, 2_000);
    }
    println!("slowest: {slowest_ms} ms");
}

#[test]
fn c10_a_keeper_that_restarts_leaves_alone_what_runs() {
    for seed in 0..20 {
        let mut sky = Sky::new(seed, &[0, 2, 2, 2, 2, 2]);
        let service = sky.declare("web", &[0], Some(spec(Behaviour::Good, 1, 5)));
        settle(&mut sky, service, 10_000);
        let until_ms = sky.chance.between(1, 20_000);
        sky.run(until_ms, |_| {});
        let ids =
            |sky: &Sky| sky.replicas(service).iter().map(|(report, _)| report.replica).collect::<Vec<_>>();
        let before = ids(&sky);
        sky.crash(0);
        let away_ms = sky.chance.between(1, 20_000);
        sky.run(away_ms, |sky| assert_eq!(ids(sky), before));
        sky.come_back(0);
        sky.run(30_000, |sky| assert_eq!(ids(sky), before, "seed {seed}: {}", sky.story(service)));
        settle(&mut sky, service, 0);
    }
}

#[test]
fn c10_a_keeper_that_slept_leaves_alone_what_runs() {
    for seed in 0..20 {
        let mut sky = Sky::new(seed, &[0, 0, 0, 2, 2, 2, 2, 2]);
        let service = sky.declare("web", &KEEPERS, Some(spec(Behaviour::Good, 1, 3)));
        settle(&mut sky, service, 10_000);
        sky.run(3_000, |_| {});
        let ids =
            |sky: &Sky| sky.replicas(service).iter().map(|(report, _)| report.replica).collect::<Vec<_>>();
        let before = ids(&sky);
        let number = sky.chance.below(3) as usize;
        for _ in 0..3 {
            sky.sleep(number);
            let asleep_ms = sky.chance.between(1, 60_000);
            sky.run(asleep_ms, |sky| assert_eq!(ids(sky), before, "seed {seed}: {}", sky.story(service)));
            sky.wake(number);
            let awake_ms = sky.chance.between(1, 20_000);
            sky.run(awake_ms, |sky| assert_eq!(ids(sky), before, "seed {seed}: {}", sky.story(service)));
        }
        sky.run(20_000, |sky| assert_eq!(ids(sky), before, "seed {seed}: {}", sky.story(service)));
        settle(&mut sky, service, 0);
    }
}

#[test]
fn c10_f1_two_keepers_that_act_apart_agree_once_they_hear_each_other() {
    for seed in 0..20 {
        let (mut sky, service) = deployed(seed, &[3; 7], 4);
        for _ in 0..2 {
            // Each half has a keeper; each places what it cannot see.
            let groups: Vec<u64> = (0..sky.nodes.len())
                .map(|number| if number < 2 { number as u64 } else { sky.chance.below(2) })
                .collect();
            sky.partition(&groups);
            let apart_ms = sky.chance.between(1_000, 15_000);
            sky.run(apart_ms, |_| {});
            sky.heal();
            settle(&mut sky, service, HEALED_MS);
        }
        stays(&mut sky, service, 15_000);
    }
}

/// F1, F12, F15: everything at once, then calm.
#[test]
fn c10_f1_f12_f15_random_skies_heal() {
    let mut slowest_ms = 0;
    for seed in 0..80 {
        let mut chance = Chance(seed);
        let mut sky = Sky::new(seed, &[2, 2, 2, 2, 2, 2, 2]);
        sky.weather = Weather {
            loss_per_mille: chance.pick(&[0, 50, 200]),
            repeat_per_mille: chance.pick(&[0, 100]),
            delay_ms_max: chance.pick(&[50, 400, 1_500]),
            calm: false,
        };
        println!("seed {seed}: {:?}", sky.weather);
        // Two services, so that there is not always room for both.
        let services = NAMES.map(|name| declare(&mut sky, &mut chance, name, 1));
        storm(&mut sky, &mut chance);
        sky.calm();
        slowest_ms = slowest_ms.max(heal(&mut sky, &services, HEALED_MS));
    }
    println!("slowest: {slowest_ms} ms");
}

/// Half a minute in which anything may happen.
fn storm(sky: &mut Sky, chance: &mut Chance) {
    for revision in 2.. {
        let wait_ms = chance.between(500, 4_000);
        sky.run(wait_ms, |_| {});
        if sky.now > 30_000 {
            return;
        }
        let number = chance.below(7) as usize;
        match chance.below(8) {
            0..=2 => sky.crash(number),
            3..=4 => (0..7).for_each(|number| sky.come_back(number)),
            5 => {
                let groups: Vec<u64> = (0..8).map(|_| chance.below(2)).collect();
                sky.partition(&groups);
            }
            6 => sky.heal(),
            _ if KEEPERS.iter().any(|number| sky.nodes[*number].is_up) => {
                let name = chance.pick(&NAMES);
                if chance.per_mille(150) {
                    sky.declare(name, &KEEPERS, None);
                } else {
                    declare(sky, chance, name, revision);
                }
            }
            _ => {}
        }
    }
}

fn declare(sky: &mut Sky, chance: &mut Chance, name: &str, number: u64) -> ServiceId {
    let behaviour = chance.pick(&[Behaviour::Good, Behaviour::Flaky]);
    let replicas = chance.between(1, 4) as u16;
    let spec = ServiceSpec { name: name.into(), ..spec(behaviour, number, replicas) };
    sky.declare(name, &KEEPERS, Some(spec))
}
