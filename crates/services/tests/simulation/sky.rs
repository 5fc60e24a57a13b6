//! A sky in virtual time: nodes with real cores and keys, a network that loses, doubles, delays and reorders.

use crate::{
    chance::Chance,
    node::{Node, Port},
    programs::Behaviour,
    state::PORT,
};
use opensky_services::{HostInput, KeeperInput};
use opensky_types::{
    Hash, NodeId, ServiceId, Signed, Timestamp,
    job::Blob,
    samples,
    service::{
        Advert, Declaration, Declared, Earlier, Placement, Refusal, ReplicaId, ReplicaReport, SaveId, Saved,
        ServiceSpec,
    },
};
use std::{collections::BTreeMap, rc::Rc};

/// Milliseconds of one step.
pub const STEP_MS: u64 = 100;
/// How long a node waits for an answer, in milliseconds.
const ANSWER_MS: u64 = 2_000;
/// How long a node that died is still on the market, in milliseconds.
const STALE_MS: u64 = 10_000;

/// The sky's name.
pub fn sky_hash() -> Hash {
    Hash::of(b"test sky")
}

/// A moment of virtual time.
pub fn time(now: u64) -> Timestamp {
    samples::NOW.plus_ms(now)
}

/// A question to another node.
#[derive(Debug, Clone)]
pub enum Ask {
    Keep(Rc<Declared>),
    Keeping(ServiceId),
    Place(Rc<Declared>, Signed<Placement>, Option<Saved>),
    Withdraw(ReplicaId),
    Report(ServiceId, Vec<Signed<Placement>>, Vec<(u16, SaveId)>),
}

/// Its answer.
#[derive(Debug, Clone)]
pub enum Reply {
    Done(Result<(), Refusal>),
    Keeping(u64, bool, u64, Vec<(u16, Saved)>),
    Reports(Vec<(ReplicaReport, Signed<Placement>)>),
}

/// What a node waits for.
#[derive(Debug, Clone)]
struct Call {
    from: usize,
    life: u32,
    to: usize,
    ask: Ask,
}

#[derive(Debug, Clone)]
enum Event {
    Asked(u64, Call),
    Answered(u64, Reply),
    TimedOut(u64),
    Gossip(usize, Rc<Signed<Advert>>),
    Host(usize, u32, HostInput),
    Probe(usize, u32, ReplicaId, u32),
    Start(usize, u32, ReplicaId, u32),
    Stop(usize, u32, ReplicaId, u32),
    Found(usize, u32, ServiceId, u16, Vec<NodeId>),
    Prepared(usize, u32, ReplicaId, bool, Option<Blob>, Vec<NodeId>),
    Held(usize, u32, ServiceId, u16, Saved, Vec<NodeId>),
}

/// What goes wrong on the way.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    pub loss_per_mille: u64,
    pub repeat_per_mille: u64,
    pub delay_ms_max: u64,
    /// Programs that are flaky are good now.
    pub calm: bool,
}

pub const CALM: Weather = Weather { loss_per_mille: 0, repeat_per_mille: 0, delay_ms_max: 50, calm: true };

/// All nodes and what is between them.
pub struct Sky {
    pub now: u64,
    pub chance: Chance,
    pub nodes: Vec<Node>,
    pub weather: Weather,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    calls: BTreeMap<u64, Call>,
    /// What owners declared: every revision with its spec.
    declared: BTreeMap<ServiceId, Declared>,
    pub history: BTreeMap<ServiceId, Vec<(Declaration, Option<ServiceSpec>)>>,
}

impl Sky {
    /// Nodes with so many slots each; the last one hosts nothing and only looks on.
    pub fn new(seed: u64, slots: &[u16]) -> Self {
        let host = |(number, slots): (usize, &u16)| Node::new(number, *slots);
        let mut nodes: Vec<Node> = slots.iter().enumerate().map(host).collect();
        nodes.push(Node::new(slots.len(), 0));
        let mut sky = Self {
            now: 0,
            chance: Chance(seed),
            nodes,
            weather: CALM,
            events: BTreeMap::new(),
            sequence: 0,
            calls: BTreeMap::new(),
            declared: BTreeMap::new(),
            history: BTreeMap::new(),
        };
        for number in 0..sky.nodes.len() {
            sky.with(number, Node::tell_capacity);
        }
        sky
    }

    pub fn id(&self, number: usize) -> NodeId {
        self.nodes[number].id
    }

