//! Bounds on what peers do: rates, strangers' connections, bans. No clock is read here.

use crate::config::Limits;
use libp2p::{PeerId, swarm::ConnectionId};
use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

/// Addresses and peers whose history is kept; beyond it those without current use are forgotten.
const REMEMBERED_MAX: usize = 4_096;
/// First ban; each further one within [`FORGIVEN_AFTER`] is four times as long.
const FIRST_BAN: Duration = Duration::from_secs(30);
/// Longest ban.
const LONGEST_BAN: Duration = Duration::from_secs(3_600);
/// A peer that stays quiet this long starts anew.
const FORGIVEN_AFTER: Duration = Duration::from_secs(3_600);
/// Refused knocks that are not yet a reason for a ban: a user may mistype a token.
const FREE_STRIKES: u32 = 3;

/// Tokens that refill with time: `burst` at once, `per_second` on average.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    tokens: f64,
    burst: f64,
    per_second: f64,
    filled_at: Instant,
}

impl Bucket {
    pub fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { tokens: burst, burst, per_second: f64::from(per_second), filled_at: now }
    }

    /// Whether one more is allowed now.
    pub fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }

    /// Whether it holds no memory of anyone.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.tokens >= self.burst
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.burst);
        self.filled_at = now;
    }
}

/// Buckets of many, with bounded memory.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    burst: u32,
    per_second: u32,
    of: HashMap<K, Bucket>,
}

impl<K: std::hash::Hash + Eq> Buckets<K> {
    pub fn new(burst: u32, per_second: u32) -> Self {
        Self { burst, per_second, of: HashMap::new() }
    }

    /// Whether `key` may do one more now. When too many keys were seen lately, new ones may not.
    pub fn take(&mut self, key: K, now: Instant) -> bool {
        if self.of.len() >= REMEMBERED_MAX {
            self.of.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.of.len() >= REMEMBERED_MAX && !self.of.contains_key(&key) {
            return false;
        }
        let (burst, per_second) = (self.burst, self.per_second);
        self.of.entry(key).or_insert_with(|| Bucket::new(burst, per_second, now)).take(now)
    }
}

/// Why a connection is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("too many connections of unknown nodes")]
    Strangers,
    #[error("too many connections of unknown nodes from one address")]
    StrangersOfAddress,
    #[error("too many new connections from one address")]
    Rate,
    #[error("too many unfinished connections from one address")]
    Pending,
    #[error("this node is refused for a while")]
    Banned,
    #[error("not an ed25519 node id")]
    Key,
}

/// Connections of strangers, in all and by address. When all places are taken, the network that holds most of
/// them gives one up, so that whoever has few addresses can't keep others out.
#[derive(Debug)]
pub(crate) struct Strangers {
    total_max: usize,
    per_ip_max: usize,
    pending_per_ip_max: usize,
    arrivals: Buckets<IpAddr>,
    pending: HashMap<ConnectionId, IpAddr>,
    open: HashMap<ConnectionId, Stranger>,
    /// Those who gave up their places and are not gone yet: a connection whose other side takes nothing can be long
    /// in closing.
    closing: HashMap<ConnectionId, IpAddr>,
    count: u64,
}

/// One who was let in.
#[derive(Debug)]
struct Stranger {
    peer: PeerId,
    ip: IpAddr,
    /// Those who came earlier have lower numbers.
    number: u64,
    /// It has done what it came for, and waits for the answer.
    has_knocked: bool,
}

/// A stranger's connection that has to go.
pub(crate) type Evicted = (PeerId, ConnectionId);

impl Strangers {
    pub fn new(limits: &Limits) -> Self {
        Self {
            total_max: limits.strangers_max,
            per_ip_max: limits.strangers_per_ip_max,
            // One address never takes all places, so that the others can still come in.
            pending_per_ip_max: (limits.pending_max as usize / 2).max(1),
            arrivals: Buckets::new(limits.strangers_per_ip_burst, 1),
            pending: HashMap::new(),
            open: HashMap::new(),
            closing: HashMap::new(),
            count: 0,
        }
    }

    /// Someone at `ip` begins to connect; who it is will be known when the handshake is done.
    pub fn begin(&mut self, connection: ConnectionId, ip: IpAddr) -> Result<(), Denied> {
        if self.pending.values().filter(|other| **other == ip).count() >= self.pending_per_ip_max {
            return Err(Denied::Pending);
        }
        self.pending.insert(connection, ip);
        Ok(())
    }

