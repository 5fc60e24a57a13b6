//! Nodes that come and go: each lives for an exponential time, and for each that goes another one comes.

use super::{
    Summary,
    dht::{Dht, Next, Purpose, Rules},
    measure,
    table::Table as Routes,
};
use crate::{
    chance::Chance,
    links::Links,
    params::BOOTSTRAP_INTERVAL,
    queue::{SECOND, Time},
    report::{Cell, Table},
    run::{Progress, Trace},
    space::Space,
};

/// One hour.
const HOUR: Time = 3_600 * SECOND;
/// Lookups measured for one row.
const MEASURED: usize = 500;
/// Nodes that a newcomer knows at first.
const INVITED_BY: usize = 3;
/// The sky of a curve that is kept for more: in which this share leaves an hour.
const KEPT: f64 = 0.3;

/// A sky that has lived with churn for a while.
pub struct Lived {
    /// It.
    pub dht: Dht,
    /// Entries of routing tables whose node is gone, as a share of all.
    pub stale: f64,
}

/// Lets `nodes` live for `hours`, of which `leaving` (a share) leave each hour. Every message is an event: joins,
/// refreshes, lookups.
pub fn live(nodes: usize, leaving: f64, hours: f64, seed: u64) -> Lived {
    let mut chance = Chance::new(seed, "churn");
    // The share `leaving` has left after an hour: a mean life of -1 / ln(1 - leaving).
    let mean_life = if leaving > 0.0 { HOUR as f64 / -(1.0 - leaving).ln() } else { f64::INFINITY };
    let span = (hours * HOUR as f64) as Time;
    let reserve =
        if leaving > 0.0 { (nodes as f64 * span as f64 / mean_life * 1.3) as usize + 64 } else { 0 };
    let space = Space::draw(nodes + reserve, &mut chance);
    let links = Links::draw(space.len(), &mut chance);
    let mut waiting: Vec<u32> = (0..space.len() as u32).collect();
    let all = waiting.len();
    chance.draw(&mut waiting, all);
    let mut dht = Dht::new(space, links, Rules::default(), Chance::new(seed, "churn's ways"));
    let mut there = waiting.split_off(waiting.len().saturating_sub(nodes));
    for node in &waiting {
        dht.gone_at[*node as usize] = Some(0);
    }
    dht.fill();
    let mut goes_at: Vec<Time> = vec![Time::MAX; all];
    for node in &there {
        arrive(&mut dht, *node, mean_life, &mut goes_at, &mut chance);
    }
    while let Next::Call(call) = dht.run(span) {
        let (node, goes) = (call >> 1, call & 1 == 1);
        if goes {
            dht.gone_at[node as usize] = Some(dht.now());
            let Some(next) = waiting.pop() else { continue };
            if let Some(place) = there.iter().position(|other| *other == node) {
                there[place] = next;
            }
            join(&mut dht, next, &there, &mut chance);
            arrive(&mut dht, next, mean_life, &mut goes_at, &mut chance);
        } else if dht.is_there(node) {
            refresh(&mut dht, node, &mut chance);
            dht.plan(dht.now() + BOOTSTRAP_INTERVAL, call);
        }
    }
    let stale = stale_share(&dht);
    Lived { dht, stale }
}

/// Plans a node's end and its first refresh.
fn arrive(dht: &mut Dht, node: u32, mean_life: f64, goes_at: &mut [Time], chance: &mut Chance) {
    let now = dht.now();
    if mean_life.is_finite() {
        goes_at[node as usize] = now + chance.exponential(mean_life) as Time;
        dht.plan(goes_at[node as usize], node << 1 | 1);
    }
    dht.plan(now + chance.below(BOOTSTRAP_INTERVAL as usize) as Time, node << 1);
}

/// A newcomer knows few, and looks for the nodes around itself.
fn join(dht: &mut Dht, node: u32, there: &[u32], chance: &mut Chance) {
    dht.gone_at[node as usize] = None;
    dht.tables[node as usize] = Routes::default();
    for _ in 0..INVITED_BY {
        let other = there[chance.below(there.len())];
        if dht.is_there(other) {
            dht.learn(node, other);
            dht.learn(other, node);
        }
    }
    refresh(dht, node, chance);
}

/// Looks a node up by itself, then a random key of each of its buckets but the deepest (libp2p-kad's `bootstrap`).
pub fn refresh(dht: &mut Dht, node: u32, chance: &mut Chance) {
    let own = dht.space.key(node);
    let buckets = dht.tables[node as usize].refreshed().map(|bucket| {
        let bit = 1_u64 << (63 - bucket.min(63));
        own & !(bit - 1) & !bit | (own ^ bit) & bit | chance.word() & (bit - 1)
    });
    let targets: Vec<u64> = buckets.collect();
    dht.look_up(node, own, Purpose::Refresh(targets));
}