    pub fn number(&self, id: NodeId) -> usize {
        self.nodes.iter().position(|node| node.id == id).expect("a known node")
    }

    /// Lets a node do something, and sends what it orders.
    pub fn with(&mut self, number: usize, act: impl FnOnce(&mut Node, u64, &mut Vec<Port>)) {
        let mut ports = Vec::new();
        act(&mut self.nodes[number], self.now, &mut ports);
        for port in ports {
            self.perform(number, port);
        }
    }

    fn at(&mut self, after_ms: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + after_ms, self.sequence), event);
    }

    /// Runs for a while; `check` sees every step.
    pub fn run(&mut self, for_ms: u64, mut check: impl FnMut(&Self)) {
        let until = self.now + for_ms;
        while self.now < until {
            self.step();
            check(self);
        }
    }

    /// Runs until something holds, at most so long; says how long it took.
    pub fn until(&mut self, most_ms: u64, mut holds: impl FnMut(&Self) -> bool) -> Option<u64> {
        let began = self.now;
        while !holds(self) {
            if self.now - began >= most_ms {
                return None;
            }
            self.step();
        }
        Some(self.now - began)
    }

    pub fn step(&mut self) {
        self.now += STEP_MS;
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let event = entry.remove();
            self.happen(event);
        }
        for number in 0..self.nodes.len() {
            if self.nodes[number].is_up {
                self.with(number, Node::tick);
            }
        }
        self.look();
        self.nodes.iter().for_each(|node| node.check(self.now));
    }

    /// The onlooker dials all that are named; where one does not take its connection it asks for another.
    fn look(&mut self) {
        for service in self.history.keys().copied().collect::<Vec<_>>() {
            loop {
                let named = self.onlooker().directory.answering(time(self.now), service);
                let Some((replica, _)) = named.into_iter().find(|dialled| !self.takes(*dialled)) else {
                    break;
                };
                self.nodes.last_mut().expect("there is one").directory.doubt(replica);
            }
        }
    }

    pub fn onlooker(&self) -> &Node {
        self.nodes.last().expect("there is one")
    }

    /// Whether the onlooker gets through to a replica.
    pub fn takes(&self, (replica, node): (ReplicaId, NodeId)) -> bool {
        let number = self.number(node);
        let host = &self.nodes[number];
        host.is_up
            && self.is_connected(number, self.nodes.len() - 1)
            && host.host.may_dial(replica, PORT).is_ok()
    }

    /// A message from one node to another, unless it is lost; perhaps twice.
    fn send(&mut self, from: usize, to: usize, event: &Event) {
        let copies = 1 + u64::from(self.chance.per_mille(self.weather.repeat_per_mille));
        for _ in 0..copies {
            let is_lost = from != to && self.chance.per_mille(self.weather.loss_per_mille);
            let delay_ms = self.chance.between(1, self.weather.delay_ms_max);
            if !is_lost && self.is_connected(from, to) {
                self.at(delay_ms, event.clone());
            }
        }
    }

    fn is_connected(&self, from: usize, to: usize) -> bool {
        self.nodes[from].group == self.nodes[to].group
    }

    fn perform(&mut self, number: usize, port: Port) {
        let life = self.nodes[number].life;
        match port {
            Port::Ask(to, ask) => {
                let to = self.number(to);
                self.sequence += 1;
                let (call, sent) = (self.sequence, Call { from: number, life, to, ask });
                self.calls.insert(call, sent.clone());
                self.send(number, to, &Event::Asked(call, sent));
                self.at(ANSWER_MS, Event::TimedOut(call));
            }
            Port::Answer(call, reply) => {
                if let Some(asked) = self.calls.get(&call) {
                    let to = asked.from;
                    self.send(number, to, &Event::Answered(call, reply));
                }
            }
            Port::Gossip(advert) => {
                let advert = Rc::new(advert);
                for to in 0..self.nodes.len() {
                    if to != number && self.nodes[to].listens {
                        self.send(number, to, &Event::Gossip(to, Rc::clone(&advert)));
                    }
                }
                if self.nodes[number].listens {
                    self.at(0, Event::Gossip(number, advert));
                }
            }
            Port::Prepare(replica, program, saved, sources) => {
                let is_missing = Behaviour::of(&program) == Behaviour::Missing;
                let after_ms = self.chance.between(50, 600);
                self.at(after_ms, Event::Prepared(number, life, replica, is_missing, saved, sources));
            }
            Port::Launch(replica, launch) => {
                let after_ms = self.chance.between(50, 400);
                self.at(after_ms, Event::Start(number, life, replica, launch));
            }
            Port::Probe(replica, launch) => {
                let after_ms = self.chance.between(1, 100);
                self.at(after_ms, Event::Probe(number, life, replica, launch));
            }
            Port::Stop(replica, launch, grace_ms) => {
                let after_ms = self.chance.between(50, 100 + grace_ms);
                self.at(after_ms, Event::Stop(number, life, replica, launch));
            }
            Port::Save(replica) => {
                let blob = self.nodes[number].store.save(replica);
                let after_ms = self.chance.between(50, 500);
                let saved = HostInput::Saved { replica, result: blob.ok_or("nothing is there".to_owned()) };
                self.at(after_ms, Event::Host(number, life, saved));
            }
            Port::Hold(service, slot, saved, sources) => {
                let after_ms = self.chance.between(50, 1_000);
                self.at(after_ms, Event::Held(number, life, service, slot, saved, sources));
            }
            Port::Find(service, slot, used) => {
                let nodes = self.find(number, service, &used);
                let after_ms = self.chance.between(1, 150);
                self.at(after_ms, Event::Found(number, life, service, slot, nodes));
            }
        }
    }

    /// The market as a node sees it: a node that died or was cut off a moment ago is in it still.
    fn find(&mut self, number: usize, service: ServiceId, used: &[NodeId]) -> Vec<NodeId> {
        let Some((_, declared)) = self.nodes[number].keeper.declared(service) else { return Vec::new() };
        let spec = declared.spec.as_ref().or(declared.fallback.as_ref());
        let Some(cores) = spec.map(|spec| spec.limits.cpu_cores) else { return Vec::new() };
        let fits = |node: &&Node| {
            let is_there = node.is_up && node.group == self.nodes[number].group;
            let is_listed = is_there || self.now - node.changed_at < STALE_MS;
            !used.contains(&node.id) && is_listed && !node.capacity.is_closed && node.free_slots() >= cores
        };
        let mut nodes: Vec<NodeId> = self.nodes.iter().filter(fits).map(|node| node.id).collect();
        self.chance.shuffle(&mut nodes);
        nodes
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Asked(call, Call { from, to, ask, .. }) => {
                let from = self.id(from);
                if self.nodes[to].is_up {
                    self.with(to, |node, now, ports| node.on_asked(now, from, call, ask, ports));
                }
            }
            Event::Answered(call, reply) => self.on_answered(call, Some(reply)),
            Event::TimedOut(call) => self.on_answered(call, None),
            Event::Gossip(to, advert) => {
                if self.nodes[to].is_up {
                    self.with(to, |node, now, ports| node.on_gossip(now, &advert, ports));
                }
            }
            Event::Host(number, life, input) => {
                self.alive(number, life, |node, now, ports| node.tell_host(now, input, ports));
            }
            Event::Start(number, life, replica, launch) => {
                let calm = self.weather.calm;
                let mut chance = Chance(self.chance.below(u64::MAX));
                self.alive(number, life, |node, now, ports| {
                    node.start(now, &mut chance, (replica, launch), calm, ports);
                });
            }
            Event::Probe(number, life, replica, launch) => {
                self.alive(number, life, |node, now, ports| node.probe(now, (replica, launch), ports));
            }
            Event::Stop(number, life, replica, launch) => {
                self.alive(number, life, |node, now, ports| node.stop(now, (replica, launch), ports));
            }
            Event::Prepared(number, life, replica, is_missing, saved, sources) => {
                let is_there = !is_missing && saved.is_none_or(|saved| self.fetch(number, saved, &sources));
                let result = if is_there { Ok(()) } else { Err("nobody has it".to_owned()) };
                let prepared = HostInput::Prepared { replica, result };
                self.alive(number, life, |node, now, ports| node.tell_host(now, prepared, ports));
            }
            Event::Held(number, life, service, slot, saved, sources) => {
                let is_there = self.fetch(number, saved.blob, &sources);
                let result = if is_there { Ok(()) } else { Err("nobody has it".to_owned()) };
                let held = KeeperInput::DataHeld { service, slot, saved, result };
                self.alive(number, life, |node, now, ports| node.tell_keeper(now, held, ports));
            }
            Event::Found(number, life, service, slot, nodes) => {
                let counts = Default::default();
                let input = KeeperInput::Found { service, slot, nodes, counts };
                self.alive(number, life, |node, now, ports| node.tell_keeper(now, input, ports));
            }
        }
    }

    /// Whether a node has a blob, or gets it from one of these.
    fn fetch(&mut self, number: usize, blob: Blob, sources: &[NodeId]) -> bool {
        let has = |source: &NodeId| {
            let source = self.number(*source);
            let node = &self.nodes[source];
            node.is_up && self.is_connected(source, number) && node.store.has(blob)
        };
        let is_there = self.nodes[number].store.has(blob) || sources.iter().any(has);
        if is_there {
            self.nodes[number].store.keep(blob);
        }
        is_there
    }

    fn alive(&mut self, number: usize, life: u32, act: impl FnOnce(&mut Node, u64, &mut Vec<Port>)) {
        if self.nodes[number].is_up && self.nodes[number].life == life {
            self.with(number, act);
        }
    }

    fn on_answered(&mut self, call: u64, reply: Option<Reply>) {
        let Some(Call { from, life, to, ask }) = self.calls.remove(&call) else { return };
        let to = self.id(to);
        self.alive(from, life, |node, now, ports| node.on_answered(now, to, ask, reply, ports));
    }
}

