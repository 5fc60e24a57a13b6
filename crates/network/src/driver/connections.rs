//! Who is connected. A member is up once a connection is known to be a member's on both sides: its
//! identification arrived, or a stream of it did.

use super::Driver;
use crate::addresses;
use libp2p::{
    Multiaddr, PeerId,
    core::ConnectedPoint,
    identify, ping,
    swarm::{
        ConnectionError, ConnectionId, DialError,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use opensky_ports::{
    TransportEvent,
    transport::{Path, PeerView},
};
use opensky_types::NodeId;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

/// A node whose connection ends gets this long to read the answer to its knock.
pub(super) const LAST_WORD: Duration = Duration::from_secs(1);
/// After letting a node in, the time it gets to come back before it is dialled.
const COME_BACK: Duration = Duration::from_secs(2);

/// What is known of one connection.
pub(super) struct Connection {
    pub peer: PeerId,
    pub address: Multiaddr,
    pub dialled: bool,
    /// A member's on this side.
    pub attached: bool,
    /// A member's on the other side too.
    pub mutual: bool,
    /// Known not to be one's on the other side.
    one_sided: bool,
    /// A ping over it had no answer.
    silent: bool,
    rtt: Option<Duration>,
    /// A knock of the other side came over it.
    pub knocked: bool,
    /// That knock was refused.
    pub turned_away: bool,
    /// When a connection that carries nothing yet is closed.
    pub closes_at: Option<Instant>,
}

/// What a member says of itself.
struct Identity {
    /// Another one after each start.
    life: String,
    agent: String,
    protocols: BTreeSet<String>,
}

/// A member that is up.
#[derive(Clone, Copy)]
struct Up {
    since: Instant,
    /// When a stream was last opened there or from there.
    used_at: Instant,
}

/// All connections.
#[derive(Default)]
pub(super) struct Connections {
    of: HashMap<ConnectionId, Connection>,
    identities: BTreeMap<PeerId, Identity>,
    /// Members that are up.
    up: BTreeMap<PeerId, Up>,
    /// Members to dial again as soon as their old connections are closed.
    redial: BTreeSet<PeerId>,
}

impl Connections {
    pub fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.of.get(&id)
    }

    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.of.get_mut(&id)
    }

    pub fn is_up(&self, peer: &PeerId) -> bool {
        self.up.contains_key(peer)
    }

    pub fn up_count(&self) -> usize {
        self.up.len()
    }

    /// Members that are up, and when a stream was last opened there or from there.
    pub fn last_used(&self) -> impl Iterator<Item = (PeerId, Instant)> {
        self.up.iter().map(|(peer, up)| (*peer, up.used_at))
    }

    /// A stream is opened there or from there.
    pub fn note_use(&mut self, peer: &PeerId) {
        if let Some(up) = self.up.get_mut(peer) {
            up.used_at = Instant::now();
        }
    }

    /// Gives all of a peer's connections that carry nothing yet time for a knock.
    pub fn await_knock(&mut self, peer: &PeerId, until: Instant) {
        for one in self.of.values_mut().filter(|one| one.peer == *peer && !one.attached) {
            one.closes_at = one.closes_at.map(|at| at.max(until));
        }
    }

    /// The protocols a member serves, once known.
    pub fn protocols(&self, peer: &PeerId) -> Option<&BTreeSet<String>> {
        self.identities.get(peer).map(|identity| &identity.protocols)
    }

    /// Members that are up and serve `protocol`, each with an address.
    pub fn serving(&self, protocol: &str) -> Vec<(PeerId, Multiaddr)> {
        let serves = |peer: &PeerId| self.protocols(peer).is_some_and(|all| all.contains(protocol));
        let direct = self.of.values().filter(|one| one.mutual && !addresses::is_relayed(&one.address));
        direct.filter(|one| serves(&one.peer)).map(|one| (one.peer, one.address.clone())).collect()
    }

    fn of_peer<'a>(&'a self, peer: &'a PeerId) -> impl Iterator<Item = (ConnectionId, &'a Connection)> {
        self.of.iter().filter(move |(_, one)| one.peer == *peer).map(|(id, one)| (*id, one))
    }

    /// One line per member that is up, by its best connection.
    pub fn views(&self) -> Vec<PeerView> {
        self.up.keys().filter_map(|peer| self.view_of(peer)).collect()
    }

    fn view_of(&self, peer: &PeerId) -> Option<PeerView> {
        let relayed = |one: &Connection| addresses::is_relayed(&one.address);
        let best = self.of_peer(peer).map(|(_, one)| one).filter(|one| one.mutual);
        let best = best.min_by_key(|one| (relayed(one), one.rtt))?;
        Some(PeerView {
            node: addresses::node_of(peer)?,
            path: if relayed(best) { Path::Relayed } else { Path::Direct },
            address: best.address.to_string(),
            rtt_us: best.rtt.map(|rtt| rtt.as_micros() as u64),
            agent: self.identities.get(peer).map(|identity| identity.agent.clone()).unwrap_or_default(),
        })
    }
}

