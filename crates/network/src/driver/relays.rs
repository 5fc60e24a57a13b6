//! Being reachable through another member.

use super::Driver;
use crate::{
    addresses::{self, BadAddress},
    config::Config,
};
use libp2p::{Multiaddr, PeerId, autonat, core::transport::ListenerId, multiaddr::Protocol, relay};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What a relay says it serves.
const HOP: &str = "/libp2p/circuit/relay/0.2.0/hop";
/// Relays that an unreachable node uses at a time.
const USED_MAX: usize = 2;
/// Between tries to get in at a relay.
const RETRY: Duration = Duration::from_secs(10);

/// A relay in use, or to be used.
struct Used {
    peer: PeerId,
    address: Multiaddr,
    listener: Option<ListenerId>,
    next_try: Instant,
    configured: bool,
}

/// The relays of this node, and whom it relays for.
pub(super) struct Relays {
    used: Vec<Used>,
    /// Members that are reachable through this node, and by how many connections each.
    guests: BTreeMap<PeerId, usize>,
    /// Members that reach a guest through this node, and that guest.
    circuits: Vec<(PeerId, PeerId)>,
    status: autonat::NatStatus,
}

impl Relays {
    pub fn new(config: &Config) -> Result<Self, BadAddress> {
        let now = Instant::now();
        let used = config.relays.through.iter().map(|text| {
            let (peer, address) = addresses::parse_with_node(text)?;
            Ok(Used { peer, address, listener: None, next_try: now, configured: true })
        });
        Ok(Self {
            used: used.collect::<Result<_, _>>()?,
            guests: BTreeMap::new(),
            circuits: Vec::new(),
            status: autonat::NatStatus::Unknown,
        })
    }

    /// Whether a connection to `peer` carries what is relayed, for this node or for others.
    pub fn is_used(&self, peer: &PeerId) -> bool {
        let carries = |(from, to): &(PeerId, PeerId)| from == peer || to == peer;
        self.guests.contains_key(peer)
            || self.used.iter().any(|used| used.peer == *peer)
            || self.circuits.iter().any(carries)
    }

    pub fn on_relaying(&mut self, event: &relay::Event) {
        tracing::debug!(?event, "relaying for others");
        match event {
            relay::Event::ReservationReqAccepted { src_peer_id, renewed: false } => {
                *self.guests.entry(*src_peer_id).or_default() += 1;
            }
            relay::Event::ReservationClosed { src_peer_id }
            | relay::Event::ReservationTimedOut { src_peer_id } => {
                if let Some(places) = self.guests.get_mut(src_peer_id) {
                    *places -= 1;
                    if *places == 0 {
                        self.guests.remove(src_peer_id);
                    }
                }
            }
            relay::Event::CircuitReqAccepted { src_peer_id, dst_peer_id } => {
                self.circuits.push((*src_peer_id, *dst_peer_id));
            }
            relay::Event::CircuitClosed { src_peer_id, dst_peer_id, .. } => {
                let ended = (*src_peer_id, *dst_peer_id);
                if let Some(place) = self.circuits.iter().position(|circuit| *circuit == ended) {
                    self.circuits.swap_remove(place);
                }
            }
            _ => {}
        }
    }

    pub fn on_autonat(&mut self, event: &autonat::Event) {
        if let autonat::Event::StatusChanged { new, .. } = event {
            tracing::info!(status = ?new, "reachability changed");
            self.status = new.clone();
        }
    }

    pub fn on_listener_closed(&mut self, id: ListenerId) {
        for used in self.used.iter_mut().filter(|used| used.listener == Some(id)) {
            used.listener = None;
            used.next_try = Instant::now() + RETRY;
        }
        self.used.retain(|used| used.configured || used.listener.is_some());
    }

    pub fn reachability(&self) -> &'static str {
        match self.status {
            autonat::NatStatus::Public(_) => "public",
            autonat::NatStatus::Private => "private",
            autonat::NatStatus::Unknown => "unknown",
        }
    }
}

impl Driver {
    /// Listens at the relays that are configured, or that an unreachable node finds.
    pub(super) fn use_relays(&mut self, now: Instant) {
        let unreachable = self.relays.status == autonat::NatStatus::Private;
        if unreachable && self.relays.used.len() < USED_MAX {
            for (peer, address) in self.connections.serving(HOP) {
                let known = self.relays.used.iter().any(|used| used.peer == peer);
                if !known && self.relays.used.len() < USED_MAX {
                    let used = Used { peer, address, listener: None, next_try: now, configured: false };
                    self.relays.used.push(used);
                }
            }
        }
        for used in &mut self.relays.used {
            let wanted = used.listener.is_none() && used.next_try <= now;
            if !wanted || !self.connections.is_up(&used.peer) {
                continue;
            }
            match self.swarm.listen_on(circuit(&used.address, used.peer)) {
                Ok(id) => used.listener = Some(id),
                Err(error) => {
                    tracing::warn!(relay = %used.peer, %error, "cannot listen through this relay");
                    used.next_try = now + RETRY;
                }
            }
        }
    }
}

/// Where a node that uses this relay listens.
fn circuit(address: &Multiaddr, peer: PeerId) -> Multiaddr {
    let named = matches!(address.iter().last(), Some(Protocol::P2p(_)));
    let named = if named { address.clone() } else { address.clone().with(Protocol::P2p(peer)) };
    named.with(Protocol::P2pCircuit)
}