/// What owners and the weather do.
impl Sky {
    /// The owner declares a new revision; none: the service is removed. Keepers hear of it as well as they can.
    pub fn declare(&mut self, name: &str, keepers: &[usize], spec: Option<ServiceSpec>) -> ServiceId {
        let owner = samples::keypair(200);
        let service = ServiceId::of(&owner.id(), name);
        let known = self.nodes.iter().filter(|node| node.is_up).find_map(|node| node.keeper.good(service));
        let history = self.history.entry(service).or_default();
        let earlier =
            known.and_then(|good| history.iter().find(|(declaration, _)| declaration.revision == good));
        let fallback = earlier.and_then(|(declaration, spec)| Some((declaration.revision, spec.clone()?)));
        let fallback = fallback.filter(|_| spec.is_some());
        let declaration = Declaration {
            sky: sky_hash(),
            owner: owner.id(),
            name: name.to_owned(),
            revision: history.len() as u64 + 1,
            made_at: time(self.now),
            keepers: keepers.iter().map(|number| self.nodes[*number].id).collect(),
            ports: spec.as_ref().map(|spec| spec.ports.clone()).unwrap_or_default(),
            spec: spec.as_ref().map(ServiceSpec::hash),
            fallback: fallback
                .as_ref()
                .map(|(revision, spec)| Earlier { revision: *revision, spec: spec.hash() }),
        };
        history.push((declaration.clone(), spec.clone()));
        let declared = Declared {
            declaration: Signed::sign(&declaration, &owner),
            spec,
            fallback: fallback.map(|(_, spec)| spec),
        };
        self.declared.insert(service, declared);
        // The owner tries until one keeper has it; that one hands it on.
        let up: Vec<usize> = keepers.iter().copied().filter(|number| self.nodes[*number].is_up).collect();
        let first = self.chance.pick(&up);
        self.tell(first, service);
        service
    }