impl Driver {
    pub(super) fn on_established(&mut self, peer: PeerId, id: ConnectionId, endpoint: ConnectedPoint) {
        let attached = self.swarm.behaviour().members.is_attached(id);
        let address = endpoint.get_remote_address().clone();
        let dialled = endpoint.is_dialer();
        tracing::debug!(%peer, %address, dialled, attached, "connected");
        // A stranger came to knock, so it does so at once. A member's connection must show soon that the
        // other side takes this node for a member too.
        let is_awaited = attached || dialled || self.knocks.is_knocking(&peer);
        let silence = Duration::from_millis(self.config.limits.silent_stranger_ms);
        let patience = if is_awaited { self.knock_timeout() * 2 } else { silence };
        let closes_at = Some(Instant::now() + patience);
        let one = Connection {
            peer,
            address,
            dialled,
            attached,
            mutual: false,
            one_sided: false,
            silent: false,
            rtt: None,
            knocked: false,
            turned_away: false,
            closes_at,
        };
        self.connections.of.insert(id, one);
        if dialled && !attached {
            self.knock_by_itself(peer, id);
        }
    }

    pub(super) fn on_closed(&mut self, peer: PeerId, id: ConnectionId, cause: Option<ConnectionError>) {
        let now = Instant::now();
        let was_silent = self.connections.of.remove(&id).is_some_and(|one| one.silent);
        tracing::debug!(%peer, cause = cause.map(|cause| cause.to_string()), "connection closed");
        let is_up = self.connections.of_peer(&peer).any(|(_, one)| one.mutual);
        let was_up = if is_up { None } else { self.connections.up.remove(&peer) };
        if let Some(up) = was_up {
            self.connections.identities.remove(&peer);
            // Whoever went without a word is not told of to others; one that closed may have too many
            // connections, and is still where it was.
            if was_silent {
                self.swarm.behaviour_mut().members.inner().kad.remove_peer(&peer);
            }
            self.book.on_down(&peer, now, now.saturating_duration_since(up.since));
            if let Some(node) = addresses::node_of(&peer) {
                tracing::info!(%node, "member is down");
                self.outbox.set_up(node, false);
            }
        }
        let dialled_left = self.connections.of_peer(&peer).any(|(_, one)| one.dialled && !one.mutual);
        if !dialled_left && self.connections.redial.remove(&peer) && !self.connections.is_up(&peer) {
            self.dial(peer, PeerCondition::Always);
        } else if self.connections.of_peer(&peer).next().is_none() {
            self.fail_openings(&peer, "the connection was closed by the other side");
        }
    }

    pub(super) fn on_dial_failed(&mut self, peer: PeerId, error: &DialError) {
        if matches!(error, DialError::DialPeerConditionFalse(_)) {
            return;
        }
        tracing::debug!(%peer, %error, "cannot reach");
        let connected = self.connections.of_peer(&peer).next().is_some();
        if !connected {
            self.swarm.behaviour_mut().members.inner().kad.remove_peer(&peer);
        }
        if !connected && !self.look_up_addresses(peer, error) {
            self.fail_openings(&peer, &reason(error));
        }
    }

    /// A member's connection works both ways.
    pub(super) fn on_mutual(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(one) = self.connections.of.get_mut(&id) else { return };
        one.mutual = true;
        one.closes_at = None;
        let now = Instant::now();
        if !self.connections.is_up(&peer) {
            self.connections.up.insert(peer, Up { since: now, used_at: now });
            self.lookups.on_member_up(now, self.connections.up_count());
            if let Some(node) = addresses::node_of(&peer) {
                tracing::info!(%node, "member is up");
                self.outbox.set_up(node, true);
            }
        }
    }

