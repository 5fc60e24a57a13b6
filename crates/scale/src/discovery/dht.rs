//! The DHT: nodes with their routing tables, and lookups whose every request and answer is an event.

use super::{
    lookup::{Lookup, Step},
    table::Table,
};
use crate::{
    chance::Chance,
    links::Links,
    params::{ALPHA, CONNECTIONS_MAX, DIAL_TIMEOUT, K, MEMBERS_IDLE_MAX, NOTICED_AFTER, QUERY_TIMEOUT},
    queue::{Queue, Time},
    sizes,
    space::Space,
};
use std::collections::{BTreeMap, VecDeque};

/// How a lookup works, and what it costs to meet a node.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Nodes asked at a time, over all paths.
    pub parallelism: usize,
    /// Paths that share no node (S/Kademlia); 1: as it is.
    pub paths: usize,
    /// After this a node that does not come up counts as failed.
    pub dial_timeout: Time,
    /// After this a lookup ends with what it has.
    pub query_timeout: Time,
    /// Round trips before the first request to a node: 0 where all are connected.
    pub meeting_round_trips: u64,
    /// Whether connections are counted and bounded as the product bounds them.
    pub is_bounded: bool,
    /// Connections beyond which the oldest end, down to three quarters.
    pub idle_max: usize,
    /// Whether who is noticed to be gone leaves the routing tables at once (`network/src/driver/connections.rs`); libp2p
    /// by itself keeps and tells of it.
    pub forgets_gone: bool,
}

impl Default for Rules {
    /// As it is today, between nodes that are connected.
    fn default() -> Self {
        Self {
            parallelism: ALPHA,
            paths: 1,
            dial_timeout: DIAL_TIMEOUT,
            query_timeout: QUERY_TIMEOUT,
            meeting_round_trips: 0,
            is_bounded: false,
            idle_max: MEMBERS_IDLE_MAX,
            forgets_gone: true,
        }
    }
}

/// Why a lookup is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To be measured.
    Measured,
    /// To fill or refresh the routing table; what is left to be looked up after it.
    Refresh(Vec<u64>),
}

/// What became of a lookup.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Who looked.
    pub from: u32,
    /// For which key.
    pub target: u64,
    /// The nearest that answered, nearest first.
    pub found: Vec<u32>,
    /// All that answered.
    pub answered: Vec<u32>,
    /// Requests that lay on the way to the nearest.
    pub hops: u8,
    /// Requests sent.
    pub requests: u32,
    /// Of those, to nodes that were not connected.
    pub met: u32,
    /// Time it took.
    pub took: Time,
    /// Whether its time ran out.
    pub is_late: bool,
}

/// Messages: how many, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Messages {
    /// Sent.
    pub sent: u64,
    /// Arrived.
    pub delivered: u64,
    /// Sent to a node that was gone.
    pub lost: u64,
    /// Bytes sent.
    pub bytes: u64,
}

enum Event {
    Ask { lookup: u32, to: u32 },
    Answer { lookup: u32, from: u32, closer: Vec<u32> },
    Fail { lookup: u32, node: u32 },
    End { lookup: u32 },
    Call(u32),
}

struct Query {
    from: u32,
    target: u64,
    purpose: Purpose,
    began: Time,
    requests: u32,
    met: u32,
    paths: Vec<Lookup>,
    /// Which path asked a node.
    asked: BTreeMap<u32, u8>,
}

/// All nodes, and the lookups under way.
pub struct Dht {
    /// Who is near whom.
    pub space: Space,
    /// How long messages take.
    pub links: Links,
    /// By node.
    pub tables: Vec<Table>,
    /// When each node went, if it did.
    pub gone_at: Vec<Option<Time>>,
    /// Nodes that answer with each other only, so that all lookups end among them.
    pub hostile: Vec<bool>,
    /// How lookups are made.
    pub rules: Rules,
    /// Counts of messages.
    pub messages: Messages,
    /// Lookups that have ended and that were to be measured.
    pub outcomes: Vec<Outcome>,
    /// In the order of ids.
    connected: Vec<Vec<u32>>,
    /// The same, oldest first.
    since: Vec<VecDeque<u32>>,
    queue: Queue<Event>,
    queries: BTreeMap<u32, Query>,
    count: u32,
    chance: Chance,
}

/// What a caller of [`Dht::run`] is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A call that it planned is due.
    Call(u32),
    /// Nothing is left until then.
    Idle,
}

impl Dht {
    /// Nodes without tables.
    pub fn new(space: Space, links: Links, rules: Rules, chance: Chance) -> Self {
        let nodes = space.len();
        Self {
            space,
            links,
            tables: vec![Table::default(); nodes],
            gone_at: vec![None; nodes],
            hostile: vec![false; nodes],
            rules,
            messages: Messages::default(),
            outcomes: Vec::new(),
            connected: vec![Vec::new(); nodes],
            since: vec![VecDeque::new(); nodes],
            queue: Queue::default(),
            queries: BTreeMap::new(),
            count: 0,
            chance,
        }
    }

