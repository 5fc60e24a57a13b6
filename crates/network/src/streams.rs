//! Byte streams between members: the node's own protocols.
//!
//! A stream is opened on the newest direct connection, or on the newest relayed one if there is no
//! other. Each peer has a bounded number of inbound streams and a bounded rate of opening them; what
//! is beyond is reset at once.

use crate::{addresses, commands::OpenAnswer, config::Limits, limits::Bucket};
use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{
        Endpoint,
        transport::PortUse,
        upgrade::{InboundUpgrade, ReadyUpgrade, UpgradeInfo},
    },
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
        handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use opensky_ports::{ByteStream, TransportError};
use opensky_types::NodeId;
use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

mod duplex;
use duplex::OpenStream;

/// A member opened a stream here.
pub(crate) struct Inbound {
    pub peer: PeerId,
    pub connection: ConnectionId,
    pub protocol: &'static str,
    pub stream: ByteStream,
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").field("peer", &self.peer).field("protocol", &self.protocol).finish()
    }
}

/// The behaviour.
pub(crate) struct Behaviour {
    protocols: Arc<[&'static str]>,
    streams_max: usize,
    per_second_max: u32,
    peers: HashMap<PeerId, Peer>,
    orders: VecDeque<ToSwarm<Inbound, OpenOrder>>,
}

struct Peer {
    connections: Vec<(ConnectionId, bool)>,
    quota: Arc<Quota>,
}

impl Behaviour {
    pub fn new(protocols: &[&'static str], limits: &Limits) -> Self {
        Self {
            protocols: protocols.into(),
            streams_max: limits.streams_per_peer_max,
            per_second_max: limits.streams_per_second_max,
            peers: HashMap::new(),
            orders: VecDeque::new(),
        }
    }

    /// Opens a stream to a peer that is attached; `answer` gets it.
    pub fn open(&mut self, peer: PeerId, node: NodeId, protocol: &'static str, answer: OpenAnswer) {
        let best = self.peers.get(&peer).and_then(|peer| {
            peer.connections.iter().rev().min_by_key(|(_, relayed)| *relayed).map(|(id, _)| *id)
        });
        let Some(connection) = best else {
            let reason = "the connection was lost".to_owned();
            // The caller may have gone; then nobody wants to know.
            let _ = answer.send(Err(TransportError::Unreachable { node, reason }));
            return;
        };
        self.orders.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: OpenOrder { node, protocol, answer },
        });
    }

