//! The gate of the sky. It wraps every behaviour that only members may meet.
//!
//! What a connection may carry is decided once, when it is established: for a member the wrapped
//! behaviour hands out its handler; for a stranger a handler that offers and accepts nothing, and
//! the wrapped behaviour never hears of that connection. So a stranger that becomes a member needs a
//! new connection, which its dialler makes (`driver/connections.rs`).

use crate::{
    addresses,
    config::Limits,
    limits::{Bans, Denied, Evicted, Strangers},
};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, DialError, DialFailure, FromSwarm, NetworkBehaviour,
        NotifyHandler, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, derive_prelude::Either, dummy,
    },
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::{IpAddr, Ipv4Addr},
    task::{Context, Poll},
    time::Instant,
};

/// Lets members through to `B`, and nobody else.
pub(crate) struct Members<B> {
    inner: B,
    members: HashSet<PeerId>,
    /// Connections that `inner` knows, by peer.
    attached: HashMap<PeerId, Vec<ConnectionId>>,
    /// The same connections, by id; `true`: to a node on this machine.
    alive: HashMap<ConnectionId, bool>,
    /// Connections that were handed a real handler but are not yet announced as established.
    promised: HashSet<ConnectionId>,
    strangers: Strangers,
    /// Strangers that gave up their places and are not closed yet.
    evicted: VecDeque<Evicted>,
    bans: Bans,
}

impl<B> Members<B> {
    pub fn new(inner: B, members: HashSet<PeerId>, limits: &Limits) -> Self {
        Self {
            inner,
            members,
            attached: HashMap::new(),
            alive: HashMap::new(),
            promised: HashSet::new(),
            strangers: Strangers::new(limits),
            evicted: VecDeque::new(),
            bans: Bans::default(),
        }
    }

    pub fn inner(&mut self) -> &mut B {
        &mut self.inner
    }

    /// New connections of `peer` are a member's from now on.
    pub fn admit(&mut self, peer: PeerId) {
        self.members.insert(peer);
        self.bans.forgive(&peer);
    }

    /// New connections of `peer` are refused for a while; afterwards it is a stranger. The driver
    /// closes the present ones.
    pub fn expel(&mut self, peer: PeerId, now: Instant) {
        self.members.remove(&peer);
        self.bans.expel(peer, now);
    }

    /// A stranger has knocked: it keeps its place rather than one that says nothing.
    pub fn note_knock(&mut self, connection: ConnectionId) {
        self.strangers.note_knock(connection);
    }

    /// Counts a refused or malformed knock against `peer`.
    pub fn strike(&mut self, peer: PeerId, now: Instant) {
        self.bans.strike(peer, now);
    }

    /// Whether `peer` is refused at present.
    pub fn is_banned(&self, peer: &PeerId) -> bool {
        self.bans.is_banned(peer, Instant::now())
    }

    pub fn is_member(&self, peer: &PeerId) -> bool {
        self.members.contains(peer)
    }

    /// Whether the wrapped behaviours live on this connection.
    pub fn is_attached(&self, connection: ConnectionId) -> bool {
        self.alive.contains_key(&connection)
    }

    fn check_peer(&self, peer: &PeerId) -> Result<(), Denied> {
        if self.is_banned(peer) {
            return Err(Denied::Banned);
        }
        addresses::node_of(peer).map(|_| ()).ok_or(Denied::Key)
    }

    fn detach(&mut self, peer: &PeerId, connection: ConnectionId) -> Option<usize> {
        let connections = self.attached.get_mut(peer)?;
        let position = connections.iter().position(|other| *other == connection)?;
        connections.swap_remove(position);
        self.alive.remove(&connection);
        let left = connections.len();
        if left == 0 {
            self.attached.remove(peer);
        }
        Some(left)
    }
}

/// What strangers are counted by. All that come through relays count as one.
fn source_ip(remote: &Multiaddr) -> IpAddr {
    addresses::ip_of(remote).unwrap_or(Ipv4Addr::UNSPECIFIED.into())
}

impl<B: NetworkBehaviour> Members<B> {
    /// Addresses that `inner` learned from others: loopback is only another machine's idea of
    /// itself, unless some of this node's peers are on this machine (P4).
    fn believable(&self, learned: Vec<Multiaddr>) -> Vec<Multiaddr> {
        let local = self.alive.values().any(|local| *local);
        learned.into_iter().filter(|address| local || !addresses::is_loopback(address)).collect()
    }