    /// Fills all tables as after a long life together.
    pub fn fill(&mut self) {
        for node in 0..self.space.len() as u32 {
            let gone_at = &self.gone_at;
            let is_there = |other: u32| gone_at[other as usize].is_none();
            if is_there(node) && !self.hostile[node as usize] {
                self.tables[node as usize] = Table::full(&self.space, node, &mut self.chance, is_there);
            }
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Time {
        self.queue.now()
    }

    /// Events so far, and a number that names their order.
    pub fn trace(&self) -> (u64, u64) {
        (self.queue.count(), self.queue.digest())
    }

    /// Whether a node is there.
    pub fn is_there(&self, node: u32) -> bool {
        self.gone_at[node as usize].is_none()
    }

    /// The nodes that are nearest to a key in truth.
    pub fn truly_closest(&self, target: u64, count: usize, without: u32) -> Vec<u32> {
        self.space.closest(target, count, |node| node != without && self.is_there(node))
    }

    /// Connections of a node.
    pub fn degree(&self, node: u32) -> usize {
        self.connected[node as usize].len()
    }

    /// Connects two nodes, if both have room, and lets them know each other.
    pub fn connect(&mut self, one: u32, other: u32) -> bool {
        if self.is_connected(one, other) {
            return true;
        }
        if one == other || self.degree(one) >= CONNECTIONS_MAX || self.degree(other) >= CONNECTIONS_MAX {
            return false;
        }
        for (own, peer) in [(one, other), (other, one)] {
            let peers = &mut self.connected[own as usize];
            if let Err(place) = peers.binary_search(&peer) {
                peers.insert(place, peer);
                self.since[own as usize].push_back(peer);
            }
            self.learn(own, peer);
        }
        self.let_idle_go(one);
        self.let_idle_go(other);
        true
    }

    /// Ends the oldest connections of a node that has too many. Tables keep them.
    fn let_idle_go(&mut self, node: u32) {
        if self.degree(node) <= self.rules.idle_max {
            return;
        }
        while self.degree(node) > self.rules.idle_max * 3 / 4 {
            let Some(oldest) = self.since[node as usize].pop_front() else { return };
            self.since[oldest as usize].retain(|peer| *peer != node);
            for (own, peer) in [(node, oldest), (oldest, node)] {
                self.connected[own as usize].retain(|other| *other != peer);
            }
        }
    }

    fn is_connected(&self, one: u32, other: u32) -> bool {
        self.connected[one as usize].binary_search(&other).is_ok()
    }

    /// A node met another.
    pub fn learn(&mut self, own: u32, other: u32) {
        let (now, gone_at) = (self.queue.now(), &self.gone_at);
        let is_gone = |node: u32| gone_at[node as usize].is_some_and(|at| at + NOTICED_AFTER <= now);
        self.tables[own as usize].learn(&self.space, own, other, is_gone);
    }

    /// Asks to be told at a time, by a number of the caller's choice.
    pub fn plan(&mut self, at: Time, call: u32) {
        self.queue.at(at, Event::Call(call));
    }

    /// Begins a lookup.
    pub fn look_up(&mut self, from: u32, target: u64, purpose: Purpose) {
        self.count += 1;
        let known = self.known(from, target, from);
        let paths = self.rules.paths.max(1);
        let parallelism = self.rules.parallelism.div_ceil(paths);
        // The nearest that are known are dealt out to the paths.
        let share = |path: usize| known.iter().skip(path).step_by(paths);
        let with_distance = |node: &u32| (*node, self.space.key(*node) ^ target);
        let lookups = (0..paths).map(|path| Lookup::new(parallelism, share(path).map(with_distance)));
        let query = Query {
            from,
            target,
            purpose,
            began: self.queue.now(),
            requests: 0,
            met: 0,
            paths: lookups.collect(),
            asked: BTreeMap::new(),
        };
        self.queries.insert(self.count, query);
        self.queue.after(self.rules.query_timeout, Event::End { lookup: self.count });
        self.advance(self.count);
    }

    /// What a node knows near a key, as it tells another one.
    fn known(&mut self, own: u32, target: u64, asker: u32) -> Vec<u32> {
        if self.rules.forgets_gone {
            let (now, gone_at, space) = (self.queue.now(), &self.gone_at, &self.space);
            let is_gone = |node: u32| gone_at[node as usize].is_some_and(|at| at + NOTICED_AFTER <= now);
            let table = &mut self.tables[own as usize];
            let gone: Vec<u32> = table.entries().filter(|node| is_gone(*node)).collect();
            gone.into_iter().for_each(|node| table.drop(space, own, node));
        }
        self.tables[own as usize].closest(&self.space, own, target, K, asker)
    }

    /// Lets time pass until a planned call is due, all is quiet, or it is `until`.
    pub fn run(&mut self, until: Time) -> Next {
        while let Some(event) = self.queue.next(until) {
            match event {
                Event::Call(call) => return Next::Call(call),
                Event::Ask { lookup, to } => self.on_ask(lookup, to),
                Event::Answer { lookup, from, closer } => self.on_answer(lookup, from, &closer),
                Event::Fail { lookup, node } => self.on_fail(lookup, node),
                Event::End { lookup } => self.end(lookup, true),
            }
        }
        Next::Idle
    }

    fn advance(&mut self, lookup: u32) {
        let Some(mut query) = self.queries.remove(&lookup) else { return };
        let mut is_done = true;
        for path in 0..query.paths.len() {
            loop {
                match query.paths[path].step() {
                    Step::Ask(node) => self.ask(&mut query, lookup, path as u8, node),
                    Step::Wait => {
                        is_done = false;
                        break;
                    }
                    Step::Done => break,
                }
            }
        }
        self.queries.insert(lookup, query);
        if is_done {
            self.end(lookup, false);
        }
    }

    fn ask(&mut self, query: &mut Query, lookup: u32, path: u8, node: u32) {
        let distance = self.space.key(node) ^ query.target;
        if query.asked.contains_key(&node) {
            // Another path has it: its answer goes to that one only.
            return query.paths[usize::from(path)].on_answer(distance, []);
        }
        query.asked.insert(node, path);
        query.requests += 1;
        let is_connected = self.rules.is_bounded && self.is_connected(query.from, node);
        let mut way = self.links.one_way(query.from, node, &mut self.chance);
        if !is_connected {
            query.met += 1;
            if self.rules.is_bounded && self.is_there(node) && !self.connect(query.from, node) {
                // One of the two is full. The own side knows at once, the other's no takes its time.
                let is_full = self.degree(query.from) >= CONNECTIONS_MAX;
                return self.queue.after(if is_full { 0 } else { 2 * way }, Event::Fail { lookup, node });
            }
            way += self.rules.meeting_round_trips * self.links.round_trip(query.from, node);
        }
        self.messages.sent += 1;
        self.messages.bytes += sizes::KAD_REQUEST;
        self.queue.after(way, Event::Ask { lookup, to: node });
    }

    fn on_ask(&mut self, lookup: u32, to: u32) {
        if !self.is_there(to) {
            self.messages.lost += 1;
            return self.queue.after(self.rules.dial_timeout, Event::Fail { lookup, node: to });
        }
        self.messages.delivered += 1;
        let Some(query) = self.queries.get(&lookup) else { return };
        let (from, target) = (query.from, query.target);
        let closer = if self.hostile[to as usize] {
            self.space.closest(target, K, |node| self.hostile[node as usize] && node != to)
        } else {
            self.known(to, target, from)
        };
        if !self.rules.is_bounded {
            self.learn(to, from);
        }
        self.messages.sent += 1;
        self.messages.bytes += sizes::kad_answer(closer.len());
        let way = self.links.one_way(to, from, &mut self.chance);
        self.queue.after(way, Event::Answer { lookup, from: to, closer });
    }

    fn on_answer(&mut self, lookup: u32, from: u32, closer: &[u32]) {
        let Some(query) = self.queries.get_mut(&lookup) else {
            // It came after its lookup had ended, to a node that may be gone.
            return self.messages.delivered += 1;
        };
        let (own, target) = (query.from, query.target);
        if self.gone_at[own as usize].is_some() {
            self.messages.lost += 1;
            self.queries.remove(&lookup);
            return;
        }
        self.messages.delivered += 1;
        let space = &self.space;
        let distance = |node: u32| space.key(node) ^ target;
        if let Some(path) = query.asked.get(&from) {
            let others = closer.iter().filter(|node| **node != own).map(|node| (*node, distance(*node)));
            query.paths[usize::from(*path)].on_answer(distance(from), others);
        }
        if !self.rules.is_bounded {
            self.learn(own, from);
        }
        self.advance(lookup);
    }

    fn on_fail(&mut self, lookup: u32, node: u32) {
        let Some(query) = self.queries.get_mut(&lookup) else { return };
        let distance = self.space.key(node) ^ query.target;
        if let Some(path) = query.asked.get(&node) {
            query.paths[usize::from(*path)].on_failure(distance);
        }
        if self.rules.forgets_gone {
            self.tables[query.from as usize].drop(&self.space, query.from, node);
        }
        self.advance(lookup);
    }

    fn end(&mut self, lookup: u32, is_late: bool) {
        let Some(query) = self.queries.remove(&lookup) else { return };
        if let Purpose::Refresh(mut left) = query.purpose {
            if let (Some(target), true) = (left.pop(), self.is_there(query.from)) {
                self.look_up(query.from, target, Purpose::Refresh(left));
            }
            return;
        }
        let mut found: Vec<(u32, u8)> = query.paths.iter().flat_map(Lookup::found).collect();
        found.sort_by_key(|(node, hop)| (self.space.key(*node) ^ query.target, *hop));
        found.dedup_by_key(|(node, _)| *node);
        found.truncate(K);
        self.outcomes.push(Outcome {
            from: query.from,
            target: query.target,
            hops: found.first().map_or(0, |(_, hop)| *hop),
            found: found.into_iter().map(|(node, _)| node).collect(),
            answered: query.paths.iter().flat_map(Lookup::answered).collect(),
            requests: query.requests,
            met: query.met,
            took: self.queue.now() - query.began,
            is_late,
        });
    }
}