    /// Whether a peer has a stream open here, or this node one there.
    pub fn is_used(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|known| known.quota.is_used())
    }

    fn handler(&mut self, peer: PeerId) -> Handler {
        let (streams_max, per_second) = (self.streams_max, self.per_second_max);
        let quota = self.peers.entry(peer).or_insert_with(|| Peer {
            connections: Vec::new(),
            quota: Arc::new(Quota::new(streams_max, per_second)),
        });
        Handler {
            protocols: self.protocols.clone(),
            quota: quota.quota.clone(),
            opening: VecDeque::new(),
            opened: VecDeque::new(),
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Inbound;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(event) => {
                let relayed = addresses::is_relayed(event.endpoint.get_remote_address());
                if let Some(peer) = self.peers.get_mut(&event.peer_id) {
                    peer.connections.push((event.connection_id, relayed));
                }
            }
            FromSwarm::ConnectionClosed(event) => {
                if let Some(peer) = self.peers.get_mut(&event.peer_id) {
                    peer.connections.retain(|(id, _)| *id != event.connection_id);
                    if peer.connections.is_empty() {
                        self.peers.remove(&event.peer_id);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        let Opened { protocol, stream } = event;
        let inbound = Inbound { peer, connection, protocol, stream };
        self.orders.push_back(ToSwarm::GenerateEvent(inbound));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.orders.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// What one peer may have open and how fast it may open more, over all its connections.
#[derive(Debug)]
struct Quota {
    open: AtomicUsize,
    open_max: usize,
    /// Streams that this node has open there; it bounds itself.
    own: AtomicUsize,
    rate: Mutex<Bucket>,
}

impl Quota {
    fn new(open_max: usize, per_second: u32) -> Self {
        let rate = Bucket::new(per_second.saturating_mul(10), per_second, Instant::now());
        Self { open: AtomicUsize::new(0), open_max, own: AtomicUsize::new(0), rate: Mutex::new(rate) }
    }

    fn is_used(&self) -> bool {
        self.open.load(Ordering::Relaxed) + self.own.load(Ordering::Relaxed) > 0
    }

    fn own(self: &Arc<Self>) -> Permit {
        self.own.fetch_add(1, Ordering::Relaxed);
        Permit { quota: self.clone(), is_own: true }
    }

    fn enter(self: &Arc<Self>) -> Option<Permit> {
        let in_time = self.rate.lock().expect("no code panics while holding this lock").take(Instant::now());
        let permit = in_time.then(|| {
            let before = self.open.fetch_add(1, Ordering::Relaxed);
            (Permit { quota: self.clone(), is_own: false }, before)
        });
        permit.and_then(|(permit, before)| (before < self.open_max).then_some(permit))
    }
}

/// One open stream; counted until dropped.
#[derive(Debug)]
struct Permit {
    quota: Arc<Quota>,
    is_own: bool,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let count = if self.is_own { &self.quota.own } else { &self.quota.open };
        count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// To a connection: open a stream.
pub(crate) struct OpenOrder {
    node: NodeId,
    protocol: &'static str,
    answer: OpenAnswer,
}

impl fmt::Debug for OpenOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOrder").field("node", &self.node).field("protocol", &self.protocol).finish()
    }
}

/// From a connection: its peer opened a stream.
pub(crate) struct Opened {
    protocol: &'static str,
    stream: ByteStream,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("protocol", &self.protocol).finish()
    }
}

/// One connection's part.
pub(crate) struct Handler {
    protocols: Arc<[&'static str]>,
    quota: Arc<Quota>,
    opening: VecDeque<OpenOrder>,
    opened: VecDeque<Opened>,
}

type HandlerOrder = ConnectionHandlerEvent<ReadyUpgrade<&'static str>, OpenOrder, Opened>;

impl ConnectionHandler for Handler {
    type FromBehaviour = OpenOrder;
    type ToBehaviour = Opened;
    type InboundProtocol = Served;
    type OutboundProtocol = ReadyUpgrade<&'static str>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = OpenOrder;

    fn listen_protocol(&self) -> SubstreamProtocol<Served> {
        SubstreamProtocol::new(Served(self.protocols.clone()), ())
    }

    /// Members stay connected, until the driver has too many (`driver/idle.rs`).
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn on_behaviour_event(&mut self, order: OpenOrder) {
        self.opening.push_back(order);
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<HandlerOrder> {
        if let Some(opened) = self.opened.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(opened));
        }
        if let Some(order) = self.opening.pop_front() {
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(order.protocol), order);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Served, ReadyUpgrade<&'static str>, (), OpenOrder>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, protocol),
                ..
            }) => match self.quota.enter() {
                Some(permit) => {
                    let stream = Box::new(OpenStream::new(stream, permit));
                    self.opened.push_back(Opened { protocol, stream });
                }
                None => {
                    tracing::debug!(protocol, "stream refused: its opener has too many, or opens too fast")
                }
            },
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: stream, info }) => {
                // The caller may have gone; then the stream closes with the answer.
                let _ = info.answer.send(Ok(Box::new(OpenStream::new(stream, self.quota.own()))));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info, error }) => {
                let OpenOrder { node, protocol, answer } = info;
                let _ = answer.send(Err(open_error(node, protocol, error)));
            }
            _ => {}
        }
    }
}

fn open_error(node: NodeId, protocol: &'static str, error: StreamUpgradeError<Infallible>) -> TransportError {
    match error {
        StreamUpgradeError::NegotiationFailed => TransportError::Unsupported { node, protocol },
        error => TransportError::Unreachable { node, reason: error.to_string() },
    }
}

/// The protocols that are served: accepts any of them.
#[derive(Debug, Clone)]
pub(crate) struct Served(Arc<[&'static str]>);

impl UpgradeInfo for Served {
    type Info = &'static str;
    type InfoIter = std::vec::IntoIter<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        Vec::from(&*self.0).into_iter()
    }
}

impl InboundUpgrade<Stream> for Served {
    type Output = (Stream, &'static str);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: &'static str) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}
