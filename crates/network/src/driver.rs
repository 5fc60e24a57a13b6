//! The one task that owns the swarm: it takes calls and orders, turns libp2p's events into the
//! node's, and keeps time. `driver/connections.rs` knows who is connected, `driver/knocks.rs` lets
//! strangers in, `driver/calls.rs` serves the node, `driver/lookups.rs` the DHT, `driver/gossip.rs`
//! the gossip, `driver/relays.rs` the way in from behind a NAT, `driver/idle.rs` who may go when there are too many.

use crate::{
    addresses,
    behaviour::{Behaviour, BehaviourEvent, InnerEvent},
    book::Book,
    commands::{Call, Orders, Pending, Standing},
    config::Config,
    counted::Traffic,
    network::StartError,
    outbox::Outbox,
    transport,
};
use futures::{StreamExt, stream::FuturesUnordered};
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::upgrade::Version,
    identity, mdns, relay,
    swarm::{self, SwarmEvent},
};
use opensky_ports::TransportEvent;
use opensky_types::{Keypair, NodeId};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::MissedTickBehavior};

mod calls;
mod connections;
mod gossip;
mod idle;
mod knocks;
mod lookups;
mod relays;

/// How often time is looked at.
const TICK: Duration = Duration::from_millis(500);
/// A connection that carries nothing ends after this; members' never do.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for saying goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Neighbours on the local network that are remembered.
const NEARBY_MAX: usize = 256;

pub(crate) struct Driver {
    swarm: Swarm<Behaviour>,
    config: Config,
    traffic: Arc<Traffic>,
    inbox: mpsc::Receiver<Call>,
    orders: Arc<Orders>,
    outbox: Outbox,
    book: Book,
    /// What mDNS hears.
    nearby: BTreeMap<NodeId, BTreeSet<Multiaddr>>,
    connections: connections::Connections,
    knocks: knocks::Knocks,
    openings: calls::Openings,
    lookups: lookups::Lookups,
    gossip: gossip::Gossip,
    relays: relays::Relays,
}

impl Driver {
    pub fn new(
        config: Config,
        key: &Keypair,
        events: mpsc::Sender<TransportEvent>,
        inbox: mpsc::Receiver<Call>,
        orders: Arc<Orders>,
    ) -> Result<Self, StartError> {
        // libp2p wipes the copy that it is given.
        let key = identity::Keypair::ed25519_from_bytes(**key.seed())
            .map_err(|error| StartError::Setup { part: "the node's key", source: error.into() })?;
        let traffic = Arc::new(Traffic::default());
        let mut book = Book::default();
        let now = Instant::now();
        for text in &config.bootstrap {
            let (peer, address) = addresses::parse_with_node(text)?;
            book.add_entrance(peer, address, now);
        }
        for text in &config.relays.through {
            let (peer, address) = addresses::parse_with_node(text)?;
            book.add_relay(peer, address, now);
        }
        for member in &config.members {
            book.add_member(addresses::peer_of(&member.node), addresses::parse_all(&member.addresses), now);
        }
        let swarm = listening(&config, &key, &traffic)?;
        let waiting_max = config.limits.events_max;
        let relays = relays::Relays::new(&config)?;
        let gossip = gossip::Gossip::new(&config);
        let knocks = knocks::Knocks::new(config.knock_body.clone());
        Ok(Self {
            swarm,
            config,
            traffic,
            inbox,
            orders,
            outbox: Outbox::new(events, waiting_max),
            book,
            nearby: BTreeMap::new(),
            connections: connections::Connections::default(),
            knocks,
            openings: calls::Openings::default(),
            lookups: lookups::Lookups::default(),
            gossip,
            relays,
        })
    }