    /// The owner tells a node what it declared last.
    pub fn tell(&mut self, number: usize, service: ServiceId) {
        let declared = self.declared[&service].clone();
        self.with(number, |node, now, ports| node.on_declared(now, &declared, ports));
    }

    pub fn crash(&mut self, number: usize) {
        self.nodes[number].crash(self.now);
    }

    /// A node stands still, and knows nothing of it when it goes on: a laptop that is closed and opened.
    pub fn sleep(&mut self, number: usize) {
        (self.nodes[number].is_up, self.nodes[number].changed_at) = (false, self.now);
    }

    pub fn wake(&mut self, number: usize) {
        (self.nodes[number].is_up, self.nodes[number].changed_at) = (true, self.now);
    }

    pub fn come_back(&mut self, number: usize) {
        if !self.nodes[number].is_up {
            self.with(number, Node::come_back);
        }
    }

    /// Puts every node into one of the groups that reach each other only among themselves.
    pub fn partition(&mut self, groups: &[u64]) {
        for (node, group) in self.nodes.iter_mut().zip(groups) {
            if node.group != *group {
                (node.group, node.changed_at) = (*group, self.now);
            }
        }
    }

    /// All faults end: every node is there and reaches every other.
    pub fn calm(&mut self) {
        self.weather = CALM;
        self.heal();
        for number in 0..self.nodes.len() {
            self.nodes[number].engine.calm(self.now);
            self.come_back(number);
        }
    }

    pub fn heal(&mut self) {
        self.partition(&vec![0; self.nodes.len()]);
    }
}
