//! What becomes of lookups as a sky ages: each node that a lookup meets stays connected, until there are more
//! connections than are of use. Where they never ended, all nodes were full soon.

use super::{
    dht::{Dht, Next, Purpose, Rules},
    measure,
};
use crate::{
    chance::Chance,
    links::Links,
    params::{CONNECTIONS_MAX, CONNECTIONS_TARGET},
    queue::SECOND,
    report::{Cell, Table},
    run::{Progress, Trace},
    space::Space,
};

/// Lookups that each node has made when a row is measured.
const ROUNDS: [usize; 5] = [0, 1, 2, 4, 8];
/// What refreshes of a routing table's buckets, and seven keys, come to.
const IDLE_LOOKUPS: usize = 20;
/// Lookups measured for one row.
const MEASURED: usize = 300;

/// A sky that grew: each node that came connected to as many that were there as it aims at.
pub fn grown(nodes: usize, rules: Rules, seed: u64) -> Dht {
    let mut chance = Chance::new(seed, "grown sky");
    let space = Space::draw(nodes, &mut chance);
    let links = Links::draw(space.len(), &mut chance);
    let mut order: Vec<u32> = (0..space.len() as u32).collect();
    let all = order.len();
    chance.draw(&mut order, all);
    let mut dht = Dht::new(space, links, rules, Chance::new(seed, "grown sky's ways"));
    for came in 1..order.len() {
        let mut tries = 0;
        while dht.degree(order[came]) < CONNECTIONS_TARGET.min(came) && tries < 8 * CONNECTIONS_TARGET {
            dht.connect(order[came], order[chance.below(came)]);
            tries += 1;
        }
    }
    dht
}

/// Lookups as the sky ages.
pub fn curve(nodes: usize, seed: u64, trace: &mut Trace, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "connections",
        format!("{nodes} nodes that stay connected to whom they meet: lookups as the sky ages"),
        &[
            "surplus connections",
            "lookups by each",
            "connections",
            "full nodes",
            "requests",
            "of them to be met",
            "p50 ms",
            "nearest found",
            "20 nearest found",
        ],
    );
    table.plot = Some((1, 7));
    let today = Rules { is_bounded: true, meeting_round_trips: super::MEETING_A_MEMBER, ..Rules::default() };
    for (name, rules) in [("end (today)", today), ("never end", Rules { idle_max: usize::MAX, ..today })] {
        let mut dht = grown(nodes, rules, seed);
        let mut chance = Chance::new(seed, "ageing");
        let mut done = 0;
        for round in ROUNDS {
            progress(&format!("connections {name}: {nodes} nodes, {round} lookups by each"));
            age(&mut dht, round - done, &mut chance);
            done = round;
            let degrees = || (0..dht.space.len() as u32).map(|node| dht.degree(node));
            let total: usize = degrees().sum();
            let full = degrees().filter(|degree| *degree >= CONNECTIONS_MAX).count();
            let found = measure(&mut dht, MEASURED, &mut chance);
            table.row([
                Cell::from(name),
                round.into(),
                (total as f64 / nodes as f64).into(),
                (full as f64 / nodes as f64).into(),
                found.requests.into(),
                found.met.into(),
                found.p50_ms.into(),
                found.nearest.into(),
                found.recall.into(),
            ]);
        }
        trace.add(dht.trace());
    }
    table.note(format!(
        "an idle node makes about {IDLE_LOOKUPS} lookups an hour: refreshes and advertising, each hour"
    ));
    table
}

/// Each node makes so many lookups of random keys, within a minute each.
fn age(dht: &mut Dht, lookups: usize, chance: &mut Chance) {
    for _ in 0..lookups {
        let began = dht.now();
        for node in 0..dht.space.len() as u32 {
            dht.plan(began + chance.below(60 * SECOND as usize) as u64, node);
        }
        while let Next::Call(node) = dht.run(u64::MAX) {
            dht.look_up(node, chance.word(), Purpose::Refresh(Vec::new()));
        }
    }
}