fn stale_share(dht: &Dht) -> f64 {
    let (mut entries, mut stale) = (0_u64, 0_u64);
    for node in (0..dht.space.len() as u32).filter(|node| dht.is_there(*node)) {
        for entry in dht.tables[node as usize].entries() {
            entries += 1;
            stale += u64::from(!dht.is_there(entry));
        }
    }
    stale as f64 / entries.max(1) as f64
}

/// Columns of both tables.
const COLUMNS: [&str; 9] = [
    "what is other",
    "stale entries",
    "hops",
    "requests",
    "p50 ms",
    "p99 ms",
    "time ran out",
    "nearest found",
    "20 nearest found",
];

/// Lookups over the share of nodes that leave each hour, and the sky in which 30 % do.
pub fn curve(
    nodes: usize,
    hours: f64,
    seed: u64,
    trace: &mut Trace,
    progress: &mut Progress<'_>,
) -> (Table, Lived) {
    let mut columns = COLUMNS.to_vec();
    columns[0] = "leave an hour";
    columns.push("upkeep B/s");
    let title = format!("{nodes} nodes after {hours} h in which some leave and as many come");
    let mut table = Table::new("churn-lookups", title, &columns);
    table.plot = Some((0, 6));
    let mut kept = None;
    for leaving in [0.0, 0.1, 0.3, 0.6] {
        progress(&format!("churn: {nodes} nodes, {leaving} leave an hour"));
        let mut lived = live(nodes, leaving, hours, seed);
        let upkeep = lived.dht.messages.bytes as f64 / nodes as f64 / (hours * 3_600.0);
        let found = measure(&mut lived.dht, MEASURED, &mut Chance::new(seed, "lookups under churn"));
        trace.add(lived.dht.trace());
        let mut cells = row(leaving.into(), lived.stale, found);
        cells.push(upkeep.into());
        table.row(cells);
        // The last of them that is not beyond 30 %.
        kept = if leaving <= KEPT { Some(lived) } else { kept };
    }
    table.note("the ends of nodes are silent, as when a machine loses power; dials to them time out after 4 s, lookups end after 5 s");
    (table, kept.unwrap_or_else(|| live(nodes, KEPT, hours, seed)))
}

fn row(first: Cell, stale: f64, found: Summary) -> Vec<Cell> {
    [first, stale.into()].into_iter().chain(found.cells()).collect()
}

/// What other rules would do: in the sky that lived with churn, and in a large one of whose entries as many are stale.
pub fn rules(lived: Lived, large: usize, seed: u64, trace: &mut Trace, progress: &mut Progress<'_>) -> Table {
    let title = "where 30 % leave an hour: what other rules would do";
    let mut table = Table::new("churn-rules", title, &COLUMNS);
    let Lived { mut dht, stale } = lived;
    let now = Rules::default();
    let quick = Rules { dial_timeout: SECOND, ..now };
    let rules = [
        ("today", now),
        ("alpha 10", Rules { parallelism: 10, ..now }),
        ("lookups end after 30 s", Rules { query_timeout: 30 * SECOND, ..now }),
        ("dials end after 1 s", quick),
        ("who is gone stays in tables, as in libp2p", Rules { forgets_gone: false, ..now }),
    ];
    for (name, rules) in rules {
        progress(&format!("churn: {name}"));
        dht.rules = rules;
        let found = measure(&mut dht, MEASURED, &mut Chance::new(seed, "lookups under churn"));
        table.row(row(name.into(), stale, found));
    }
    trace.add(dht.trace());
    for (name, rules) in [("today", now), ("dials end after 1 s", quick)] {
        progress(&format!("churn: {large} nodes, {name}"));
        let mut dht = stale_sky(large, stale, rules, seed);
        let found = measure(&mut dht, MEASURED, &mut Chance::new(seed, "lookups under churn"));
        trace.add(dht.trace());
        table.row(row(format!("{name}, {large} nodes").into(), stale, found));
    }
    table.note("in the large sky stale entries lie anywhere; where a sky lives with churn they gather around those who went, so its figures are the true ones");
    table
}

/// A settled sky in which then as many nodes vanish at once as make that share of entries stale.
fn stale_sky(nodes: usize, stale: f64, rules: Rules, seed: u64) -> Dht {
    let mut dht = super::settled((nodes as f64 / (1.0 - stale)) as usize, rules, seed);
    let mut chance = Chance::new(seed, "vanishing");
    for node in 0..dht.space.len() {
        if chance.is(stale) {
            dht.gone_at[node] = Some(0);
        }
    }
    dht
}
