//! Filter, score and spread.

use crate::common::{NOW, demand, found, insert, market, node, offer};
use opensky_market::{Config, Market, capability_keys, keys_for};
use opensky_types::{
    Micros,
    job::{GpuNeed, Isolation, Needs},
    offer::{Demand, Offer},
    place::{Level, NodeKind, Region},
    reason::Misfit,
    resources::{Gpu, Limit},
    samples,
};

/// Each line bends an offer or a demand until exactly one test fails.
#[test]
fn every_test_is_counted_under_its_own_name() {
    type Bend = fn(&mut Offer, &mut Demand);
    let table: [(Misfit, Bend); 23] = [
        (Misfit::Level, |o, _| o.levels = vec![Level::Function]),
        (Misfit::Region, |_, d| d.constraints.regions = vec![Region::Asia, Region::Africa]),
        (Misfit::Kind, |_, d| d.constraints.kinds = vec![NodeKind::Ai, NodeKind::Storage]),
        (Misfit::Peer, |_, d| d.constraints.peers = vec![node(9)]),
        (Misfit::Excluded, |_, d| d.constraints.peers_excluded = vec![node(9), node(1)]),
        (Misfit::Cores, |_, d| d.constraints.cpu_cores_min = 9),
        (Misfit::Score, |_, d| d.constraints.score_min = 1_001),
        (Misfit::MachineMemory, |_, d| d.constraints.machine_memory_bytes_min = (16 << 30) + 1),
        (Misfit::Gpu, |_, d| d.constraints.gpus_min = 1),
        (Misfit::Gpu, |o, d| {
            o.hardware.gpus = vec![Gpu { model: "g".into(), vendor: "v".into(), memory_bytes: None }];
            d.needs.gpus = Some(GpuNeed::any(1));
        }),
        (Misfit::Registry, |o, d| {
            o.containers.registries = vec!["docker.io".into()];
            d.needs.image = samples::needy_program().needs.image;
        }),
        (Misfit::Isolation, |_, d| d.needs.isolation = Isolation::Gvisor),
        (Misfit::Price, |_, d| d.constraints.price_per_gfuel_max = Some(Micros::new(999))),
        (Misfit::Arch, |_, d| d.constraints.arch = Some("aarch64".into())),
        (Misfit::Arch, |o, d| {
            o.hardware.cpu_arch = "s390x".into();
            d.constraints.arch = Some("mips".into());
        }),
        (Misfit::TaskLimit(Limit::Memory), |_, d| d.limits.memory_bytes += 1),
        (Misfit::TaskLimit(Limit::Fuel), |_, d| d.limits.fuel += 1),
        (Misfit::TaskLimit(Limit::Time), |_, d| d.limits.wall_ms += 1),
        (Misfit::TaskLimit(Limit::Scratch), |_, d| d.limits.scratch_bytes += 1),
        (Misfit::TaskLimit(Limit::Output), |_, d| d.limits.output_bytes += 1),
        (Misfit::Closed, |o, _| (o.slots_total, o.slots_free) = (0, 0)),
        (Misfit::Full, |o, _| o.slots_free = 0),
        (Misfit::Expired, |o, _| o.expires_at = NOW.plus_ms(1)),
    ];
    for (misfit, bend) in table {
        let (mut offer, mut demand, mut market) = (offer(1), demand(), market());
        bend(&mut offer, &mut demand);
        insert(&mut market, NOW, 1, offer).expect("still a sane offer");
        let found = market.find(NOW.plus_ms(1), &demand, 16, &[], 0);
        assert_eq!(found.counts.excluded, vec![(misfit.clone(), 1)]);
        assert_eq!((found.counts.offers, found.counts.fitting, found.ranked.len()), (1, 0, 0));
        assert_eq!(found.busy.len(), usize::from(misfit == Misfit::Full), "only a full node is busy");
    }
}

