//! Random lives of a market, each search compared with the obvious way to do it.

use crate::common::{NOW, demand, insert, market, node, offer};
use opensky_market::Market;
use opensky_types::{Timestamp, offer::Offer, place::Region};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof};

const NODES: u8 = 12;

#[derive(Debug, Clone)]
enum Step {
    Insert { node: u8, sequence: u64, ttl_ms: u64, slots_free: u16, region: usize },
    Forget { node: u8 },
    Rest { node: u8, for_ms: u64 },
    Rtt { node: u8, rtt_us: u64 },
    Reserve { node: u8, slots: u16 },
    Release { node: u8, slots: u16 },
    Pass { ms: u64 },
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let node = 1..=NODES;
    prop_oneof![
        4 => (node.clone(), 0..50_u64, 1..9_000_u64, 0..=4_u16, 0..8_usize).prop_map(
            |(node, sequence, ttl_ms, slots_free, region)| Step::Insert { node, sequence, ttl_ms, slots_free, region }
        ),
        1 => node.clone().prop_map(|node| Step::Forget { node }),
        1 => (node.clone(), 0..5_000_u64).prop_map(|(node, for_ms)| Step::Rest { node, for_ms }),
        1 => (node.clone(), any::<u64>()).prop_map(|(node, rtt_us)| Step::Rtt { node, rtt_us }),
        2 => (node.clone(), any::<u16>()).prop_map(|(node, slots)| Step::Reserve { node, slots: slots % 9 }),
        2 => (node, any::<u16>()).prop_map(|(node, slots)| Step::Release { node, slots: slots % 9 }),
        2 => (0..3_000_u64).prop_map(|ms| Step::Pass { ms }),
        1 => Just(Step::Expire),
    ]
}

fn apply(market: &mut Market, now: &mut Timestamp, step: Step) {
    match step {
        Step::Insert { node, sequence, ttl_ms, slots_free, region } => {
            let (made_at, expires_at) = (*now, now.plus_ms(ttl_ms));
            let region = Region::ALL[region];
            let offer = Offer { sequence, made_at, expires_at, slots_free, region, ..offer(node) };
            let known = market.get(offer.node).map(|known| known.sequence);
            let inserted = insert(market, *now, node, offer);
            assert_eq!(inserted.is_ok(), known.is_none_or(|known| sequence > known));
        }
        Step::Forget { node: number } => market.forget(node(number)),
        Step::Rest { node: number, for_ms } => market.rest(node(number), now.plus_ms(for_ms)),
        Step::Rtt { node: number, rtt_us } => market.observe_rtt(node(number), rtt_us),
        Step::Reserve { node: number, slots } => market.reserve(*now, node(number), slots),
        Step::Release { node: number, slots } => market.release(*now, node(number), slots),
        Step::Pass { ms } => *now = now.plus_ms(ms),
        Step::Expire => drop(market.expire(*now)),
    }
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn a_search_finds_the_best_that_fit(
        steps in prop::collection::vec(step(), 1..60), wanted in 0..6_usize, seed: u64,
    ) {
        let (mut market, mut now) = (market(), NOW);
        for step in steps {
            apply(&mut market, &mut now, step);
            market.check();
        }
        let all = market.find(now, &demand(), 100, &[], seed);
        let few = market.find(now, &demand(), wanted, &[], seed);
        // Everyone is either found or counted out, and only once.
        let excluded: u32 = all.counts.excluded.iter().map(|(_, count)| count).sum();
        prop_assert_eq!(all.counts.fitting + excluded, market.len() as u32);
        prop_assert_eq!(all.ranked.len() as u32, all.counts.fitting);
        prop_assert!(all.ranked.iter().all(|found| found.slots_free > 0));
        for found in &all.ranked {
            let offer = market.get(found.node).expect("found, so known");
            prop_assert!(offer.expires_at > now && offer.slots_total > 0);
        }
        // Looking for fewer gives the same list, cut short.
        prop_assert_eq!(&few.ranked[..], &all.ranked[..wanted.min(all.ranked.len())]);
        prop_assert_eq!(&few.counts, &all.counts);
    }
}
