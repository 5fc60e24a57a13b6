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
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Events that may wait for one node. A test that lets more wait has lost its node.
const EVENTS_MAX: usize = 16 * 1024;
/// Pause between two looks whether anything gets through again.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// A network in memory. Clones share one network.
#[derive(Clone)]
pub struct MemoryNetwork {
    hub: Arc<Mutex<Hub>>,
}

/// What becomes of messages on their way.
pub trait Weather: Send + Sync {
    /// How long a piece of a stream takes now; none: nothing gets through, and it waits.
    fn delay(&self, from: NodeId, to: NodeId) -> Option<Duration>;

    /// How long gossip takes now; none: it is lost.
    fn gossip_delay(&self, from: NodeId, to: NodeId) -> Option<Duration>;

    /// How much later gossip comes a second time, if it does.
    fn echo(&self, from: NodeId, to: NodeId) -> Option<Duration>;
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
    /// None: everything arrives at once.
    weather: Option<Arc<dyn Weather>>,
    /// Counts starts of nodes.
    lives: u64,
}

/// What the network knows of one node.
struct Station {
    /// Tells the door of this life from one of a life that was ended.
    life: u64,
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
    life: u64,
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
            weather: None,
            lives: 0,
        };
        Self { hub: Arc::new(Mutex::new(hub)) }
    }

    /// From now on messages take their time.
    pub fn set_weather(&self, weather: Arc<dyn Weather>) {
        lock(&self.hub).weather = Some(weather);
    }

    /// Starts `node`, or starts it again after a shutdown, as a stranger to all.
    pub fn start(&self, node: NodeId) -> (MemoryTransport, mpsc::Receiver<TransportEvent>) {
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let mut hub = lock(&self.hub);
        hub.lives += 1;
        let life = hub.lives;
        let station = Station {
            life,
            address: format!("/memory/{node}"),
            events,
            admitted: BTreeSet::new(),
            expelled: BTreeSet::new(),
            advertised: BTreeSet::new(),
            traffic: Arc::new(Traffic::default()),
        };
        let running = hub.nodes.insert(node, station);
        assert!(running.is_none(), "{node} runs already");
        (MemoryTransport { node, life, hub: self.hub.clone() }, receiver)
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
        let life = lock(&self.hub).nodes.get(&finder).map_or(0, |station| station.life);
        let door = MemoryTransport { node: finder, life, hub: self.hub.clone() };
        let address = self.address(found);
        let answer = door.show(found, std::slice::from_ref(&address), body).await?;
        if answer.admitted {
            let event = TransportEvent::Welcomed { from: found, address, body: answer.body };
            lock(&self.hub).tell(finder, event);
        }
        Ok(())
    }

    /// Whether two nodes are connected.
    pub fn are_linked(&self, one: NodeId, other: NodeId) -> bool {
        lock(&self.hub).links.contains_key(&pair(one, other))
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
    let (peers, weather) = {
        let hub = lock(hub);
        (hub.peers_of(from), hub.weather.clone())
    };
    for peer in peers {
        let Some(weather) = &weather else {
            if lock(&rumour.seen).insert(peer) {
                deliver(hub, rumour, from, peer);
            }
            continue;
        };
        let (delay, echo) = (weather.gossip_delay(from, peer), weather.echo(from, peer));
        let Some(delay) = delay else { continue };
        let (hub, rumour) = (hub.clone(), rumour.clone());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if lock(&rumour.seen).insert(peer) {
                deliver(&hub, &rumour, from, peer);
            }
            if let Some(echo) = echo {
                // So late that nobody remembers having seen it.
                tokio::time::sleep(echo).await;
                deliver(&hub, &rumour, from, peer);
            }
        });
    }
}

