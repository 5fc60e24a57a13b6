//! How long it takes to find the best 16 of 100,000 offers, beside a plain pass over as many bytes.
//!
//! `cargo run --release -p opensky-market --example match_100k`

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use opensky_market::{Config, Market, ROW_BYTES};
use opensky_types::{
    Keypair, Micros, Signed, Timestamp,
    job::Needs,
    offer::{Constraints, ContainerOffer, Demand, Offer},
    place::{Level, NodeKind, Region},
    resources::{HardwareProfile, TaskLimits},
};
use std::{hint::black_box, time::Instant};

const OFFERS: u64 = 100_000;
const WANTED: usize = 16;
const ROUNDS: usize = 201;

fn main() {
    let now = Timestamp::from_millis(1_700_000_000_000);
    let mut market = Market::new(Config { home_region: Region::Europe, ..Config::default() });
    for number in 0..OFFERS {
        let key = Keypair::from_seed(seed_bytes(number));
        let offer = offer(&key, now, scatter(number));
        let signed = Signed::sign(&offer, &key);
        market.insert(now, offer, signed).expect("the offer is sane");
    }
    let bytes = vec![1_u64; OFFERS as usize * ROW_BYTES / size_of::<u64>()];
    let scan_us = median(|_| {
        black_box(black_box(&bytes).iter().fold(0_u64, |sum, word| sum.wrapping_add(*word)));
    });
    println!("{OFFERS} offers in rows of {ROW_BYTES} bytes; plain scan of those bytes: {scan_us} us");
    let easy = Demand {
        level: Level::Vm,
        limits: TaskLimits::default(),
        constraints: Constraints::default(),
        needs: Needs::default(),
    };
    let picky = Demand {
        constraints: Constraints {
            regions: vec![Region::Europe, Region::Asia],
            kinds: vec![NodeKind::General],
            cpu_cores_min: 4,
            score_min: 500,
            price_per_gfuel_max: Some(Micros::new(1_500)),
            arch: Some("x86_64".into()),
            ..Constraints::default()
        },
        ..easy.clone()
    };
    for (name, demand) in [("any node", easy), ("six constraints", picky)] {
        let counts = market.find(now, &demand, WANTED, &[], 0).counts;
        let find_us = median(|seed| {
            black_box(market.find(now, black_box(&demand), WANTED, &[], seed));
        });
        let ratio = find_us as f64 / scan_us.max(1) as f64;
        println!("best {WANTED}, {name}: median {find_us} us, {ratio:.1} times the scan ({counts})");
    }
}

fn median(mut round: impl FnMut(u64)) -> u128 {
    let mut times: Vec<u128> = (0..ROUNDS as u64)
        .map(|seed| {
            let start = Instant::now();
            round(seed);
            start.elapsed().as_micros()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn offer(key: &Keypair, now: Timestamp, dice: u64) -> Offer {
    let slots_total = 1 + (dice >> 8 & 15) as u16;
    Offer {
        node: key.id(),
        sequence: 1,
        made_at: now,
        expires_at: now.plus_ms(60_000),
        region: Region::ALL[(dice >> 16 & 7) as usize],
        kinds: vec![if dice >> 24 & 3 == 0 { NodeKind::Ai } else { NodeKind::General }],
        levels: vec![Level::Function, Level::Vm],
        hardware: HardwareProfile {
            cpu_arch: if dice >> 28 & 3 == 0 { "aarch64" } else { "x86_64" }.into(),
            cpu_cores: 1 << (dice >> 32 & 7),
            memory_bytes: 64 << 30,
            score_per_core: (dice >> 36 & 2_047) as u32,
            ..HardwareProfile::default()
        },
        slots_total,
        slots_free: (dice >> 48) as u16 % (slots_total + 1),
        task_limits_max: TaskLimits::default(),
        engine: "example".into(),
        price_per_gfuel: Micros::new(dice >> 52 & 2_047),
        note: String::new(),
        containers: ContainerOffer::default(),
    }
}

fn seed_bytes(number: u64) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

/// Spreads counting numbers over all bits (the finalizer of SplitMix64).
fn scatter(number: u64) -> u64 {
    let value = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^ value >> 27
}
