//! Knocks, both ways.

use super::{Driver, Waiting, connections::LAST_WORD};
use crate::{addresses, commands::KnockReply, knock};
use futures::FutureExt;
use libp2p::{
    Multiaddr, PeerId,
    request_response::{InboundFailure, Message, OutboundFailure, OutboundRequestId},
    swarm::ConnectionId,
};
use opensky_ports::{TransportError, TransportEvent, transport::KnockAnswer};
use opensky_types::NodeId;
use std::{collections::HashMap, time::Instant};
use tokio::{sync::oneshot, time};

/// Knocks that wait for the node's answer.
const ANSWERS_MAX: usize = 64;

/// The node's answer to a knock; none if it gave none in time.
pub(super) struct Answered {
    peer: PeerId,
    connection: ConnectionId,
    channel: knock::Channel,
    answer: Option<KnockAnswer>,
}

/// Knocks under way.
pub(super) struct Knocks {
    /// What this node shows when it knocks by itself; empty: it does not.
    pub body: Vec<u8>,
    pub answers: Waiting<Answered>,
    /// Own knocks; those of the node's calls have someone who waits.
    own: HashMap<OutboundRequestId, (PeerId, Option<KnockReply>)>,
}

impl Knocks {
    pub fn new(body: Vec<u8>) -> Self {
        Self { body, answers: Waiting::new(), own: HashMap::new() }
    }

    pub fn is_knocking(&self, peer: &PeerId) -> bool {
        self.own.values().any(|(other, _)| other == peer)
    }
}

impl Driver {
    /// The node knocks.
    pub(super) fn on_knock_call(
        &mut self,
        node: NodeId,
        addresses: Vec<Multiaddr>,
        body: Vec<u8>,
        answer: KnockReply,
    ) {
        let peer = addresses::peer_of(&node);
        if body.len() > knock::KNOCK_BYTES_MAX {
            let reason = format!("a knock of {} bytes; at most {} fit", body.len(), knock::KNOCK_BYTES_MAX);
            // The caller may have gone.
            let _ = answer.send(Err(TransportError::Unreachable { node, reason }));
            return;
        }
        self.connections.await_knock(&peer, Instant::now() + self.knock_timeout() * 2);
        let id = self.swarm.behaviour_mut().knock.send_request_with_addresses(&peer, body, addresses);
        self.knocks.own.insert(id, (peer, Some(answer)));
    }

    /// Knocks at a stranger that was dialled for no other reason. `false`: it does not.
    pub(super) fn knock_by_itself(&mut self, peer: PeerId, connection: ConnectionId) -> bool {
        if self.knocks.body.is_empty() || self.knocks.is_knocking(&peer) {
            return false;
        }
        tracing::debug!(%peer, %connection, "knocking");
        let body = self.knocks.body.clone();
        self.connections.await_knock(&peer, Instant::now() + self.knock_timeout() * 2);
        let id = self.swarm.behaviour_mut().knock.send_request(&peer, body);
        self.knocks.own.insert(id, (peer, None));
        true
    }

    pub(super) fn on_knock_event(&mut self, event: knock::Event) {
        match event {
            knock::Event::Message { peer, connection_id, message } => match message {
                Message::Request { request, channel, .. } => {
                    self.on_knocked(peer, connection_id, request, channel);
                }
                Message::Response { request_id, response } => {
                    self.on_knock_answered(peer, connection_id, request_id, response);
                }
            },
            knock::Event::OutboundFailure { peer, request_id, error, .. } => {
                self.on_knock_failed(peer, request_id, &error);
            }
            knock::Event::InboundFailure { peer, connection_id, error, .. } => {
                tracing::debug!(%peer, %error, "knock failed");
                let own_fault =
                    !matches!(error, InboundFailure::ResponseOmission | InboundFailure::ConnectionClosed);
                if own_fault {
                    self.turn_away(peer, connection_id);
                }
            }
            knock::Event::ResponseSent { .. } => {}
        }
    }

