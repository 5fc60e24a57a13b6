//! Discovery: a DHT as libp2p's Kademlia is one, with the product's parameters.

pub mod churn;
pub mod dht;
pub mod dialling;
pub mod lookup;
pub mod saturation;
pub mod sybils;
pub mod table;

use crate::{
    chance::Chance,
    links::Links,
    params::{ANNOUNCE_INTERVAL, K, KEYS_ADVERTISED, LOOKUP_NODES_MAX, PROVIDERS_PER_KEY_MAX},
    report::{Cell, Table, mean, quantile},
    run::{Progress, Trace},
    sizes,
    space::Space,
};
use dht::{Dht, Outcome, Purpose, Rules};

/// Lookups that are measured for one row.
pub const LOOKUPS: usize = 1_000;
/// Refreshes of routing tables that are measured for one row.
const REFRESHES: usize = 40;
/// Round trips before the first request to a member that was met before: one handshake.
pub const MEETING_A_MEMBER: u64 = 1;
/// Before the first request to one that never was: a connection for the knock, the knock, and a connection that
/// carries more (`network/src/driver/connections.rs`). Writing the new member to disk comes on top.
pub const MEETING_A_STRANGER: u64 = 3;

/// Sums over lookups.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// Mean number of requests on the way to the nearest.
    pub hops: f64,
    /// Mean number of requests.
    pub requests: f64,
    /// Of those, to nodes that were not connected.
    pub met: f64,
    /// Half of all took no longer, in ms.
    pub p50_ms: f64,
    /// 99 of 100 took no longer, in ms.
    pub p99_ms: f64,
    /// Share whose time ran out.
    pub late: f64,
    /// Share that found the node nearest to the key.
    pub nearest: f64,
    /// Mean share of the true 20 nearest that were found.
    pub recall: f64,
}

impl Summary {
    /// What tables show of it.
    pub fn cells(&self) -> [Cell; 7] {
        [self.hops, self.requests, self.p50_ms, self.p99_ms, self.late, self.nearest, self.recall]
            .map(Cell::from)
    }
}

/// Makes `count` lookups of random keys by random nodes, one after the other, and sums them up.
pub fn measure(dht: &mut Dht, count: usize, chance: &mut Chance) -> Summary {
    dht.outcomes.clear();
    for _ in 0..count {
        let from = loop {
            let node = chance.below(dht.space.len()) as u32;
            if dht.is_there(node) && !dht.hostile[node as usize] {
                break node;
            }
        };
        dht.look_up(from, chance.word(), Purpose::Measured);
        let until = dht.now() + 2 * dht.rules.query_timeout;
        dht.run(until);
    }
    let outcomes = std::mem::take(&mut dht.outcomes);
    summary(dht, &outcomes)
}

/// Sums lookups up.
pub fn summary(dht: &Dht, outcomes: &[Outcome]) -> Summary {
    let of = |measure: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(measure).collect::<Vec<f64>>();
    let share = |is: &dyn Fn(&Outcome) -> bool| mean(&of(&|outcome| f64::from(u8::from(is(outcome)))));
    let mut took_ms = of(&|outcome| outcome.took as f64 / 1e3);
    let recall = |outcome: &Outcome| {
        let truth = dht.truly_closest(outcome.target, K, outcome.from);
        truth.iter().filter(|node| outcome.found.contains(node)).count() as f64 / truth.len().max(1) as f64
    };
    let is_nearest = |outcome: &Outcome| {
        dht.truly_closest(outcome.target, 1, outcome.from).first() == outcome.found.first()
    };
    Summary {
        hops: mean(&of(&|outcome| f64::from(outcome.hops))),
        requests: mean(&of(&|outcome| f64::from(outcome.requests))),
        met: mean(&of(&|outcome| f64::from(outcome.met))),
        p50_ms: quantile(&mut took_ms, 0.5),
        p99_ms: quantile(&mut took_ms, 0.99),
        late: share(&|outcome| outcome.is_late),
        nearest: share(&is_nearest),
        recall: mean(&of(&recall)),
    }
}

