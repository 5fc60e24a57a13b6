//! The way of one message through a sky.

use super::mesh::Mesh;
use crate::{
    chance::Chance,
    params::{GOSSIP_FACTOR, GOSSIP_LAZY, HEARTBEAT, HISTORY_GOSSIP},
    queue::{Queue, SECOND, Time},
    sizes,
};

/// From a message's arrival to the node's verdict: decoding, a signature, the node's loop.
const VERDICT: Time = 3_000;
/// After this a node that was asked and sent nothing is asked for no more (`iwant_followup_time`).
const PROMISE: Time = 3 * SECOND;
/// What no message has been seen at.
const NEVER: Time = Time::MAX;
/// Senders that are remembered until a message is passed on; it goes back to none of them.
const SENDERS: usize = 4;

/// What a message's way came to. Shares and means are over nodes that are there and pass on.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// Share that got it.
    pub reached: f64,
    /// Times that a node got it.
    pub copies: f64,
    /// IHAVE that a node sent for it.
    pub told: f64,
    /// IWANT that a node sent for it.
    pub asked: f64,
    /// Bytes that a node sent for it, all in all.
    pub bytes: f64,
    /// From its start until half had it.
    pub half_ms: f64,
    /// Until 99 of 100 had it; not a number if they never had.
    pub most_ms: f64,
    /// Until the last one of those reached had it.
    pub all_ms: f64,
    /// Copies sent, of the whole message.
    pub sent: u64,
    /// Copies that arrived.
    pub delivered: u64,
    /// Copies sent to a node that was gone.
    pub lost: u64,
}

enum Event {
    Deliver { to: u32, from: u32 },
    Forward { node: u32 },
    Beat { node: u32, left: u8 },
    Told { to: u32, from: u32 },
    Wanted { owner: u32, by: u32 },
}

struct Way<'a> {
    mesh: &'a Mesh,
    chance: &'a mut Chance,
    queue: Queue<Event>,
    origin: u32,
    seen: Vec<Time>,
    asked_at: Vec<Time>,
    senders: Vec<[u32; SENDERS]>,
    sent: u64,
    delivered: u64,
    lost: u64,
    copies: u64,
    told: u64,
    asked: u64,
}

/// Lets one message of `bytes` go its way from `origin`. Also says how many events that took, and their digest.
pub fn spread(mesh: &Mesh, origin: u32, bytes: u64, chance: &mut Chance) -> (Course, (u64, u64)) {
    let nodes = mesh.peers.len();
    let mut way = Way {
        mesh,
        chance,
        queue: Queue::default(),
        origin,
        seen: vec![NEVER; nodes],
        asked_at: vec![NEVER; nodes],
        senders: vec![[u32::MAX; SENDERS]; nodes],
        sent: 0,
        delivered: 0,
        lost: 0,
        copies: 0,
        told: 0,
        asked: 0,
    };
    way.seen[origin as usize] = 0;
    way.begin_beats(origin);
    // `flood_publish`: an own message goes to all peers.
    for peer in &mesh.peers[origin as usize] {
        way.send(origin, *peer);
    }
    while let Some(event) = way.queue.next(Time::MAX) {
        way.on_event(event);
    }
    let trace = (way.queue.count(), way.queue.digest());
    (way.course(bytes), trace)
}

impl Way<'_> {
    fn on_event(&mut self, event: Event) {
        match event {
            Event::Deliver { to, from } => self.on_deliver(to, from),
            Event::Forward { node } => self.forward(node),
            Event::Beat { node, left } => self.beat(node, left),
            Event::Told { to, from } => self.on_told(to, from),
            Event::Wanted { owner, by } => {
                if self.mesh.is_there[owner as usize] {
                    self.send(owner, by);
                }
            }
        }
    }

    fn send(&mut self, from: u32, to: u32) {
        self.sent += 1;
        let way = self.mesh.links.one_way(from, to, self.chance);
        self.queue.after(way, Event::Deliver { to, from });
    }

    fn on_deliver(&mut self, to: u32, from: u32) {
        if !self.mesh.is_there[to as usize] {
            self.lost += 1;
            return;
        }
        self.delivered += 1;
        if self.mesh.is_silent[to as usize] {
            return;
        }
        self.copies += 1;
        if let Some(free) = self.senders[to as usize].iter_mut().find(|sender| **sender == u32::MAX) {
            *free = from;
        }
        if self.seen[to as usize] == NEVER {
            self.seen[to as usize] = self.queue.now();
            self.queue.after(VERDICT, Event::Forward { node: to });
            self.begin_beats(to);
        }
    }

    fn forward(&mut self, node: u32) {
        let senders = self.senders[node as usize];
        for peer in &self.mesh.mesh[node as usize] {
            if !senders.contains(peer) && *peer != self.origin {
                self.send(node, *peer);
            }
        }
    }

    /// A node's beats come at its own times.
    fn begin_beats(&mut self, node: u32) {
        let wait = VERDICT + self.chance.below(HEARTBEAT as usize) as Time;
        self.queue.after(wait, Event::Beat { node, left: HISTORY_GOSSIP as u8 });
    }

    fn beat(&mut self, node: u32, left: u8) {
        let mesh = &self.mesh.mesh[node as usize];
        let mut others: Vec<u32> =
            self.mesh.peers[node as usize].iter().copied().filter(|peer| !mesh.contains(peer)).collect();
        let count = GOSSIP_LAZY.max((GOSSIP_FACTOR * others.len() as f64) as usize).min(others.len());
        self.chance.draw(&mut others, count);
        self.told += count as u64;
        for other in others.into_iter().take(count) {
            // Who has it already needs no event to do nothing.
            if self.seen[other as usize] == NEVER {
                let way = self.mesh.links.one_way(node, other, self.chance);
                self.queue.after(way, Event::Told { to: other, from: node });
            }
        }
        if left > 1 {
            self.queue.after(HEARTBEAT, Event::Beat { node, left: left - 1 });
        }
    }

    fn on_told(&mut self, to: u32, from: u32) {
        let place = to as usize;
        let now = self.queue.now();
        let is_promised = self.asked_at[place] != NEVER && now < self.asked_at[place] + PROMISE;
        if self.seen[place] != NEVER
            || is_promised
            || !self.mesh.is_there[place]
            || self.mesh.is_silent[place]
        {
            return;
        }
        self.asked_at[place] = now;
        self.asked += 1;
        let way = self.mesh.links.one_way(to, from, self.chance);
        self.queue.after(way, Event::Wanted { owner: from, by: to });
    }

    fn course(&self, bytes: u64) -> Course {
        let mut times: Vec<Time> = self.mesh.honest().map(|node| self.seen[node as usize]).collect();
        times.sort_unstable();
        let nodes = times.len().max(1) as f64;
        let reached = times.iter().filter(|time| **time != NEVER).count();
        let at = |share: f64| match times.get(((nodes * share).ceil() as usize).saturating_sub(1)) {
            Some(time) if *time != NEVER => *time as f64 / 1e3,
            _ => f64::NAN,
        };
        let control = (sizes::GOSSIP_CONTROL + sizes::MESSAGE_ID) as f64;
        Course {
            reached: reached as f64 / nodes,
            copies: self.copies as f64 / nodes,
            told: self.told as f64 / nodes,
            asked: self.asked as f64 / nodes,
            bytes: (self.sent * bytes) as f64 / nodes + (self.told + self.asked) as f64 / nodes * control,
            half_ms: at(0.5),
            most_ms: at(0.99),
            all_ms: at(reached as f64 / nodes),
            sent: self.sent,
            delivered: self.delivered,
            lost: self.lost,
        }
    }
}