#[test]
fn constraints_that_hold_exclude_nobody() {
    let (mut offer, mut demand, mut market) = (offer(1), demand(), market());
    offer.hardware.cpu_arch = "s390x".into();
    offer.hardware.gpus = vec![Gpu { model: "g".into(), vendor: "v".into(), memory_bytes: None }];
    offer.containers = samples::rich_offer(1).containers;
    demand.needs = Needs { gpus: Some(GpuNeed::any(1)), ..samples::needy_program().needs };
    demand.constraints.regions = vec![Region::Asia, Region::Europe];
    demand.constraints.kinds = vec![NodeKind::General];
    demand.constraints.peers = vec![node(1)];
    demand.constraints.cpu_cores_min = 8;
    demand.constraints.score_min = 1_000;
    demand.constraints.machine_memory_bytes_min = 16 << 30;
    demand.constraints.gpus_min = 1;
    demand.constraints.price_per_gfuel_max = Some(Micros::new(1_000));
    demand.constraints.arch = Some("s390x".into());
    insert(&mut market, NOW, 1, offer).expect("sane");
    assert_eq!(found(&market, NOW, &demand), vec![node(1)]);
}

#[test]
fn a_resting_node_is_left_alone_and_a_used_one_is_not_asked_again() {
    let mut market = market();
    for number in 1..=3 {
        insert(&mut market, NOW, number, offer(number)).expect("sane");
    }
    market.rest(node(1), NOW.plus_ms(500));
    let matches = market.find(NOW, &demand(), 16, &[node(2), node(77)], 0);
    assert_eq!(matches.ranked.iter().map(|found| found.node).collect::<Vec<_>>(), vec![node(3)]);
    assert_eq!(matches.counts.excluded, vec![(Misfit::Resting, 1), (Misfit::AlreadyUsed, 1)]);
    // A newer offer does not end the rest; time does.
    insert(&mut market, NOW, 1, Offer { sequence: 2, ..offer(1) }).expect("newer");
    assert_eq!(found(&market, NOW.plus_ms(499), &demand()).len(), 2);
    assert_eq!(found(&market, NOW.plus_ms(500), &demand()).len(), 3);
}

/// Better in one part, the same in all others, and by more than a near tie.
#[test]
fn cheaper_faster_nearer_and_freer_nodes_come_first() {
    let better: [fn(&mut Offer); 4] = [
        |o| o.price_per_gfuel = Micros::new(100),
        |o| o.hardware.score_per_core = 5_000,
        |o| o.region = Region::Europe,
        |o| o.slots_free = 4,
    ];
    for improve in better {
        let mut market = market();
        for number in 1..=2 {
            let mut offer = Offer { region: Region::Asia, slots_free: 1, ..offer(number) };
            if number == 2 {
                improve(&mut offer);
            }
            insert(&mut market, NOW, number, offer).expect("sane");
        }
        for seed in 0..50 {
            assert_eq!(market.find(NOW, &demand(), 1, &[], seed).ranked[0].node, node(2));
        }
    }
}

#[test]
fn a_measured_round_trip_counts_more_than_a_region() {
    let mut market = market();
    insert(&mut market, NOW, 1, offer(1)).expect("sane");
    insert(&mut market, NOW, 2, Offer { region: Region::Asia, ..offer(2) }).expect("sane");
    assert_eq!(found(&market, NOW, &demand())[0], node(1));
    market.observe_rtt(node(1), 250_000);
    market.observe_rtt(node(2), 900);
    market.check();
    assert_eq!(found(&market, NOW, &demand())[0], node(2));
}

#[test]
fn p4_home_region_first_and_others_once_it_is_full() {
    let mut market = market();
    for number in 1..=20 {
        let region = if number <= 10 { Region::Europe } else { Region::Oceania };
        insert(&mut market, NOW, number, Offer { region, ..offer(number) }).expect("sane");
    }
    let matches = market.find(NOW, &demand(), 8, &[], 3);
    assert!(matches.ranked.iter().all(|found| found.region == Region::Europe));
    for number in 1..=10 {
        market.reserve(NOW, node(number), 4);
    }
    let matches = market.find(NOW, &demand(), 8, &[], 3);
    assert!(matches.ranked.iter().all(|found| found.region == Region::Oceania));
    assert_eq!((matches.ranked.len(), matches.busy.len()), (8, 8));
}