    /// Runs until it is told to end, or nobody holds the network any more.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let events = self.outbox.sender();
        let orders = self.orders.clone();
        self.await_listening().await;
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                () = orders.changed() => {}
                call = self.inbox.recv() => match call {
                    Some(call) => {
                        // An order given before a call is carried out before it.
                        if !self.carry_out_orders() {
                            break;
                        }
                        self.on_call(call);
                    }
                    None => break,
                },
                Some(answer) = self.knocks.answers.next() => self.on_answer(answer),
                Some(judged) = self.gossip.verdicts.next() => self.on_verdict(judged),
                // An error means that the node dropped its receiver; the network serves on.
                _ = events.reserve(), if self.outbox.is_waiting() && !events.is_closed() => self.outbox.flush(),
                _ = tick.tick() => self.on_tick(Instant::now()),
            }
            if !self.carry_out_orders() {
                break;
            }
        }
        self.say_goodbye().await;
    }

    /// The first view shall show where this node listens.
    async fn await_listening(&mut self) {
        let listening = async {
            while self.config.listen && self.swarm.listeners().next().is_none() {
                let event = self.swarm.select_next_some().await;
                self.on_swarm_event(event);
            }
        };
        if tokio::time::timeout(GOODBYE, listening).await.is_err() {
            tracing::warn!("no interface to listen on yet");
        }
    }

    /// `false`: the order is to end.
    fn carry_out_orders(&mut self) -> bool {
        let Pending { standings, advertised, knock_body, shut_down } = self.orders.take();
        if let Some(body) = knock_body {
            self.knocks.body = body;
        }
        for (node, standing) in standings {
            match standing {
                Standing::Member(addresses) => self.on_admit(node, addresses),
                Standing::Expelled => self.on_expel(node),
            }
        }
        if let Some(keys) = advertised {
            self.on_advertise(keys);
        }
        !shut_down
    }

    fn on_tick(&mut self, now: Instant) {
        self.close_overdue(now);
        self.let_idle_go(now);
        self.dial_due(now);
        self.give_up_openings(now);
        self.give_up_finds(now);
        self.announce_again(now);
        self.use_relays(now);
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                self.on_closed(peer_id, connection_id, cause);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.on_dial_failed(peer, &error);
            }
            SwarmEvent::NewListenAddr { address, .. } => self.on_listening(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                tracing::info!(%address, "no longer listening");
                self.swarm.remove_external_address(&address);
                self.book.try_all_soon(Instant::now());
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                if let Err(error) = reason {
                    tracing::warn!(%error, "a listener ended");
                }
                self.relays.on_listener_closed(listener_id);
            }
            SwarmEvent::ListenerError { error, .. } => tracing::debug!(%error, "listener error"),
            SwarmEvent::IncomingConnectionError { error, send_back_addr, .. } => {
                tracing::debug!(%error, from = %send_back_addr, "inbound connection failed");
            }
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Knock(event) => self.on_knock_event(event),
            BehaviourEvent::Mdns(event) => self.on_mdns(event),
            BehaviourEvent::Members(event) => self.on_member_event(event),
            BehaviourEvent::Connections(never) | BehaviourEvent::Memory(never) => match never {},
        }
    }

    fn on_member_event(&mut self, event: InnerEvent) {
        match event {
            InnerEvent::Streams(inbound) => self.on_stream(inbound),
            InnerEvent::Gossip(event) => self.on_gossip(event),
            InnerEvent::Kad(event) => self.on_kad(event),
            InnerEvent::Identify(event) => self.on_identify(event),
            InnerEvent::Ping(event) => self.on_ping(event),
            InnerEvent::Autonat(event) => self.relays.on_autonat(&event),
            InnerEvent::Relay(event) => self.relays.on_relaying(&event),
            InnerEvent::RelayClient(event) => tracing::debug!(?event, "relayed by another"),
            InnerEvent::Dcutr(event) => tracing::debug!(?event, "hole punching"),
        }
    }

    fn on_listening(&mut self, address: Multiaddr) {
        tracing::info!(%address, "listening");
        // In a sky of own machines an address that is listened on is one to be reached at; in a
        // public one AutoNAT must first have seen that it works.
        if self.config.private_addresses || addresses::is_relayed(&address) {
            self.swarm.add_external_address(address);
        }
        self.book.try_all_soon(Instant::now());
    }

    fn on_mdns(&mut self, event: mdns::Event) {
        let now = Instant::now();
        match event {
            mdns::Event::Discovered(heard) => {
                for (peer, address) in heard {
                    let Some(node) = addresses::node_of(&peer) else { continue };
                    if self.nearby.len() < NEARBY_MAX || self.nearby.contains_key(&node) {
                        let known = self.nearby.entry(node).or_default();
                        if known.len() < addresses::ADDRESSES_MAX {
                            known.insert(address.clone());
                        }
                        self.book.add_heard(peer, address, now);
                    }
                }
            }
            mdns::Event::Expired(gone) => {
                for (peer, address) in gone {
                    let Some(node) = addresses::node_of(&peer) else { continue };
                    if let Some(known) = self.nearby.get_mut(&node) {
                        known.remove(&address);
                        if known.is_empty() {
                            self.nearby.remove(&node);
                        }
                    }
                }
            }
        }
    }

    /// Closes every connection and gives the others a moment to hear so.
    async fn say_goodbye(mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // It was connected a line ago; if no longer, there is nothing to close.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        if tokio::time::timeout(GOODBYE, closed).await.is_err() {
            tracing::debug!("some connections did not close in time");
        }
    }
}

fn listening(
    config: &Config,
    key: &identity::Keypair,
    traffic: &Arc<Traffic>,
) -> Result<Swarm<Behaviour>, StartError> {
    let me = key.public().to_peer_id();
    let (relayed, relay_client) = relay::client::new(me);
    let transport = transport::build(key, relayed, traffic, config.private_addresses)?;
    let members = config.members.iter().map(|member| addresses::peer_of(&member.node)).collect();
    let behaviour = Behaviour::new(config, key, members, relay_client)?;
    let settings = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE_TIMEOUT)
        // A stream's first bytes travel with its negotiation.
        .with_substream_upgrade_protocol_override(Version::V1Lazy)
        .with_smart_dial();
    let mut swarm = Swarm::new(transport, behaviour, me, settings);
    if config.listen {
        listen(&mut swarm, config)?;
    }
    Ok(swarm)
}

/// QUIC and TCP, IPv4 and IPv6. A machine without IPv6 is fine.
fn listen(swarm: &mut Swarm<Behaviour>, config: &Config) -> Result<(), StartError> {
    let port = config.listen_port;
    let (v4, v6) = match config.loopback_only {
        true => (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST),
        false => (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED),
    };
    let bases = [(Multiaddr::from(v4), true), (Multiaddr::from(v6), false)];
    for (base, needed) in bases {
        for path in [format!("/udp/{port}/quic-v1"), format!("/tcp/{port}")] {
            let suffix: Multiaddr = path.parse().expect("a path of fixed form");
            let address = base.iter().chain(suffix.iter()).collect();
            match swarm.listen_on(address) {
                Ok(_) => {}
                Err(error) if needed => {
                    let source = match error {
                        libp2p::TransportError::Other(source) => source,
                        other => std::io::Error::other(other),
                    };
                    return Err(StartError::Listen { port, source });
                }
                Err(error) => tracing::debug!(%error, "not listening on IPv6"),
            }
        }
    }
    Ok(())
}

/// Tasks that wait for the node's word.
type Waiting<T> = FuturesUnordered<futures::future::BoxFuture<'static, T>>;
