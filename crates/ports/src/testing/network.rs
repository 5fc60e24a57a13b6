//! Several nodes in one process, joined by links that a test can cut.
//!
//! Two nodes are connected exactly while each has admitted the other, neither is shut down and
//! nobody cut their link. [`Hub::settle`] compares that rule with the links there are, after every
//! change, and tells both sides of each difference.

use super::{
    lock,
    stream::{LinkStream, Traffic},
};
use crate::transport::{
    ByteStream, GossipVerdict, KnockAnswer, NetworkView, Path, PeerView, Transport, TransportError,
    TransportEvent,
};
use async_trait::async_trait;
use opensky_types::{Hash, NodeId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, atomic::Ordering},
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Events that may wait for one node. A test that lets more wait has lost its node.
const EVENTS_MAX: usize = 16 * 1024;

/// A network in memory. Clones share one network.
#[derive(Clone)]
pub struct MemoryNetwork {
    hub: Arc<Mutex<Hub>>,
}

/// Two nodes, the smaller id first.
type Pair = (NodeId, NodeId);

struct Hub {
    protocols: Vec<&'static str>,
    nodes: BTreeMap<NodeId, Station>,
    /// What lives as long as the two nodes are connected.
    links: BTreeMap<Pair, CancellationToken>,
    cuts: BTreeSet<Pair>,
    verdicts: Vec<(NodeId, NodeId, GossipVerdict)>,
}

/// What the network knows of one node.
struct Station {
    address: String,
    events: mpsc::Sender<TransportEvent>,
    admitted: BTreeSet<NodeId>,
    expelled: BTreeSet<NodeId>,
    advertised: BTreeSet<Hash>,
    traffic: Arc<Traffic>,
}

/// One node's door to a [`MemoryNetwork`].
#[derive(Clone)]
pub struct MemoryTransport {
    node: NodeId,
    hub: Arc<Mutex<Hub>>,
}

fn pair(one: NodeId, other: NodeId) -> Pair {
    (one.min(other), one.max(other))
}

impl MemoryNetwork {
    /// A network whose nodes all serve `protocols`.
    pub fn new(protocols: &[&'static str]) -> Self {
        let hub = Hub {
            protocols: protocols.to_vec(),
            nodes: BTreeMap::new(),
            links: BTreeMap::new(),
            cuts: BTreeSet::new(),
            verdicts: Vec::new(),
        };
        Self { hub: Arc::new(Mutex::new(hub)) }
    }

    /// Starts `node`, or starts it again after a shutdown, as a stranger to all.
    pub fn start(&self, node: NodeId) -> (MemoryTransport, mpsc::Receiver<TransportEvent>) {
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let mut hub = lock(&self.hub);
        let station = Station {
            address: format!("/memory/{node}"),
            events,
            admitted: BTreeSet::new(),
            expelled: BTreeSet::new(),
            advertised: BTreeSet::new(),
            traffic: Arc::new(Traffic::default()),
        };
        let running = hub.nodes.insert(node, station);
        assert!(running.is_none(), "{node} runs already");
        (MemoryTransport { node, hub: self.hub.clone() }, receiver)
    }

    /// Where a node is knocked at.
    pub fn address(&self, node: NodeId) -> String {
        format!("/memory/{node}")
    }

    /// Breaks the link between two nodes: streams fail, both see the other go.
    pub fn cut(&self, one: NodeId, other: NodeId) {
        let mut hub = lock(&self.hub);
        hub.cuts.insert(pair(one, other));
        hub.settle();
    }

    /// Mends the link between two nodes; members that know each other connect again.
    pub fn restore(&self, one: NodeId, other: NodeId) {
        let mut hub = lock(&self.hub);
        hub.cuts.remove(&pair(one, other));
        hub.settle();
    }

    /// Ends a node at once, as a power cut would.
    pub fn kill(&self, node: NodeId) {
        let mut hub = lock(&self.hub);
        hub.nodes.remove(&node);
        hub.settle();
    }

    /// Lets `finder` come upon `found`, as on a local network: its transport knocks there by itself
    /// with `body`, and hears [`TransportEvent::Welcomed`] if it is let in.
    pub async fn discover(&self, finder: NodeId, found: NodeId, body: Vec<u8>) -> Result<(), TransportError> {
        let door = MemoryTransport { node: finder, hub: self.hub.clone() };
        let address = self.address(found);
        let answer = door.show(found, std::slice::from_ref(&address), body).await?;
        if answer.admitted {
            let event = TransportEvent::Welcomed { from: found, address, body: answer.body };
            lock(&self.hub).tell(finder, event);
        }
        Ok(())
    }

    /// Every verdict on gossip so far: who judged, from whom it came, and how it was judged.
    pub fn verdicts(&self) -> Vec<(NodeId, NodeId, GossipVerdict)> {
        lock(&self.hub).verdicts.clone()
    }
}

impl Hub {
    fn tell(&self, node: NodeId, event: TransportEvent) {
        let Some(station) = self.nodes.get(&node) else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = station.events.try_send(event) {
            panic!("{node} left {EVENTS_MAX} events unread");
        }
    }

