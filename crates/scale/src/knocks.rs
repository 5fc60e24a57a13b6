//! The gate of a closed sky under attack: strangers who connect, say nothing and stay as long as they may,
//! while newcomers with an invite try to come in (`network/src/limits.rs`, `driver/connections.rs`).

use crate::{
    chance::Chance,
    queue::{Queue, SECOND, Time},
    report::{Cell, Table},
    run::{Progress, Trace},
    sizes,
};
use std::collections::{BTreeMap, VecDeque};

/// Connections of strangers (`strangers_max`).
const PLACES: usize = 64;
/// Of those, from one address (`strangers_per_ip_max`).
const PLACES_PER_ADDRESS: usize = 16;
/// New ones from one address at once; then one a second (`strangers_per_ip_burst`).
const BURST: f64 = 64.0;
/// A stranger that says nothing is sent away after this (`silent_stranger_ms`).
const STAY: Time = 3 * SECOND;
/// From an honest stranger's connection to its knock: until then it is one of those that say nothing.
const KNOCK: Time = SECOND / 4;
/// And from there to the answer: whoever has knocked gives up no place while others say nothing.
const ANSWER: Time = SECOND / 4;
/// How often an attacker's address tries.
const TRY_EVERY: Time = SECOND / 4;
/// Time between newcomers.
const NEWCOMER_EVERY: f64 = 5e6;
/// Virtual time of one row.
const SPAN: Time = 3_600 * SECOND;
/// Attacking addresses that share a network, where they do (`network_of`).
const TOGETHER: usize = 8;

enum Event {
    Try(usize),
    /// The stranger with this number knocks.
    Knock(u64),
    /// The stranger with this number goes.
    Leave(u64),
    Newcomer,
}

/// One place taken.
#[derive(Clone, Copy)]
struct Place {
    number: u64,
    /// If it is an attacker's.
    address: Option<usize>,
    has_knocked: bool,
}

/// The gate and who stands in it, oldest first.
#[derive(Default)]
struct Gate {
    places: VecDeque<Place>,
    count: u64,
    /// Attacking addresses in one network.
    together: usize,
}

impl Gate {
    fn attackers(&self) -> usize {
        self.places.iter().filter(|place| place.address.is_some()).count()
    }

    fn of(&self, address: usize) -> usize {
        self.places.iter().filter(|place| place.address == Some(address)).count()
    }

    /// Lets one in; when all places are taken, the oldest of the network that holds most gives up its own, those who
    /// have knocked last.
    /// Each newcomer comes from a network of its own. Returns its number, and who gave up a place.
    fn enter(&mut self, address: Option<usize>) -> (u64, Option<Place>) {
        let evicted = if self.places.len() < PLACES { None } else { self.evict() };
        self.count += 1;
        self.places.push_back(Place { number: self.count, address, has_knocked: false });
        (self.count, evicted)
    }

    fn evict(&mut self) -> Option<Place> {
        let network = |address: usize| address / self.together;
        let mut held = BTreeMap::new();
        for address in self.places.iter().filter_map(|place| place.address) {
            *held.entry(network(address)).or_insert(0) += 1;
        }
        let holds = |place: &Place| {
            let all = place.address.and_then(|address| held.get(&network(address)).copied());
            (!place.has_knocked, all.unwrap_or(1))
        };
        let most = self.places.iter().map(holds).max()?;
        let place = self.places.iter().position(|place| holds(place) == most)?;
        self.places.remove(place)
    }

    fn knock(&mut self, number: u64) {
        for place in self.places.iter_mut().filter(|place| place.number == number) {
            place.has_knocked = true;
        }
    }

    /// Whether the stranger with this number was still there.
    fn leave(&mut self, number: u64) -> bool {
        let place = self.places.iter().position(|place| place.number == number);
        place.is_some_and(|place| self.places.remove(place).is_some())
    }
}

/// What an attack came to.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// Share of newcomers who could knock.
    pub let_in: f64,
    /// Mean number of places that the attacker holds.
    pub taken: f64,
    /// Connections of the attacker a second.
    pub connections: f64,
}

/// `addresses` of an attacker, so many of them `together` in one network, against one node for an hour. Each
/// connection has a new key, so no ban holds.
pub fn attack(addresses: usize, together: usize, seed: u64, trace: &mut Trace) -> Held {
    let mut queue = Queue::default();
    let mut chance = Chance::new(seed, "knocks");
    let mut gate = Gate { together: together.max(1), ..Gate::default() };
    let mut tokens = vec![(BURST, 0); addresses];
    let (mut tries, mut interrupted, mut connections, mut taken) = (0_u64, 0_u64, 0_u64, 0.0);
    let mut before = 0;
    for address in 0..addresses {
        queue.after(chance.below(TRY_EVERY as usize) as Time, Event::Try(address));
    }
    queue.after(0, Event::Newcomer);
    while let Some(event) = queue.next(SPAN) {
        taken += gate.attackers() as f64 * (queue.now() - before) as f64;
        before = queue.now();
        let entered = match event {
            Event::Try(address) => {
                let (left, filled_at) = &mut tokens[address];
                *left = (*left + (queue.now() - *filled_at) as f64 / 1e6).min(BURST);
                *filled_at = queue.now();
                queue.after(TRY_EVERY, Event::Try(address));
                if gate.of(address) >= PLACES_PER_ADDRESS || *left < 1.0 {
                    continue;
                }
                *left -= 1.0;
                connections += 1;
                (gate.enter(Some(address)), STAY)
            }
            Event::Leave(number) => {
                gate.leave(number);
                continue;
            }
            Event::Knock(number) => {
                gate.knock(number);
                continue;
            }
            Event::Newcomer => {
                tries += 1;
                queue.after(chance.exponential(NEWCOMER_EVERY) as Time, Event::Newcomer);
                let entered = gate.enter(None);
                queue.after(KNOCK, Event::Knock(entered.0));
                (entered, KNOCK + ANSWER)
            }
        };
        let ((number, evicted), stay) = entered;
        queue.after(stay, Event::Leave(number));
        interrupted += u64::from(evicted.is_some_and(|place| place.address.is_none()));
    }
    trace.add((queue.count(), queue.digest()));
    Held {
        let_in: 1.0 - interrupted as f64 / tries.max(1) as f64,
        taken: taken / SPAN as f64,
        connections: connections as f64 / (SPAN as f64 / 1e6),
    }
}

/// The gate over the number of addresses that attack it.
pub fn table(seed: u64, trace: &mut Trace, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "knocks",
        "a closed sky: strangers who are refused, at one node, and newcomers with an invite",
        &[
            "attacking addresses",
            "in one network",
            "places taken of 64",
            "connections/s",
            "bytes/s",
            "newcomers who could knock",
        ],
    );
    table.plot = Some((0, 5));
    progress("sybils: knocks");
    let alone = [0, 1, 4, 8, 20, 100, 200, 400].map(|addresses| (addresses, 1));
    for (addresses, together) in alone.into_iter().chain([(400, TOGETHER)]) {
        let held = attack(addresses, together, seed, trace);
        table.row([
            Cell::from(addresses),
            together.into(),
            held.taken.into(),
            held.connections.into(),
            (held.connections * sizes::MEETING as f64).into(),
            held.let_in.into(),
        ]);
    }
    table.note("members are not touched: their connections do not count among the 64");
    table
}
