//! Whom to connect to, where, and when to try again. No clock is read here.

use crate::addresses::ADDRESSES_MAX;
use libp2p::{Multiaddr, PeerId};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// First wait after a failed try; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait while a peer was up not long ago: a changed address is found within 30 s (F19).
const WAIT_MAX: Duration = Duration::from_secs(20);
/// Longest wait for a peer that has been away for long; trying costs traffic.
const LONG_WAIT_MAX: Duration = Duration::from_secs(5 * 60);
/// Tries, about half an hour of them, after which a peer has been away for long.
const LONG_AWAY_TRIES: u32 = 90;
/// Wait before the first try after a loss.
const SOON: Duration = Duration::from_millis(500);
/// A connection that lasted so long worked.
const STAYED: Duration = Duration::from_secs(60);
/// Peers that are not members and not configured, such as those heard by mDNS.
const STRANGERS_MAX: usize = 256;

/// What is known of one peer.
#[derive(Debug)]
struct Entry {
    addresses: Vec<Multiaddr>,
    member: bool,
    /// Configured as an entry to the sky: wanted while there is room.
    entrance: bool,
    /// Configured as a relay: always wanted.
    relay: bool,
    tries: u32,
    next_try: Instant,
}

/// All known peers.
#[derive(Debug, Default)]
pub(crate) struct Book {
    entries: BTreeMap<PeerId, Entry>,
}

impl Book {
    /// Remembers a member, to be tried now.
    pub fn add_member(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, now: Instant) {
        let entry = self.entry(peer, now);
        if !entry.member {
            entry.member = true;
            entry.tries = 0;
            entry.next_try = now;
        }
        merge(&mut entry.addresses, addresses);
    }

    /// Remembers a configured way in.
    pub fn add_entrance(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        let entry = self.entry(peer, now);
        entry.entrance = true;
        merge(&mut entry.addresses, vec![address]);
    }

    /// Remembers a configured relay, which is a way in too.
    pub fn add_relay(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        self.add_entrance(peer, address, now);
        self.entry(peer, now).relay = true;
    }

    /// Remembers a peer that was heard of; nothing if too many are.
    pub fn add_heard(&mut self, peer: PeerId, address: Multiaddr, now: Instant) {
        let strangers = self.entries.values().filter(|entry| !entry.member && !entry.entrance).count();
        if self.entries.contains_key(&peer) || strangers < STRANGERS_MAX {
            merge(&mut self.entry(peer, now).addresses, vec![address]);
        }
    }

    /// Newer addresses of a peer that is known.
    pub fn learn(&mut self, peer: &PeerId, addresses: Vec<Multiaddr>) {
        if let Some(entry) = self.entries.get_mut(peer) {
            merge(&mut entry.addresses, addresses);
        }
    }

    pub fn remove(&mut self, peer: &PeerId) {
        self.entries.remove(peer);
    }

    pub fn addresses(&self, peer: &PeerId) -> Vec<Multiaddr> {
        self.entries.get(peer).map(|entry| entry.addresses.clone()).unwrap_or_default()
    }

    /// It was up for so long. One that stayed is tried again at once; one that was sent away soon after it came, as
    /// by a node that has too many connections, ever later.
    pub fn on_down(&mut self, peer: &PeerId, now: Instant, lasted: Duration) {
        if let Some(entry) = self.entries.get_mut(peer) {
            let known = entry.member || entry.entrance;
            if lasted >= STAYED {
                entry.tries = 0;
            }
            let wait = if entry.tries == 0 { SOON } else { wait(entry.tries, known) };
            entry.next_try = now + wait;
        }
    }

    /// It may be tried after `wait`.
    pub fn try_after(&mut self, peer: &PeerId, now: Instant, wait: Duration) {
        if let Some(entry) = self.entries.get_mut(peer) {
            entry.next_try = now + wait;
        }
    }

    /// This machine's own addresses changed, so everyone may be reachable again.
    pub fn try_all_soon(&mut self, now: Instant) {
        for entry in self.entries.values_mut().filter(|entry| entry.member || entry.entrance) {
            entry.tries = entry.tries.min(2);
            entry.next_try = entry.next_try.min(now + FIRST_WAIT);
        }
    }

    /// Peers to dial now, at most `members_max` of them plain members; relays however many there are. Each is counted
    /// as tried.
    /// `jitter` in 0..1 spreads the tries of many nodes, and says with whom to begin. `knocks`: whether strangers are worth it.
    pub fn due(
        &mut self,
        now: Instant,
        members_max: usize,
        knocks: bool,
        jitter: f64,
        is_busy: impl Fn(&PeerId) -> bool,
    ) -> Vec<PeerId> {
        let worth = |(peer, entry): &(&PeerId, &Entry)| {
            (entry.member || knocks) && now >= entry.next_try && !entry.addresses.is_empty() && !is_busy(peer)
        };
        let mut worth: Vec<PeerId> = self.entries.iter().filter(worth).map(|(peer, _)| *peer).collect();
        // Always in the order of their ids, all nodes of a large sky would be connected to the same few.
        let first = ((worth.len() as f64 * jitter) as usize).min(worth.len());
        worth.rotate_left(first);
        let mut members_left = members_max;
        let mut due = Vec::new();
        for peer in worth {
            let Some(entry) = self.entries.get_mut(&peer) else { continue };
            if members_left == 0 && !entry.relay && (entry.member || entry.entrance) {
                continue;
            }
            if entry.member && !entry.entrance {
                members_left -= 1;
            }
            entry.tries = entry.tries.saturating_add(1);
            let known = entry.member || entry.entrance;
            entry.next_try = now + wait(entry.tries, known).mul_f64(0.75 + jitter / 2.0);
            due.push(peer);
        }
        due
    }

