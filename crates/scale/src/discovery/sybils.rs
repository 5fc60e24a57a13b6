//! Lookups among members of whom some are one attacker's, who answer with each other only.

use super::dht::{Dht, Outcome, Purpose, Rules};
use crate::{
    chance::Chance,
    links::Links,
    params::ALPHA,
    report::{Cell, Table, mean},
    run::{Progress, Trace},
    space::Space,
};

/// Keys that are put and looked for in one row.
const KEYS: usize = 300;
/// Nodes that an attacker places around one key.
const AROUND_A_KEY: usize = 40;

/// Where the attacker's nodes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// There are none.
    None,
    /// So many for each honest node, anywhere.
    Anywhere(usize),
    /// Few, around one key: their ids were tried until they lay there.
    Around,
}

/// Whether what an honest node puts is found by another one.
pub fn table(
    honest: usize,
    ratio: usize,
    seed: u64,
    trace: &mut Trace,
    progress: &mut Progress<'_>,
) -> Table {
    let mut table = Table::new(
        "sybils-lookups",
        format!("a record put by one honest node of {honest}, looked for by another"),
        &["the attacker", "paths", "alpha", "Sybils", "honest holders", "found", "requests", "p50 ms"],
    );
    let arrivals = [
        ("is no member (closed sky)", Ids::None),
        ("has ids anywhere", Ids::Anywhere(1)),
        ("has ids anywhere", Ids::Anywhere(ratio)),
        ("has 40 ids around the key", Ids::Around),
    ];
    for (name, ids) in arrivals {
        for (paths, parallelism) in [(1, ALPHA), (3, 3), (8, 8)] {
            progress(&format!("sybils: lookups, {name}, {paths} paths"));
            let rules = Rules { paths, parallelism, ..Rules::default() };
            let (sybils, tried) = attack(honest, ids, rules, seed, trace);
            let of = |measure: fn(&Tried) -> f64| mean(&tried.iter().map(measure).collect::<Vec<f64>>());
            table.row([
                Cell::from(name),
                paths.into(),
                parallelism.into(),
                sybils.into(),
                of(|tried| tried.holders).into(),
                of(|tried| tried.found).into(),
                of(|tried| tried.requests).into(),
                crate::report::quantile(
                    &mut tried.iter().map(|tried| tried.took_ms).collect::<Vec<f64>>(),
                    0.5,
                )
                .into(),
            ]);
        }
    }
    table.note("one path is what the product does today; goal: 99 % of lookups at 20:1");
    table
}

struct Tried {
    holders: f64,
    found: f64,
    requests: f64,
    took_ms: f64,
}

fn attack(honest: usize, ids: Ids, rules: Rules, seed: u64, trace: &mut Trace) -> (usize, Vec<Tried>) {
    let mut chance = Chance::new(seed, "sybils");
    let own: Vec<u64> = (0..honest).map(|_| chance.word()).collect();
    let mut tried = Vec::new();
    let mut sybils = 0;
    // Ids around a key are another attack for each key; others stay where they are.
    let (skies, keys) = if ids == Ids::Around { (10, KEYS / 10) } else { (1, KEYS) };
    for sky in 0..skies {
        let key = chance.word();
        let hostile: Vec<u64> = match ids {
            Ids::None => Vec::new(),
            Ids::Anywhere(ratio) => (0..honest * ratio).map(|_| chance.word()).collect(),
            Ids::Around => (0..AROUND_A_KEY).map(|_| key ^ chance.word() >> 24).collect(),
        };
        sybils = hostile.len();
        let mut dht = sky_of(&own, &hostile, rules, seed + sky);
        for _ in 0..keys {
            let target = if ids == Ids::Around { key } else { chance.word() };
            tried.push(put_and_get(&mut dht, target, &mut chance));
        }
        trace.add(dht.trace());
    }
    (sybils, tried)
}

fn sky_of(own: &[u64], hostile: &[u64], rules: Rules, seed: u64) -> Dht {
    let mut chance = Chance::new(seed, "sybils' sky");
    let space = Space::of(own.iter().chain(hostile).copied().collect());
    let links = Links::draw(space.len(), &mut chance);
    let mut dht = Dht::new(space, links, rules, chance);
    for key in hostile {
        if let Some(node) = dht.space.find(*key) {
            dht.hostile[node as usize] = true;
        }
    }
    dht.fill();
    dht
}

fn put_and_get(dht: &mut Dht, target: u64, chance: &mut Chance) -> Tried {
    let put = one(dht, target, chance);
    let holders: Vec<u32> = put.found.iter().copied().filter(|node| !dht.hostile[*node as usize]).collect();
    let get = one(dht, target, chance);
    let found = holders.iter().any(|holder| get.answered.contains(holder));
    Tried {
        holders: holders.len() as f64,
        found: f64::from(u8::from(found)),
        requests: f64::from(get.requests),
        took_ms: get.took as f64 / 1e3,
    }
}

/// One lookup by any honest node.
fn one(dht: &mut Dht, target: u64, chance: &mut Chance) -> Outcome {
    loop {
        let from = chance.below(dht.space.len()) as u32;
        if dht.hostile[from as usize] {
            continue;
        }
        dht.look_up(from, target, Purpose::Measured);
        let until = dht.now() + 2 * dht.rules.query_timeout;
        dht.run(until);
        if let Some(outcome) = dht.outcomes.pop() {
            return outcome;
        }
    }
}