#[test]
fn equal_regions_share_the_work_and_equal_nodes_the_first_place() {
    let mut market = Market::new(Config::default());
    for number in 0..40 {
        let region = if number % 2 == 0 { Region::Europe } else { Region::Africa };
        insert(&mut market, NOW, number, Offer { region, ..offer(number) }).expect("sane");
    }
    let mut first = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let matches = market.find(NOW, &demand(), 16, &[], seed);
        let europe = matches.ranked.iter().filter(|found| found.region == Region::Europe).count();
        assert!((4..=12).contains(&europe), "{europe} of 16 in one region");
        assert!(matches.ranked.iter().zip(1..).all(|(found, rank)| found.rank == rank));
        first.insert(matches.ranked[0].node);
        assert_eq!(matches, market.find(NOW, &demand(), 16, &[], seed), "the same seed, the same list");
    }
    assert!(first.len() >= 25, "only {} of 40 equal nodes were ever first", first.len());
}

#[test]
fn c3_no_claim_buys_more_than_its_part_of_the_score() {
    let (mut market, mut liar) = (market(), offer(1));
    liar.hardware.score_per_core = u32::MAX;
    liar.region = Region::Asia;
    liar.price_per_gfuel = Micros::new(u64::MAX);
    insert(&mut market, NOW, 1, liar).expect("sane");
    insert(&mut market, NOW, 2, offer(2)).expect("sane");
    assert_eq!(found(&market, NOW, &demand())[0], node(2));
}

#[test]
fn whoever_fits_advertises_a_key_that_is_looked_up() {
    let mut offer = offer(1);
    offer.hardware.gpus = vec![Gpu { model: "g".into(), vendor: "v".into(), memory_bytes: None }];
    let plain = demand();
    let mut gpu = demand();
    gpu.constraints.gpus_min = 1;
    let mut regional = demand();
    regional.constraints.regions = vec![Region::Asia, Region::Europe];
    let mut kind = demand();
    kind.constraints.kinds = vec![NodeKind::General];
    let advertised = capability_keys(&offer);
    for demand in [plain.clone(), gpu, regional.clone(), kind] {
        assert!(keys_for(&demand).iter().any(|key| advertised.contains(key)));
    }
    offer.region = Region::Africa;
    assert!(!keys_for(&regional).iter().any(|key| capability_keys(&offer).contains(key)));
    let mut named = plain;
    named.constraints.peers = vec![node(1)];
    assert!(keys_for(&named).is_empty());
}

#[test]
fn one_node_is_judged_as_a_search_judges_it() {
    let mut market = market();
    for number in 1..=3 {
        let slots_free = if number == 2 { 0 } else { 4 };
        insert(&mut market, NOW, number, Offer { slots_free, ..offer(number) }).expect("sane");
    }
    let mut wanted = demand();
    assert_eq!(market.fits(NOW, &wanted, node(1)), Ok(()));
    assert_eq!(market.fits(NOW, &wanted, node(2)), Err(Misfit::Full));
    assert_eq!(market.fits(NOW, &wanted, node(9)), Err(Misfit::Expired), "nobody knows it");
    wanted.constraints.peers_excluded = vec![node(1)];
    assert_eq!(market.fits(NOW, &wanted, node(1)), Err(Misfit::Excluded));
    wanted.constraints.peers = vec![node(3)];
    assert_eq!(market.fits(NOW, &wanted, node(2)), Err(Misfit::Peer));
    assert_eq!(market.fits(NOW, &wanted, node(3)), Ok(()));
}