    pub(super) fn on_identify(&mut self, event: identify::Event) {
        match event {
            identify::Event::Received { connection_id, peer_id, info } => {
                self.on_mutual(peer_id, connection_id);
                if self.was_restarted(&peer_id, &info) {
                    // Gossip tells its subscriptions with the first connection only, and this side still has
                    // one to what the peer was before: both begin again.
                    tracing::debug!(peer = %peer_id, "a member was restarted");
                    // Not being connected is what is wanted.
                    let _ = self.swarm.disconnect_peer_id(peer_id);
                    return;
                }
                self.on_identity(peer_id, connection_id, info);
                self.flush_openings(&peer_id);
            }
            identify::Event::Error { connection_id, peer_id, error } => {
                tracing::debug!(peer = %peer_id, %error, "identification failed");
                self.on_one_sided(peer_id, connection_id);
            }
            identify::Event::Sent { .. } | identify::Event::Pushed { .. } => {}
        }
    }

    /// Whether a peer is in another life than when it last said who it is. What is known of it goes with its
    /// last connection, so there are some of its life before.
    fn was_restarted(&self, peer: &PeerId, info: &identify::Info) -> bool {
        self.connections.identities.get(peer).is_some_and(|known| known.life != word(&info.protocol_version))
    }

    /// The other side does not take this node for a member. Showing its membership may help.
    fn on_one_sided(&mut self, peer: PeerId, id: ConnectionId) {
        let Some(one) = self.connections.of.get_mut(&id).filter(|one| !one.mutual) else { return };
        one.one_sided = true;
        if one.dialled && !self.knock_by_itself(peer, id) && !self.knocks.is_knocking(&peer) {
            self.swarm.close_connection(id);
        }
        if !self.connections.is_up(&peer) && !self.knocks.is_knocking(&peer) {
            self.fail_openings(&peer, "it does not take this node for a member");
        }
    }

    fn on_identity(&mut self, peer: PeerId, id: ConnectionId, info: identify::Info) {
        let Some(source) = self.connections.get(id).map(|one| one.address.clone()) else { return };
        let private = self.config.private_addresses;
        let mut told = info.listen_addrs;
        told.truncate(addresses::ADDRESSES_MAX);
        told.retain(|address| addresses::is_believable(address, &source, private));
        for address in &told {
            self.swarm.behaviour_mut().members.inner().kad.add_address(&peer, address.clone());
        }
        self.book.learn(&peer, told);
        let (life, agent) = (word(&info.protocol_version), word(&info.agent_version));
        let protocols = info.protocols.iter().take(64).map(ToString::to_string).collect();
        self.connections.identities.insert(peer, Identity { life, agent, protocols });
    }

    pub(super) fn on_ping(&mut self, event: ping::Event) {
        match event.result {
            Ok(rtt) => {
                if let Some(one) = self.connections.of.get_mut(&event.connection) {
                    one.rtt = Some(rtt);
                }
            }
            // Only from members, who serve it; so the connection is dead.
            Err(ping::Failure::Timeout) => {
                tracing::debug!(peer = %event.peer, "no answer to a ping");
                if let Some(one) = self.connections.of.get_mut(&event.connection) {
                    one.silent = true;
                }
                self.swarm.close_connection(event.connection);
            }
            Err(error) => tracing::debug!(peer = %event.peer, %error, "ping failed"),
        }
    }

    /// A node is a member from now on. Connections that were made before carry nothing: who dialled
    /// one closes it and dials anew; the other side waits for that.
    pub(super) fn on_admit(&mut self, node: NodeId, addresses: Vec<Multiaddr>) {
        let peer = addresses::peer_of(&node);
        if peer == *self.swarm.local_peer_id() {
            return;
        }
        let now = Instant::now();
        self.swarm.behaviour_mut().members.admit(peer);
        self.book.add_member(peer, addresses, now);
        if self.connections.is_up(&peer) {
            return;
        }
        let useless = |one: &Connection| !one.attached || one.one_sided;
        let old = self.connections.of_peer(&peer).filter(|(_, one)| useless(one));
        let old: Vec<(ConnectionId, bool, Multiaddr)> =
            old.map(|(id, one)| (id, one.dialled, one.address.clone())).collect();
        if !old.is_empty() {
            self.book.try_after(&peer, now, COME_BACK);
        }
        for (id, dialled, address) in old {
            if dialled {
                self.book.learn(&peer, vec![address]);
                self.connections.redial.insert(peer);
                self.close_useless(id);
            }
        }
        self.dial_due(now);
    }

