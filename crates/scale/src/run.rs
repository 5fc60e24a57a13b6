//! A whole run: which parts, in which order, and what one tells another.

use crate::{
    chance::Chance,
    discovery::{self, Upkeep, dht::Rules},
    gossip::{self, spread::Course},
    knocks, offers,
    queue::mix,
    report::{Report, Table},
    settlement, traffic, worth,
};
use serde::Serialize;
use std::{fmt, str::FromStr};

/// Hears what a run does at the moment.
pub type Progress<'a> = dyn FnMut(&str) + 'a;

/// Sybils for each honest node.
const SYBILS_EACH: usize = 20;
/// Nodes of a sky that is lived through under churn, message by message.
const LIVED_NODES: usize = 1_500;
/// Nodes of a sky in which gossip is varied: its size hardly matters there.
const VARIED_NODES: usize = 20_000;
/// Nodes of a sky whose traffic was measured on the product.
const SMALL_SKY: usize = 4;
/// Nodes of a sky whose connections fill up.
const FILLING_NODES: usize = 4_000;

/// What a run's events come to: two runs with the same numbers were the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trace {
    /// Events.
    pub events: u64,
    /// A digest of their order and times.
    pub digest: u64,
}

impl Trace {
    /// Adds the events of one model.
    pub fn add(&mut self, (events, digest): (u64, u64)) {
        self.events += events;
        self.digest = mix(self.digest ^ digest);
    }
}

/// One part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Lookups in the DHT.
    Lookups,
    /// Lookups while connections fill up.
    Connections,
    /// Gossip.
    Gossip,
    /// The index of offers over hours.
    Offers,
    /// What a choice is worth.
    Market,
    /// Load of the ledger.
    Settlement,
    /// What an idle node sends.
    Traffic,
    /// Nodes that come and go.
    Churn,
    /// Attackers.
    Sybils,
}

impl Part {
    /// All, in the order in which they run.
    pub const ALL: [Self; 9] = [
        Self::Lookups,
        Self::Connections,
        Self::Gossip,
        Self::Offers,
        Self::Market,
        Self::Settlement,
        Self::Traffic,
        Self::Churn,
        Self::Sybils,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lookups => "lookups",
            Self::Connections => "connections",
            Self::Gossip => "gossip",
            Self::Offers => "offers",
            Self::Market => "market",
            Self::Settlement => "settlement",
            Self::Traffic => "traffic",
            Self::Churn => "churn",
            Self::Sybils => "sybils",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(|part| part.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no part; there are {}", words()))
    }
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Nodes of the largest sky; smaller ones of a tenth and a hundredth are on the curves too.
    pub nodes: usize,
    /// The seed.
    pub seed: u64,
    /// The parts; empty for all.
    pub only: Vec<Part>,
}

impl Default for Options {
    fn default() -> Self {
        Self { nodes: 100_000, seed: 1, only: Vec::new() }
    }
}

/// Fewest nodes of a run.
pub const NODES_MIN: usize = 200;

struct Run<'a> {
    options: &'a Options,
    progress: &'a mut Progress<'a>,
    trace: Trace,
    tables: Vec<Table>,
}

/// Runs it all. The same options always give the same report, whatever the machine.
pub fn run<'a>(options: &'a Options, progress: &'a mut Progress<'a>) -> Report {
    let mut run = Run { options, progress, trace: Trace::default(), tables: Vec::new() };
    run.basics();
    run.work();
    run.faults();
    run.attacks();
    let Run { trace, tables, .. } = run;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&trace.events.to_le_bytes()).update(&trace.digest.to_le_bytes());
    for table in &tables {
        hasher.update(table.csv().as_bytes());
    }
    let hash = hasher.finalize().to_hex()[..32].to_owned();
    Report { nodes: options.nodes.max(NODES_MIN), seed: options.seed, events: trace.events, hash, tables }
}