    fn should_be_linked(&self, one: NodeId, other: NodeId) -> bool {
        let admits = |host, guest| self.nodes.get(host).is_some_and(|host| host.admitted.contains(guest));
        admits(&one, &other) && admits(&other, &one) && !self.cuts.contains(&pair(one, other))
    }

    /// Makes the links what they should be.
    fn settle(&mut self) {
        let gone: Vec<Pair> =
            self.links.keys().copied().filter(|(one, other)| !self.should_be_linked(*one, *other)).collect();
        for (one, other) in gone {
            self.links.remove(&(one, other)).expect("it was listed just now").cancel();
            self.tell(one, TransportEvent::PeerDown { node: other });
            self.tell(other, TransportEvent::PeerDown { node: one });
        }
        let candidates: BTreeSet<Pair> = self
            .nodes
            .iter()
            .flat_map(|(node, station)| station.admitted.iter().map(|other| pair(*node, *other)))
            .collect();
        for (one, other) in candidates {
            if self.should_be_linked(one, other) && !self.links.contains_key(&(one, other)) {
                self.links.insert((one, other), CancellationToken::new());
                self.tell(one, TransportEvent::PeerUp { node: other });
                self.tell(other, TransportEvent::PeerUp { node: one });
            }
        }
    }

    fn peers_of(&self, node: NodeId) -> Vec<NodeId> {
        let other = |(one, other): &Pair| match node {
            node if node == *one => Some(*other),
            node if node == *other => Some(*one),
            _ => None,
        };
        self.links.keys().filter_map(other).collect()
    }

    /// All nodes that gossip or a lookup of `node` gets to, over any number of links.
    fn reach_of(&self, node: NodeId) -> BTreeSet<NodeId> {
        let mut reached = BTreeSet::from([node]);
        let mut frontier = vec![node];
        while let Some(next) = frontier.pop() {
            frontier.extend(self.peers_of(next).into_iter().filter(|peer| reached.insert(*peer)));
        }
        reached
    }