    /// Closes a connection that will never carry more than knocks. Where the other side has knocked, it
    /// gets time to read the answer first: a knock takes any connection there is, also one that this
    /// node dialled.
    fn close_useless(&mut self, id: ConnectionId) {
        match self.connections.get_mut(id).filter(|one| one.knocked) {
            Some(one) => one.closes_at = Some(Instant::now() + LAST_WORD),
            // One that is closed already is what is wanted.
            None => drop(self.swarm.close_connection(id)),
        }
    }

    /// A node is refused from now on, for a while.
    pub(super) fn on_expel(&mut self, node: NodeId) {
        let peer = addresses::peer_of(&node);
        self.book.remove(&peer);
        self.connections.redial.remove(&peer);
        let behaviour = self.swarm.behaviour_mut();
        behaviour.members.expel(peer, Instant::now());
        behaviour.members.inner().kad.remove_peer(&peer);
        // Not being connected is what is wanted.
        let _ = self.swarm.disconnect_peer_id(peer);
        self.fail_openings(&peer, "it was expelled");
    }

    /// Dials whoever is wanted and due.
    pub(super) fn dial_due(&mut self, now: Instant) {
        let target = self.config.limits.members_connected_target;
        let room = target.saturating_sub(self.connections.up_count());
        let busy: BTreeSet<PeerId> = self
            .connections
            .of
            .values()
            .filter(|one| one.mutual || one.dialled || !one.attached && !self.is_member(&one.peer))
            .map(|one| one.peer)
            .collect();
        let knocks = !self.knocks.body.is_empty();
        let due = self.book.due(now, room, knocks, rand::random(), |peer| busy.contains(peer));
        for peer in due {
            self.dial(peer, PeerCondition::NotDialing);
        }
    }

    pub(super) fn dial(&mut self, peer: PeerId, condition: PeerCondition) {
        let options = DialOpts::peer_id(peer)
            .condition(condition)
            .addresses(self.book.addresses(&peer))
            .extend_addresses_through_behaviour()
            .build();
        if let Err(error) = self.swarm.dial(options) {
            self.on_dial_failed(peer, &error);
        }
    }

    /// Closes what carries nothing for too long.
    pub(super) fn close_overdue(&mut self, now: Instant) {
        let overdue = self.connections.of.iter().filter(|(_, one)| one.closes_at.is_some_and(|at| at <= now));
        let overdue: Vec<ConnectionId> = overdue.map(|(id, _)| *id).collect();
        for id in overdue {
            self.swarm.close_connection(id);
        }
    }

    pub(super) fn is_member(&self, peer: &PeerId) -> bool {
        self.swarm.behaviour().members.is_member(peer)
    }

    pub(super) fn knock_timeout(&self) -> Duration {
        Duration::from_millis(self.config.limits.knock_timeout_ms)
    }

    pub(super) fn on_stream(&mut self, inbound: crate::streams::Inbound) {
        let crate::streams::Inbound { peer, connection, protocol, stream } = inbound;
        let Some(from) = addresses::node_of(&peer) else { return };
        self.on_mutual(peer, connection);
        self.connections.note_use(&peer);
        if !self.outbox.push(TransportEvent::Stream { from, protocol, stream }) {
            tracing::warn!(%from, protocol, "stream refused: too many events wait for the node");
        }
    }
}

/// What a peer says of itself, short and printable.
fn word(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// Why a dial failed, in one line.
fn reason(error: &DialError) -> String {
    match error {
        DialError::NoAddresses => "none of its addresses is known".to_owned(),
        DialError::WrongPeerId { .. } => "another node answers at its address".to_owned(),
        DialError::Denied { cause } => cause.to_string(),
        DialError::Transport(tried) => format!("none of its {} addresses answers", tried.len()),
        other => other.to_string(),
    }
}