    fn on_established(&mut self, event: libp2p::swarm::behaviour::ConnectionEstablished<'_>) {
        if self.promised.remove(&event.connection_id) {
            let connections = self.attached.entry(event.peer_id).or_default();
            let other_established = connections.len();
            connections.push(event.connection_id);
            let local = addresses::is_loopback(event.endpoint.get_remote_address());
            self.alive.insert(event.connection_id, local);
            let event = libp2p::swarm::behaviour::ConnectionEstablished { other_established, ..event };
            self.inner.on_swarm_event(FromSwarm::ConnectionEstablished(event));
        } else if event.endpoint.is_dialer() {
            // To `inner`, a dial that reached a stranger failed. It must hear so, for it may wait.
            self.inner.on_swarm_event(FromSwarm::DialFailure(DialFailure {
                peer_id: Some(event.peer_id),
                error: &DialError::Aborted,
                connection_id: event.connection_id,
            }));
        }
    }

    fn on_closed(&mut self, event: libp2p::swarm::behaviour::ConnectionClosed<'_>) {
        self.strangers.leave(event.connection_id);
        if let Some(remaining_established) = self.detach(&event.peer_id, event.connection_id) {
            let event = libp2p::swarm::behaviour::ConnectionClosed { remaining_established, ..event };
            self.inner.on_swarm_event(FromSwarm::ConnectionClosed(event));
        }
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Members<B> {
    type ConnectionHandler = Either<THandler<B>, dummy::ConnectionHandler>;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.strangers.begin(connection, source_ip(remote)).map_err(ConnectionDenied::new)?;
        self.inner.handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.strangers.finish(connection);
        self.check_peer(&peer).map_err(ConnectionDenied::new)?;
        if self.is_member(&peer) {
            let handler =
                self.inner.handle_established_inbound_connection(connection, peer, local, remote)?;
            self.promised.insert(connection);
            return Ok(Either::Left(handler));
        }
        let evicted = self.strangers.enter(connection, peer, source_ip(remote), Instant::now());
        self.evicted.extend(evicted.map_err(ConnectionDenied::new)?);
        Ok(Either::Right(dummy::ConnectionHandler))
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        given: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if let Some(peer) = &peer {
            self.check_peer(peer).map_err(ConnectionDenied::new)?;
        }
        let learned = self.inner.handle_pending_outbound_connection(connection, peer, given, role)?;
        Ok(self.believable(learned))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check_peer(&peer).map_err(ConnectionDenied::new)?;
        if !self.is_member(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        let handler =
            self.inner.handle_established_outbound_connection(connection, peer, address, role, port_use)?;
        self.promised.insert(connection);
        Ok(Either::Left(handler))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(event) => self.on_established(event),
            FromSwarm::ConnectionClosed(event) => self.on_closed(event),
            FromSwarm::AddressChange(event) => {
                if self.is_attached(event.connection_id) {
                    self.inner.on_swarm_event(FromSwarm::AddressChange(event));
                }
            }
            FromSwarm::DialFailure(event) => {
                self.promised.remove(&event.connection_id);
                self.inner.on_swarm_event(FromSwarm::DialFailure(event));
            }
            FromSwarm::ListenFailure(event) => {
                // Another behaviour may deny a connection after this one let it in.
                self.promised.remove(&event.connection_id);
                self.strangers.finish(event.connection_id);
                self.strangers.leave(event.connection_id);
                self.inner.on_swarm_event(FromSwarm::ListenFailure(event));
            }
            event => self.inner.on_swarm_event(event),
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            Either::Left(event) => self.inner.on_connection_handler_event(peer, connection, event),
            Either::Right(never) => match never {},
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some((peer_id, connection)) = self.evicted.pop_front() {
            let connection = CloseConnection::One(connection);
            return Poll::Ready(ToSwarm::CloseConnection { peer_id, connection });
        }
        loop {
            let Poll::Ready(order) = self.inner.poll(cx) else { return Poll::Pending };
            match order {
                // `Any` could pick a connection that `inner` does not know.
                ToSwarm::NotifyHandler { peer_id, handler, event } => {
                    let connection = match handler {
                        NotifyHandler::One(connection) => Some(connection),
                        NotifyHandler::Any => {
                            self.attached.get(&peer_id).and_then(|all| all.first().copied())
                        }
                    };
                    // Not by `peer_id`: the relay server names another peer than the connection's.
                    let Some(connection) = connection.filter(|one| self.alive.contains_key(one)) else {
                        continue;
                    };
                    let handler = NotifyHandler::One(connection);
                    return Poll::Ready(ToSwarm::NotifyHandler {
                        peer_id,
                        handler,
                        event: Either::Left(event),
                    });
                }
                ToSwarm::CloseConnection { connection: CloseConnection::One(connection), .. }
                    if !self.is_attached(connection) => {}
                order => return Poll::Ready(order.map_in(Either::Left)),
            }
        }
    }
}
