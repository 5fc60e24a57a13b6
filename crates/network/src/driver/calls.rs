//! The node's calls.

use super::Driver;
use crate::{
    addresses,
    commands::{Call, OpenAnswer},
};
use libp2p::{PeerId, swarm::dial_opts::PeerCondition};
use opensky_ports::{TransportError, transport::NetworkView};
use opensky_types::NodeId;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Time for connecting, and being let in, before a call gives up.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// A stream to open once its peer is up.
struct Opening {
    node: NodeId,
    protocol: &'static str,
    answer: OpenAnswer,
    gives_up_at: Instant,
}

/// Streams that wait for their peers.
#[derive(Default)]
pub(super) struct Openings {
    of: BTreeMap<PeerId, Vec<Opening>>,
}

impl Openings {
    /// Whether any waits for `peer`.
    pub fn are_for(&self, peer: &PeerId) -> bool {
        self.of.contains_key(peer)
    }
}

impl Driver {
    pub(super) fn on_call(&mut self, call: Call) {
        match call {
            Call::Open { to, protocol, answer } => self.on_open(to, protocol, answer),
            Call::Knock { node, addresses, body, answer } => {
                self.on_knock_call(node, addresses, body, answer)
            }
            Call::Gossip { topic, bytes } => self.publish(topic, bytes),
            Call::Find { key, answer } => self.on_find(key, answer),
            // A caller that has gone needs no answer.
            Call::View { answer } => drop(answer.send(self.view())),
            Call::Nearby { answer } => {
                let texts = |(node, known): (&NodeId, &std::collections::BTreeSet<libp2p::Multiaddr>)| {
                    (*node, known.iter().map(ToString::to_string).collect())
                };
                drop(answer.send(self.nearby.iter().map(texts).collect()));
            }
        }
    }

    fn on_open(&mut self, node: NodeId, protocol: &'static str, answer: OpenAnswer) {
        let peer = addresses::peer_of(&node);
        if self.connections.is_up(&peer) && self.connections.protocols(&peer).is_some() {
            return self.open_now(peer, node, protocol, answer);
        }
        let waiting: usize = self.openings.of.values().map(Vec::len).sum();
        if waiting >= self.config.limits.calls_max {
            // Here and below: the caller may have gone.
            let _ = answer.send(Err(TransportError::Busy));
            return;
        }
        let gives_up_at = Instant::now() + OPEN_TIMEOUT;
        let opening = Opening { node, protocol, answer, gives_up_at };
        self.openings.of.entry(peer).or_default().push(opening);
        if !self.connections.is_up(&peer) {
            self.dial(peer, PeerCondition::DisconnectedAndNotDialing);
        }
    }

    /// Opens on a connection that is up, if the peer serves the protocol.
    fn open_now(&mut self, peer: PeerId, node: NodeId, protocol: &'static str, answer: OpenAnswer) {
        let serves = self.connections.protocols(&peer).is_none_or(|known| known.contains(protocol));
        if serves {
            self.connections.note_use(&peer);
            self.swarm.behaviour_mut().members.inner().streams.open(peer, node, protocol, answer);
        } else {
            let _ = answer.send(Err(TransportError::Unsupported { node, protocol }));
        }
    }

    /// A member is up: opens what waited for it.
    pub(super) fn flush_openings(&mut self, peer: &PeerId) {
        for Opening { node, protocol, answer, .. } in self.openings.of.remove(peer).unwrap_or_default() {
            self.open_now(*peer, node, protocol, answer);
        }
    }

    pub(super) fn fail_openings(&mut self, peer: &PeerId, reason: &str) {
        for Opening { node, answer, .. } in self.openings.of.remove(peer).unwrap_or_default() {
            let _ = answer.send(Err(TransportError::Unreachable { node, reason: reason.to_owned() }));
        }
    }

    pub(super) fn give_up_openings(&mut self, now: Instant) {
        self.openings.of.retain(|_, waiting| {
            for late in waiting.extract_if(.., |opening| opening.gives_up_at <= now) {
                let reason = format!("no connection within {} s", OPEN_TIMEOUT.as_secs());
                let _ = late.answer.send(Err(TransportError::Unreachable { node: late.node, reason }));
            }
            !waiting.is_empty()
        });
    }

    fn view(&self) -> NetworkView {
        NetworkView {
            peers: self.connections.views(),
            listening: self.swarm.listeners().map(ToString::to_string).collect(),
            external: self.swarm.external_addresses().map(ToString::to_string).collect(),
            reachability: self.relays.reachability().to_owned(),
            sent_bytes: self.traffic.sent(),
            received_bytes: self.traffic.received(),
        }
    }
}