/// Hands a message to one peer, and onward when it accepts.
fn deliver(hub: &Arc<Mutex<Hub>>, rumour: &Arc<Rumour>, from: NodeId, peer: NodeId) {
    let (verdict, judged) = oneshot::channel();
    {
        let hub = lock(hub);
        let size_bytes = rumour.bytes.len() as u64;
        for (node, sent) in [(from, true), (peer, false)] {
            let Some(station) = hub.nodes.get(&node) else { continue };
            let counter = if sent { &station.traffic.sent_bytes } else { &station.traffic.received_bytes };
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

/// Waits until a message has arrived.
async fn arrival(weather: &dyn Weather, from: NodeId, to: NodeId) {
    loop {
        match weather.delay(from, to) {
            Some(delay) => return tokio::time::sleep(delay).await,
            None => tokio::time::sleep(LOOK).await,
        }
    }
}

impl Hub {
    /// What the network knows of the node behind a door, unless that life of it is over.
    fn behind(&self, door: &MemoryTransport) -> Option<&Station> {
        self.nodes.get(&door.node).filter(|station| station.life == door.life)
    }

    fn behind_mut(&mut self, door: &MemoryTransport) -> Option<&mut Station> {
        self.nodes.get_mut(&door.node).filter(|station| station.life == door.life)
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
        let weather = lock(&self.hub).weather.clone();
        if let Some(weather) = &weather {
            let there = weather.delay(self.node, node).ok_or_else(|| unreachable("nothing gets through"))?;
            tokio::time::sleep(there).await;
        }
        {
            let hub = lock(&self.hub);
            let own = hub.behind(self).ok_or(TransportError::Closed)?;
            if !hub.can_knock(self.node, node, addresses) {
                return Err(unreachable("nobody answers at these addresses"));
            }
            let event =
                TransportEvent::Knocked { from: self.node, address: own.address.clone(), body, answer };
            hub.tell(node, event);
        }
        let answer = answered.await.map_err(|_| unreachable("it closed the connection"))?;
        if let Some(weather) = &weather {
            let back = weather.delay(node, self.node).ok_or_else(|| unreachable("nothing comes back"))?;
            tokio::time::sleep(back).await;
        }
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
        let own = hub.behind(self).ok_or(TransportError::Closed)?;
        let (Some(link), Some(other)) = (hub.links.get(&pair(self.node, to)), hub.nodes.get(&to)) else {
            return Err(TransportError::Unreachable { node: to, reason: "not connected".into() });
        };
        if !hub.protocols.contains(&protocol) {
            return Err(TransportError::Unsupported { node: to, protocol });
        }
        let Some(weather) = hub.weather.clone() else {
            let (near, far) = LinkStream::pair(link, own.traffic.clone(), other.traffic.clone());
            hub.tell(to, TransportEvent::Stream { from: self.node, protocol, stream: Box::new(far) });
            return Ok(Box::new(near));
        };
        let ends = ((self.node, own.traffic.clone()), (to, other.traffic.clone()));
        let (near, far) = LinkStream::far_pair(link, ends.0, ends.1, &weather);
        let (link, hub, from) = (link.clone(), Arc::clone(&self.hub), self.node);
        tokio::spawn(async move {
            let arrives = arrival(weather.as_ref(), from, to);
            if link.run_until_cancelled(arrives).await.is_some() {
                let event = TransportEvent::Stream { from, protocol, stream: Box::new(far) };
                lock(&hub).tell(to, event);
            }
        });
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
        if let Some(own) = hub.behind_mut(self) {
            own.expelled.remove(&node);
            own.admitted.insert(node);
            hub.settle();
        }
    }

    fn expel(&self, node: NodeId) {
        let mut hub = lock(&self.hub);
        if let Some(own) = hub.behind_mut(self) {
            own.admitted.remove(&node);
            own.expelled.insert(node);
            hub.settle();
        }
    }

    fn gossip(&self, topic: &'static str, bytes: Vec<u8>) {
        if lock(&self.hub).behind(self).is_none() {
            return;
        }
        let rumour = Rumour { topic, bytes, seen: Mutex::new(BTreeSet::from([self.node])) };
        spread(&self.hub, &Arc::new(rumour), self.node);
    }

    fn advertise(&self, keys: Vec<Hash>) {
        if let Some(own) = lock(&self.hub).behind_mut(self) {
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
        let Some(own) = hub.behind(self) else { return NetworkView::default() };
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
        if hub.behind(self).is_none() {
            return;
        }
        hub.nodes.remove(&self.node);
        hub.settle();
    }
}