/// A sky in which nobody leaves and all tables are as full as they get.
pub fn settled(nodes: usize, rules: Rules, seed: u64) -> Dht {
    let mut chance = Chance::new(seed, "settled sky");
    let space = Space::draw(nodes, &mut chance);
    let links = Links::draw(space.len(), &mut chance);
    let mut dht = Dht::new(space, links, rules, chance);
    dht.fill();
    dht
}

/// What upkeep of the DHT costs a node of a settled sky.
#[derive(Debug, Clone, Copy, Default)]
pub struct Upkeep {
    /// Requests of a lookup of any key.
    pub requests: f64,
    /// Requests of one refresh of a routing table.
    pub refresh_requests: f64,
    /// Bytes that it makes all nodes send.
    pub refresh_bytes: f64,
}

/// Refreshes the tables of some nodes and counts what that takes.
pub fn upkeep(dht: &mut Dht, requests: f64, chance: &mut Chance) -> Upkeep {
    let before = dht.messages;
    for _ in 0..REFRESHES {
        let node = chance.below(dht.space.len()) as u32;
        churn::refresh(dht, node, chance);
        dht.run(u64::MAX);
    }
    let each = |count: u64| count as f64 / REFRESHES as f64;
    Upkeep {
        requests,
        refresh_requests: each(dht.messages.sent - before.sent) / 2.0,
        refresh_bytes: each(dht.messages.bytes - before.bytes),
    }
}

/// Hops and time of lookups over the size of the sky.
pub fn curve(
    counts: &[usize],
    seed: u64,
    trace: &mut Trace,
    progress: &mut Progress<'_>,
) -> (Table, Vec<Upkeep>) {
    let mut costs = Vec::new();
    let mut table = Table::new(
        "lookups",
        "a lookup in the DHT, nobody leaves: k = 20, alpha = 3",
        &[
            "nodes",
            "peers at hand",
            "hops",
            "requests",
            "p50 ms",
            "p99 ms",
            "time ran out",
            "nearest found",
            "20 nearest found",
        ],
    );
    table.plot = Some((0, 2));
    for nodes in counts {
        let kinds = [("connected", 0), ("known", MEETING_A_MEMBER), ("strangers", MEETING_A_STRANGER)];
        for (kind, meeting_round_trips) in kinds {
            progress(&format!("lookups: {nodes} nodes, {kind}"));
            let mut dht = settled(*nodes, Rules { meeting_round_trips, ..Rules::default() }, seed);
            let mut chance = Chance::new(seed, "lookups");
            let found = measure(&mut dht, LOOKUPS, &mut chance);
            if meeting_round_trips == 0 {
                costs.push(upkeep(&mut dht, found.requests, &mut chance));
            }
            trace.add(dht.trace());
            table.row([Cell::from(*nodes), kind.into()].into_iter().chain(found.cells()));
        }
    }
    table.note("connected: each request costs one round trip; known: a handshake before it; strangers: a handshake, a knock and another handshake, as the gate asks for");
    (table, costs)
}

/// What advertising and finding providers comes to where all nodes advertise the same few keys.
pub fn providers(counts: &[usize], requests: f64) -> Table {
    let mut table = Table::new(
        "providers",
        "keys that all nodes advertise, such as `any/function`: load of their 20 holders, and who is found",
        &[
            "nodes",
            "DHT requests/s a node",
            "renewals/s at a holder",
            "bytes/s at a holder",
            "providers kept",
            "share kept",
            "asked of one lookup",
        ],
    );
    let interval = ANNOUNCE_INTERVAL as f64 / 1e6;
    for nodes in counts {
        let renewals = *nodes as f64 / interval;
        table.row([
            Cell::from(*nodes),
            (KEYS_ADVERTISED as f64 * requests / interval).into(),
            renewals.into(),
            (renewals * sizes::ADD_PROVIDER as f64).into(),
            PROVIDERS_PER_KEY_MAX.min(*nodes).into(),
            (PROVIDERS_PER_KEY_MAX.min(*nodes) as f64 / *nodes as f64).into(),
            LOOKUP_NODES_MAX.min(*nodes).into(),
        ]);
    }
    table.note(
        "the first 64 that come are kept while they renew; each job asks 16 others of those that are found",
    );
    table
}