    fn on_knocked(&mut self, peer: PeerId, connection: ConnectionId, body: Vec<u8>, channel: knock::Channel) {
        let (Some(from), Some(one)) = (addresses::node_of(&peer), self.connections.get(connection)) else {
            return;
        };
        if self.swarm.behaviour().members.is_banned(&peer) {
            self.swarm.close_connection(connection);
            return;
        }
        let address = one.address.to_string();
        let timeout = self.knock_timeout();
        let until = Instant::now() + timeout * 2;
        self.swarm.behaviour_mut().members.note_knock(connection);
        if let Some(one) = self.connections.get_mut(connection) {
            one.knocked = true;
            // Time for the answer, and for coming back as a member; none for one that was turned away already.
            if !one.turned_away {
                one.closes_at = one.closes_at.map(|at| at.max(until));
            }
        }
        let (answer, answered) = oneshot::channel();
        let room = self.knocks.answers.len() < ANSWERS_MAX;
        if !room || !self.outbox.push(TransportEvent::Knocked { from, address, body, answer }) {
            tracing::warn!(%from, "knock dropped: too many wait for the node");
            self.swarm.close_connection(connection);
            return;
        }
        let answered = async move {
            let answer = time::timeout(timeout, answered).await.ok().and_then(Result::ok);
            Answered { peer, connection, channel, answer }
        };
        self.knocks.answers.push(answered.boxed());
    }

    /// The node has decided.
    pub(super) fn on_answer(&mut self, answered: Answered) {
        let Answered { peer, connection, channel, answer } = answered;
        let Some(KnockAnswer { body, admitted }) = answer else {
            self.swarm.behaviour_mut().members.strike(peer, Instant::now());
            self.swarm.close_connection(connection);
            return;
        };
        if admitted && let Some(node) = addresses::node_of(&peer) {
            // Before the answer leaves: the new member may be back at once.
            self.on_admit(node, Vec::new());
        }
        if self.swarm.behaviour_mut().knock.send_response(channel, body).is_err() {
            tracing::debug!(%peer, "the knock's answer came too late");
        }
        if !admitted {
            self.turn_away(peer, connection);
        }
    }

    fn turn_away(&mut self, peer: PeerId, connection: ConnectionId) {
        if self.connections.is_up(&peer) {
            return;
        }
        let now = Instant::now();
        self.swarm.behaviour_mut().members.strike(peer, now);
        if let Some(one) = self.connections.get_mut(connection) {
            one.turned_away = true;
            one.closes_at = Some(now + LAST_WORD);
        }
    }

    fn on_knock_answered(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        id: OutboundRequestId,
        body: Vec<u8>,
    ) {
        let Some((_, waiting)) = self.knocks.own.remove(&id) else { return };
        if let Some(answer) = waiting {
            // The caller may have gone; the connection then ends at its deadline.
            let _ = answer.send(Ok(body));
            return;
        }
        let (Some(from), Some(one)) = (addresses::node_of(&peer), self.connections.get(connection)) else {
            return;
        };
        let address = one.address.to_string();
        self.outbox.push(TransportEvent::Welcomed { from, address, body });
    }

    fn on_knock_failed(&mut self, peer: PeerId, id: OutboundRequestId, error: &OutboundFailure) {
        tracing::debug!(%peer, %error, "own knock failed");
        let Some((_, waiting)) = self.knocks.own.remove(&id) else { return };
        if let (Some(answer), Some(node)) = (waiting, addresses::node_of(&peer)) {
            let reason = match error {
                OutboundFailure::DialFailure => "none of its addresses answers".to_owned(),
                OutboundFailure::ConnectionClosed => "it closed the connection without an answer".to_owned(),
                OutboundFailure::UnsupportedProtocols => {
                    "it is not an OpenSky node, or of another version".to_owned()
                }
                other => other.to_string(),
            };
            // The caller may have gone.
            let _ = answer.send(Err(TransportError::Unreachable { node, reason }));
        } else if !self.connections.is_up(&peer) {
            self.fail_openings(&peer, "it did not answer this node's knock");
        }
    }
}