    /// Whether a stranger's knock gets to `to`.
    fn can_knock(&self, from: NodeId, to: NodeId, addresses: &[String]) -> bool {
        self.nodes
            .get(&to)
            .is_some_and(|station| addresses.contains(&station.address) && !station.expelled.contains(&from))
            && !self.cuts.contains(&pair(from, to))
            && from != to
    }
}

/// A message on its way through the network.
struct Rumour {
    topic: &'static str,
    bytes: Vec<u8>,
    seen: Mutex<BTreeSet<NodeId>>,
}

/// Hands a message to those peers of `from` that have not seen it, and onward from each that accepts.
fn spread(hub: &Arc<Mutex<Hub>>, rumour: &Arc<Rumour>, from: NodeId) {
    let peers = lock(hub).peers_of(from);
    for peer in peers {
        if !lock(&rumour.seen).insert(peer) {
            continue;
        }
        let (verdict, judged) = oneshot::channel();
        {
            let hub = lock(hub);
            let size_bytes = rumour.bytes.len() as u64;
            for (node, sent) in [(from, true), (peer, false)] {
                let Some(station) = hub.nodes.get(&node) else { continue };
                let counter =
                    if sent { &station.traffic.sent_bytes } else { &station.traffic.received_bytes };
                counter.fetch_add(size_bytes, Ordering::Relaxed);
            }
            let bytes = rumour.bytes.clone();
            hub.tell(peer, TransportEvent::Gossip { topic: rumour.topic, from, bytes, verdict });
        }
        let (hub, rumour) = (hub.clone(), rumour.clone());
        tokio::spawn(async move {
            let Ok(verdict) = judged.await else { return };
            lock(&hub).verdicts.push((peer, from, verdict));
            if verdict == GossipVerdict::Accept {
                spread(&hub, &rumour, peer);
            }
        });
    }
}

impl MemoryTransport {
    /// Shows `body` at the door of `node` and waits for the answer.
    async fn show(
        &self,
        node: NodeId,
        addresses: &[String],
        body: Vec<u8>,
    ) -> Result<KnockAnswer, TransportError> {
        let unreachable = |reason: &str| TransportError::Unreachable { node, reason: reason.into() };
        let (answer, answered) = oneshot::channel();
        {
            let hub = lock(&self.hub);
            let own = hub.nodes.get(&self.node).ok_or(TransportError::Closed)?;
            if !hub.can_knock(self.node, node, addresses) {
                return Err(unreachable("nobody answers at these addresses"));
            }
            let event =
                TransportEvent::Knocked { from: self.node, address: own.address.clone(), body, answer };
            hub.tell(node, event);
        }
        let answer = answered.await.map_err(|_| unreachable("it closed the connection"))?;
        let mut hub = lock(&self.hub);
        if answer.admitted
            && let Some(station) = hub.nodes.get_mut(&node)
        {
            station.admitted.insert(self.node);
            hub.settle();
        }
        Ok(answer)
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    async fn open(&self, to: NodeId, protocol: &'static str) -> Result<ByteStream, TransportError> {
        let hub = lock(&self.hub);
        let own = hub.nodes.get(&self.node).ok_or(TransportError::Closed)?;
        let (Some(link), Some(other)) = (hub.links.get(&pair(self.node, to)), hub.nodes.get(&to)) else {
            return Err(TransportError::Unreachable { node: to, reason: "not connected".into() });
        };
        if !hub.protocols.contains(&protocol) {
            return Err(TransportError::Unsupported { node: to, protocol });
        }
        let (near, far) = LinkStream::pair(link, own.traffic.clone(), other.traffic.clone());
        hub.tell(to, TransportEvent::Stream { from: self.node, protocol, stream: Box::new(far) });
        Ok(Box::new(near))
    }

    async fn knock(
        &self,
        node: NodeId,
        addresses: Vec<String>,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, TransportError> {
        self.show(node, &addresses, body).await.map(|answer| answer.body)
    }

    fn admit(&self, node: NodeId, _addresses: Vec<String>) {
        let mut hub = lock(&self.hub);
        if let Some(own) = hub.nodes.get_mut(&self.node) {
            own.expelled.remove(&node);
            own.admitted.insert(node);
            hub.settle();
        }
    }

    fn expel(&self, node: NodeId) {
        let mut hub = lock(&self.hub);
        if let Some(own) = hub.nodes.get_mut(&self.node) {
            own.admitted.remove(&node);
            own.expelled.insert(node);
            hub.settle();
        }
    }

    fn gossip(&self, topic: &'static str, bytes: Vec<u8>) {
        let rumour = Rumour { topic, bytes, seen: Mutex::new(BTreeSet::from([self.node])) };
        spread(&self.hub, &Arc::new(rumour), self.node);
    }

    fn advertise(&self, keys: Vec<Hash>) {
        if let Some(own) = lock(&self.hub).nodes.get_mut(&self.node) {
            own.advertised = keys.into_iter().collect();
        }
    }

    async fn find(&self, key: Hash) -> Vec<NodeId> {
        let hub = lock(&self.hub);
        let reached = hub.reach_of(self.node).into_iter().filter(|node| *node != self.node);
        reached.filter(|node| hub.nodes[node].advertised.contains(&key)).collect()
    }

    async fn view(&self) -> NetworkView {
        let hub = lock(&self.hub);
        let Some(own) = hub.nodes.get(&self.node) else { return NetworkView::default() };
        let peer = |node: NodeId| PeerView {
            node,
            path: Path::Direct,
            address: hub.nodes[&node].address.clone(),
            rtt_us: Some(100),
            agent: "memory".into(),
        };
        NetworkView {
            peers: hub.peers_of(self.node).into_iter().map(peer).collect(),
            listening: vec![own.address.clone()],
            external: Vec::new(),
            reachability: "unknown".into(),
            sent_bytes: own.traffic.sent_bytes.load(Ordering::Relaxed),
            received_bytes: own.traffic.received_bytes.load(Ordering::Relaxed),
        }
    }

    async fn shut_down(&self) {
        let mut hub = lock(&self.hub);
        hub.nodes.remove(&self.node);
        hub.settle();
    }
}