impl Run<'_> {
    fn is_wanted(&self, part: Part) -> bool {
        self.options.only.is_empty() || self.options.only.contains(&part)
    }

    fn nodes(&self) -> usize {
        self.options.nodes.max(NODES_MIN)
    }

    fn sizes(&self) -> Vec<usize> {
        let all = [self.nodes() / 100, self.nodes() / 10, self.nodes()];
        all.into_iter().filter(|nodes| *nodes >= NODES_MIN).collect()
    }

    /// Lookups, gossip, and the traffic and settlement that follow from them.
    fn basics(&mut self) {
        let (sizes, seed) = (self.sizes(), self.options.seed);
        let traffic = self.is_wanted(Part::Traffic);
        let mut costs = Vec::new();
        if self.is_wanted(Part::Lookups) || traffic {
            let (table, found) = discovery::curve(&sizes, seed, &mut self.trace, self.progress);
            let requests = found.last().map_or(0.0, |upkeep| upkeep.requests);
            self.tables.extend([table, discovery::providers(&sizes, requests)]);
            costs = found;
        }
        if self.is_wanted(Part::Connections) {
            let nodes = self.nodes().min(FILLING_NODES);
            self.tables.push(discovery::saturation::curve(nodes, seed, &mut self.trace, self.progress));
            self.tables.push(discovery::dialling::table(self.nodes(), seed, self.progress));
        }
        if self.is_wanted(Part::Gossip) || traffic || self.is_wanted(Part::Settlement) {
            let (table, courses) = gossip::curve(&sizes, seed, &mut self.trace, self.progress);
            self.tables.push(table);
            if traffic {
                let seen = self.seen(&sizes, &costs, &courses);
                self.tables.extend([traffic::curve(&seen), traffic::busy(&seen)]);
            }
            if let (true, Some((_, course))) = (self.is_wanted(Part::Settlement), courses.last()) {
                let nodes = self.nodes();
                self.tables.push(settlement::curve(nodes, course, seed, &mut self.trace, self.progress));
            }
        }
    }

    /// What traffic is made of, by size of the sky; a small one first, which was measured.
    fn seen(&mut self, sizes: &[usize], costs: &[Upkeep], courses: &[(f64, Course)]) -> Vec<traffic::Seen> {
        let small = gossip::course(SMALL_SKY, self.options.seed, &mut self.trace);
        let mut dht = discovery::settled(SMALL_SKY, Rules::default(), self.options.seed);
        let requests = (SMALL_SKY - 1) as f64;
        let upkeep =
            discovery::upkeep(&mut dht, requests, &mut Chance::new(self.options.seed, "a small sky"));
        let sizes = [&[SMALL_SKY], sizes].concat();
        let costs = [&[upkeep], costs].concat();
        let courses = [&[small], courses].concat();
        let skies = sizes.into_iter().zip(costs).zip(courses);
        skies
            .map(|((nodes, upkeep), (peers, course))| traffic::Seen { nodes, peers, upkeep, course })
            .collect()
    }

    fn work(&mut self) {
        let (sizes, seed, nodes) = (self.sizes(), self.options.seed, self.nodes());
        if self.is_wanted(Part::Offers) {
            let mut small = vec![50, 80, 100];
            small.extend(sizes);
            self.tables.push(offers::curve(&small, seed, &mut self.trace, self.progress));
        }
        if self.is_wanted(Part::Market) {
            self.tables.push(worth::curve(nodes, seed, self.progress));
            self.tables.push(worth::crowd(nodes, seed, self.progress));
        }
    }

    fn faults(&mut self) {
        if !self.is_wanted(Part::Churn) {
            return;
        }
        let (nodes, seed) = (self.nodes(), self.options.seed);
        let lived = nodes.min(LIVED_NODES);
        let (table, kept) = discovery::churn::curve(lived, 1.0, seed, &mut self.trace, self.progress);
        self.tables.push(table);
        self.tables.push(discovery::churn::rules(kept, nodes, seed, &mut self.trace, self.progress));
        self.tables.push(gossip::variants(nodes.min(VARIED_NODES), seed, &mut self.trace, self.progress));
    }

    fn attacks(&mut self) {
        if !self.is_wanted(Part::Sybils) {
            return;
        }
        let (honest, seed) = (self.nodes() / (SYBILS_EACH + 1), self.options.seed);
        self.tables.push(knocks::table(seed, &mut self.trace, self.progress));
        self.tables.push(discovery::sybils::table(honest, SYBILS_EACH, seed, &mut self.trace, self.progress));
        self.tables.push(gossip::sybils::table(honest, SYBILS_EACH, seed, &mut self.trace, self.progress));
        self.tables.push(worth::sybils(honest, SYBILS_EACH, seed, self.progress));
    }
}
