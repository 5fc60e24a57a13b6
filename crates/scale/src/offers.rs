//! What the nodes' own offers do to the index of offers, over hours. The index is the product's; gossip is taken to
//! bring each offer to all within one step, as [`crate::gossip`] shows that it does.

use crate::{
    chance::Chance,
    params::{CONNECTIONS_TARGET, LIFE_INTERVALS, OFFERS_ASKED_MAX, offer_interval_ms},
    queue::Queue,
    report::{Cell, Table},
    run::{Progress, Trace},
    stock,
};
use opensky_market::{Config, Market};
use opensky_types::Timestamp;

/// When the model begins.
const START_MS: u64 = 1_767_225_600_000;
/// Within this all nodes of the first hour start, in ms.
const STARTS_MS: u64 = 600_000;
/// A node that is not due for an offer looks again after this at the soonest, in ms.
const LOOK_MS: u64 = 60_000;

/// What an index holds in the end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    /// Offers.
    pub offers: usize,
    /// Of those, offers of nodes that are gone.
    pub dead: usize,
    /// Members that are there.
    pub members: usize,
    /// Offers that were made.
    pub made: u64,
    /// Of those, refused.
    pub refused: u64,
    /// Mean age of the offers held, in seconds.
    pub age_s: f64,
}

/// One life of the model. Its time counts in milliseconds, as offers do.
struct World {
    market: Market,
    chance: Chance,
    queue: Queue<Event>,
    nodes: Vec<Member>,
    /// Members that are there.
    count: usize,
    mean_life_ms: f64,
    accepted: u64,
    made: u64,
    refused: u64,
}

enum Event {
    Look(u32),
    Go(u32),
    Expire,
}

struct Member {
    sequence: u64,
    last_ms: Option<u64>,
    is_there: bool,
    /// Offers that it knew when it came, and those that all had accepted by then.
    began: (usize, u64),
}

/// Lets a sky live for `hours`, of which `leaving` leave each hour.
pub fn live(nodes: usize, hours: f64, leaving: f64, seed: u64, trace: &mut Trace) -> Held {
    let mut world = World {
        market: Market::new(Config::default()),
        chance: Chance::new(seed, "offers"),
        queue: Queue::default(),
        nodes: Vec::new(),
        count: nodes,
        mean_life_ms: if leaving > 0.0 { 3_600_000.0 / -(1.0 - leaving).ln() } else { f64::INFINITY },
        accepted: 0,
        made: 0,
        refused: 0,
    };
    for _ in 0..nodes {
        let after_ms = world.chance.below(STARTS_MS as usize) as u64;
        world.come(after_ms);
    }
    world.queue.after(0, Event::Expire);
    let until = (hours * 3_600_000.0) as u64;
    while let Some(event) = world.queue.next(until) {
        world.on_event(event);
    }
    trace.add((world.queue.count(), world.queue.digest()));
    world.held()
}

impl World {
    fn come(&mut self, after_ms: u64) {
        let node = self.nodes.len() as u32;
        let known = known_to_a_newcomer(self.market.len());
        self.nodes.push(Member { sequence: 0, last_ms: None, is_there: true, began: (known, self.accepted) });
        self.queue.after(after_ms, Event::Look(node));
        if self.mean_life_ms.is_finite() {
            let life = self.chance.exponential(self.mean_life_ms) as u64;
            self.queue.after(after_ms + life, Event::Go(node));
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Look(node) => self.look(node),
            Event::Go(node) => {
                self.nodes[node as usize].is_there = false;
                self.come(0);
            }
            Event::Expire => {
                self.market.expire(self.now());
                self.queue.after(1_000, Event::Expire);
            }
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START_MS + self.queue.now())
    }

    /// A node makes an offer if it is due (`node/src/offers.rs`, `is_due`).
    fn look(&mut self, node: u32) {
        let now_ms = self.queue.now();
        let connected = connected(self.count);
        let member = &mut self.nodes[node as usize];
        if !member.is_there {
            return;
        }
        let heard = member.began.0 as u64 + self.accepted - member.began.1;
        let known = self.market.len().min(heard as usize).max(connected);
        let interval_ms = offer_interval_ms(known as u64);
        let due_ms = member.last_ms.map_or(now_ms, |last| last + interval_ms);
        if due_ms > now_ms {
            return self.look_later(due_ms - now_ms, node);
        }
        member.last_ms = Some(now_ms);
        member.sequence += 1;
        let sequence = member.sequence;
        let now = self.now();
        let (offer, signed) = stock::plain(node, sequence, now, now.plus_ms(LIFE_INTERVALS * interval_ms));
        self.made += 1;
        match self.market.insert(now, offer, signed) {
            Ok(_) => self.accepted += 1,
            Err(_) => self.refused += 1,
        }
        self.look_later(interval_ms, node);
    }

    /// Looks again well before the offer is due as things are now: the interval changes with the index.
    fn look_later(&mut self, due_in_ms: u64, node: u32) {
        self.queue.after((due_in_ms / 4).max(LOOK_MS).min(due_in_ms), Event::Look(node));
    }

    fn held(&self) -> Held {
        let now = self.now();
        let is_dead = |number: u32| !self.nodes[number as usize].is_there;
        let dead = self.market.offers().filter(|offer| is_dead(stock::number_of(offer))).count();
        let ages: u64 = self.market.offers().map(|offer| now.ms_since(offer.made_at)).sum();
        Held {
            offers: self.market.len(),
            dead,
            members: self.count,
            made: self.made,
            refused: self.refused,
            age_s: ages as f64 / 1e3 / self.market.len().max(1) as f64,
        }
    }
}

/// Mean connections in a sky that grew: each node dialled as many as it aims at, or all that were there.
fn connected(nodes: usize) -> usize {
    let early = nodes.min(CONNECTIONS_TARGET);
    let dialled = early * (early - 1) / 2 + (nodes - early) * CONNECTIONS_TARGET;
    2 * dialled / nodes
}

/// Different offers that a newcomer is told of by its first neighbours, of `known` that each of them knows.
fn known_to_a_newcomer(known: usize) -> usize {
    let missed = 1.0 - OFFERS_ASKED_MAX.min(known) as f64 / known.max(1) as f64;
    (known as f64 * (1.0 - missed.powi(CONNECTIONS_TARGET as i32))) as usize
}

/// The index over the size of the sky: where nobody leaves, and under churn.
pub fn curve(counts: &[usize], seed: u64, trace: &mut Trace, progress: &mut Progress<'_>) -> Table {
    let mut table = Table::new(
        "offers",
        "the index of a node that was there from the start",
        &[
            "nodes",
            "leave an hour",
            "after h",
            "offer interval s",
            "made/s",
            "refused",
            "members known",
            "of the index dead",
            "age s",
        ],
    );
    for nodes in counts {
        for (leaving, hours) in [(0.0, 1.0), (0.3, 24.0)] {
            progress(&format!("offers: {nodes} nodes, {leaving} leave an hour"));
            let held = live(*nodes, hours, leaving, seed, trace);
            table.row([
                Cell::from(*nodes),
                leaving.into(),
                hours.into(),
                (offer_interval_ms(*nodes as u64) as f64 / 1e3).into(),
                (held.made as f64 / hours / 3_600.0).into(),
                (held.refused as f64 / held.made.max(1) as f64).into(),
                ((held.offers - held.dead) as f64 / held.members as f64).into(),
                (held.dead as f64 / held.offers.max(1) as f64).into(),
                held.age_s.into(),
            ]);
        }
    }
    table.note(
        "an offer lives three intervals, and the interval grows with the members known, up to 40 minutes",
    );
    table
}