    /// The handshake is done, or failed.
    pub fn finish(&mut self, connection: ConnectionId) {
        self.pending.remove(&connection);
    }

    /// Lets a stranger's inbound connection in, or not; says who gives up its place for it.
    pub fn enter(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        ip: IpAddr,
        now: Instant,
    ) -> Result<Option<Evicted>, Denied> {
        let there = self.open.values().map(|other| other.ip).chain(self.closing.values().copied());
        if there.filter(|other| *other == ip).count() >= self.per_ip_max {
            return Err(Denied::StrangersOfAddress);
        }
        if self.total_max == 0 || self.closing.len() >= self.total_max {
            return Err(Denied::Strangers);
        }
        if !self.arrivals.take(ip, now) {
            return Err(Denied::Rate);
        }
        let evicted = if self.open.len() >= self.total_max { self.evict() } else { None };
        self.count += 1;
        self.open.insert(connection, Stranger { peer, ip, number: self.count, has_knocked: false });
        Ok(evicted)
    }

    pub fn leave(&mut self, connection: ConnectionId) {
        self.open.remove(&connection);
        self.closing.remove(&connection);
    }

    /// A stranger has knocked.
    pub fn note_knock(&mut self, connection: ConnectionId) {
        if let Some(stranger) = self.open.get_mut(&connection) {
            stranger.has_knocked = true;
        }
    }

    /// Of those who have not knocked, if there are any, the oldest of the network that holds most places.
    fn evict(&mut self) -> Option<Evicted> {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for stranger in self.open.values() {
            *held.entry(network_of(stranger.ip)).or_default() += 1;
        }
        let worst = |stranger: &Stranger| {
            let places = held.get(&network_of(stranger.ip)).copied();
            (!stranger.has_knocked, places, Reverse(stranger.number))
        };
        let (connection, _) = self.open.iter().max_by_key(|(_, stranger)| worst(stranger))?;
        let connection = *connection;
        let stranger = self.open.remove(&connection)?;
        self.closing.insert(connection, stranger.ip);
        Some((stranger.peer, connection))
    }
}

/// What one owner of addresses usually has all of: a /24 of IPv4, a /48 of IPv6.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & (u32::MAX << 8)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 80)).into(),
    }
}

/// Who is refused, and until when. Strikes decay, and so do bans.
#[derive(Debug, Default)]
pub(crate) struct Bans {
    of: HashMap<PeerId, Record>,
}

#[derive(Debug)]
struct Record {
    strikes: u32,
    last: Instant,
    until: Option<Instant>,
}

impl Bans {
    /// Counts a refused or malformed knock; a few are free.
    pub fn strike(&mut self, peer: PeerId, now: Instant) {
        let record = self.record(peer, now);
        record.strikes += 1;
        if record.strikes > FREE_STRIKES {
            record.until = Some(now + ban(record.strikes - FREE_STRIKES));
        }
    }

    /// Bans at once.
    pub fn expel(&mut self, peer: PeerId, now: Instant) {
        let record = self.record(peer, now);
        record.strikes = record.strikes.max(FREE_STRIKES) + 1;
        record.until = Some(now + ban(record.strikes - FREE_STRIKES));
    }

    pub fn forgive(&mut self, peer: &PeerId) {
        self.of.remove(peer);
    }

    pub fn is_banned(&self, peer: &PeerId, now: Instant) -> bool {
        self.of.get(peer).and_then(|record| record.until).is_some_and(|until| now < until)
    }

    fn record(&mut self, peer: PeerId, now: Instant) -> &mut Record {
        if self.of.len() >= REMEMBERED_MAX {
            self.of.retain(|_, record| record.until.is_some_and(|until| now < until));
        }
        if self.of.len() >= REMEMBERED_MAX {
            self.of.clear();
        }
        let record = self.of.entry(peer).or_insert(Record { strikes: 0, last: now, until: None });
        if now.saturating_duration_since(record.last) > FORGIVEN_AFTER {
            record.strikes = 0;
        }
        record.last = now;
        record
    }
}

fn ban(count: u32) -> Duration {
    FIRST_BAN.saturating_mul(4_u32.saturating_pow(count.saturating_sub(1))).min(LONGEST_BAN)
}

#[cfg(test)]
mod tests;