    fn entry(&mut self, peer: PeerId, now: Instant) -> &mut Entry {
        self.entries.entry(peer).or_insert(Entry {
            addresses: Vec::new(),
            member: false,
            entrance: false,
            relay: false,
            tries: 0,
            next_try: now,
        })
    }
}

/// A peer that was only heard of may well belong to another sky; it soon gets the longest wait.
fn wait(tries: u32, known: bool) -> Duration {
    let longest = if tries > LONG_AWAY_TRIES || !known { LONG_WAIT_MAX } else { WAIT_MAX };
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1).min(16))).min(longest)
}

/// Newest first; what does not fit is forgotten.
fn merge(known: &mut Vec<Multiaddr>, newer: Vec<Multiaddr>) {
    for address in newer.into_iter().rev() {
        known.retain(|other| *other != address);
        known.insert(0, address);
    }
    known.truncate(ADDRESSES_MAX);
}

#[cfg(test)]
mod tests {
    use super::{ADDRESSES_MAX, Book, LONG_AWAY_TRIES, STRANGERS_MAX, wait};
    use libp2p::{Multiaddr, PeerId};
    use std::time::{Duration, Instant};

    fn address(port: u16) -> Multiaddr {
        format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
    }

    #[test]
    fn f19_waits_grow_but_a_peer_seen_lately_is_tried_within_30_s() {
        assert_eq!(wait(1, true), Duration::from_secs(1));
        assert_eq!(wait(4, true), Duration::from_secs(8));
        for tries in 1..=LONG_AWAY_TRIES {
            assert!(wait(tries, true).mul_f64(1.25) <= Duration::from_secs(30));
        }
        assert_eq!(wait(u32::MAX, true), Duration::from_secs(300));
        assert_eq!(wait(12, false), Duration::from_secs(300));
    }

    #[test]
    fn members_are_due_once_each_and_within_the_target() {
        let now = Instant::now();
        let mut book = Book::default();
        for port in 0..5 {
            book.add_member(PeerId::random(), vec![address(port)], now);
        }
        let entrance = PeerId::random();
        book.add_entrance(entrance, address(9), now);
        assert_eq!(book.due(now, 3, false, 0.5, |_| false).len(), 3);
        assert_eq!(book.due(now, 3, false, 0.5, |_| false).len(), 2, "the rest, and the first wait");
        assert_eq!(book.due(now, 3, true, 0.5, |_| false), [entrance], "strangers only to knock");
        assert!(book.due(now + Duration::from_secs(2), 3, true, 0.5, |_| true).is_empty());
    }

    #[test]
    fn t2_who_is_sent_away_again_and_again_comes_ever_later() {
        let mut now = Instant::now();
        let mut book = Book::default();
        let hub = PeerId::random();
        book.add_entrance(hub, address(1), now);
        let mut waits = Vec::new();
        for _ in 0..6 {
            assert_eq!(book.due(now, 1, true, 0.5, |_| false), [hub]);
            now += Duration::from_secs(35);
            book.on_down(&hub, now, Duration::from_secs(35));
            let began = now;
            while book.due(now, 0, true, 0.5, |_| false).is_empty() && book.entries[&hub].next_try > now {
                now += Duration::from_millis(250);
            }
            waits.push((now - began).as_secs());
        }
        assert!(waits.windows(2).all(|pair| pair[1] >= pair[0]) && waits[5] >= 16, "{waits:?}");
        // A node that stayed and is lost is tried at once.
        book.on_down(&hub, now, Duration::from_secs(600));
        assert_eq!(book.due(now + Duration::from_millis(500), 1, true, 0.5, |_| false), [hub]);
    }

    #[test]
    fn t2_entrances_are_dialled_while_there_is_room_and_relays_always() {
        let now = Instant::now();
        let mut book = Book::default();
        let (entrance, relay) = (PeerId::random(), PeerId::random());
        book.add_entrance(entrance, address(1), now);
        book.add_relay(relay, address(2), now);
        assert_eq!(book.due(now, 0, true, 0.5, |_| false), [relay]);
        assert_eq!(book.due(now, 1, true, 0.5, |_| false), [entrance]);
    }

    #[test]
    fn p2_with_whom_a_node_begins_is_chance() {
        let now = Instant::now();
        let first = |jitter| {
            let mut book = Book::default();
            for seed in 1..=8 {
                let key = libp2p::identity::Keypair::ed25519_from_bytes([seed; 32]).unwrap();
                book.add_member(key.public().to_peer_id(), vec![address(seed.into())], now);
            }
            book.due(now, 1, false, jitter, |_| false)
        };
        let begins: std::collections::BTreeSet<_> =
            (0..8).map(|eighth| first(f64::from(eighth) / 8.0)).collect();
        assert_eq!(begins.len(), 8, "each is first for some");
        assert_eq!(first(1.0).len(), 1);
    }

    #[test]
    fn p3_what_strangers_say_is_bounded() {
        let now = Instant::now();
        let mut book = Book::default();
        for _ in 0..STRANGERS_MAX * 2 {
            book.add_heard(PeerId::random(), address(1), now);
        }
        assert_eq!(book.entries.len(), STRANGERS_MAX);
        let member = PeerId::random();
        book.add_member(member, (0..100).map(address).collect(), now);
        book.learn(&member, vec![address(500)]);
        let known = book.addresses(&member);
        assert_eq!((known.len(), &known[0]), (ADDRESSES_MAX, &address(500)));
    }
}
