//! The protocols, and who may meet them: `Behaviour` for everyone, `Inner` for members only.

use crate::{config::Config, knock, members::Members, network::StartError, streams};
use libp2p::{
    PeerId, StreamProtocol, autonat, connection_limits, dcutr,
    gossipsub::{self, IdentTopic},
    identify, identity, kad, mdns, memory_connection_limits, ping, relay,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};
use opensky_types::Hash;
use std::{collections::HashSet, time::Duration};

/// Members are pinged this often; it keeps their connection and finds a dead one.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// A ping without an answer for so long closes its connection.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Between refreshes of what members know of each other.
const IDENTIFY_INTERVAL: Duration = Duration::from_secs(30 * 60);
/// Between searches for new members in the DHT.
const BOOTSTRAP_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// A provider record is forgotten after this, and renewed at half of it.
const PROVIDER_TTL: Duration = Duration::from_secs(2 * 60 * 60);
/// Time for one search in the DHT.
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
/// Gossip's beat. It sends nothing by itself when there is nothing to say.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Most peers in gossip's mesh of a topic; six are wanted. Each passes every message on.
const MESH_MAX: usize = 8;
/// Bytes of a message's name, which is told to peers outside the mesh in case they miss it.
const MESSAGE_ID_BYTES: usize = 16;
/// Room for the signature, key and topic around a gossiped message.
const GOSSIP_OVERHEAD_BYTES: usize = 1_024;
/// Most keys whose providers this node remembers for the sky, and most providers of one.
const PROVIDED_KEYS_MAX: usize = 16_384;
const PROVIDERS_PER_KEY_MAX: usize = 64;
/// Longest life of a relayed connection.
const CIRCUIT_DURATION_MAX: Duration = Duration::from_secs(60 * 60);

/// Everything. A stranger meets the limits and the knock, nothing else. mDNS speaks to no connection.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub connections: connection_limits::Behaviour,
    pub memory: memory_connection_limits::Behaviour,
    pub knock: knock::Behaviour,
    pub mdns: Toggle<mdns::tokio::Behaviour>,
    pub members: Members<Inner>,
}

/// What members share.
#[derive(NetworkBehaviour)]
pub(crate) struct Inner {
    pub streams: streams::Behaviour,
    pub gossip: gossipsub::Behaviour,
    pub kad: kad::Behaviour<kad::store::MemoryStore>,
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
    pub autonat: autonat::Behaviour,
    pub relay: Toggle<relay::Behaviour>,
    pub relay_client: relay::client::Behaviour,
    pub dcutr: dcutr::Behaviour,
}

impl Behaviour {
    pub fn new(
        config: &Config,
        key: &identity::Keypair,
        members: HashSet<PeerId>,
        relay_client: relay::client::Behaviour,
    ) -> Result<Self, StartError> {
        let limits = &config.limits;
        let total = limits.connections_max.saturating_add(limits.strangers_max as u32);
        let connections = connection_limits::ConnectionLimits::default()
            .with_max_pending_incoming(Some(limits.pending_max))
            .with_max_pending_outgoing(Some(limits.pending_max))
            .with_max_established(Some(total))
            .with_max_established_per_peer(Some(limits.connections_per_peer_max));
        Ok(Self {
            connections: connection_limits::Behaviour::new(connections),
            memory: memory_connection_limits::Behaviour::with_max_percentage(limits.memory_share_max),
            knock: knock::behaviour(Duration::from_millis(limits.knock_timeout_ms)),
            mdns: mdns(config, key.public().to_peer_id()),
            members: Members::new(Inner::new(config, key, relay_client)?, members, limits),
        })
    }
}

impl Inner {
    fn new(
        config: &Config,
        key: &identity::Keypair,
        relay_client: relay::client::Behaviour,
    ) -> Result<Self, StartError> {
        let me = key.public().to_peer_id();
        Ok(Self {
            streams: streams::Behaviour::new(&config.protocols, &config.limits),
            gossip: gossip(config, key)?,
            kad: kademlia(config, me)?,
            identify: identify::Behaviour::new(
                // The number tells a node that was restarted from what it was before.
                identify::Config::new(format!("/opensky/1/{:016x}", rand::random::<u64>()), key.public())
                    .with_agent_version(format!("opensky/{}", config.version))
                    .with_interval(IDENTIFY_INTERVAL)
                    .with_push_listen_addr_updates(true)
                    .with_hide_listen_addrs(!config.private_addresses),
            ),
            ping: ping::Behaviour::new(
                ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_TIMEOUT),
            ),
            autonat: autonat::Behaviour::new(me, autonat::Config::default()),
            relay: Toggle::from(config.relays.serve.then(|| relay_server(config, me))),
            relay_client,
            dcutr: dcutr::Behaviour::new(me),
        })
    }
}

/// The full name of a topic: skies do not hear each other even where their members meet.
pub(crate) fn topic(config: &Config, name: &str) -> IdentTopic {
    IdentTopic::new(format!("{}/{name}", config.sky.short()))
}

fn mdns(config: &Config, me: PeerId) -> Toggle<mdns::tokio::Behaviour> {
    let mdns = config.mdns.then(|| mdns::tokio::Behaviour::new(mdns::Config::default(), me)).transpose();
    Toggle::from(mdns.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot search the local network (mDNS)");
        None
    }))
}

fn gossip(config: &Config, key: &identity::Keypair) -> Result<gossipsub::Behaviour, StartError> {
    let failed = |source| StartError::Setup { part: "gossip", source };
    let settings = gossipsub::ConfigBuilder::default()
        .validate_messages()
        .validation_mode(gossipsub::ValidationMode::Strict)
        .max_transmit_size(config.limits.gossip_bytes_max + GOSSIP_OVERHEAD_BYTES)
        .heartbeat_interval(HEARTBEAT)
        .heartbeat_initial_delay(HEARTBEAT)
        .mesh_n_high(MESH_MAX)
        // To a few peers, however many are connected.
        .gossip_factor(0.0)
        .message_id_fn(message_id)
        .build()
        .map_err(|error| failed(error.into()))?;
    let authenticity = gossipsub::MessageAuthenticity::Signed(key.clone());
    let mut gossip =
        gossipsub::Behaviour::new(authenticity, settings).map_err(|error| failed(error.into()))?;
    gossip
        .with_peer_score(score(config), gossipsub::PeerScoreThresholds::default())
        .map_err(|error| failed(error.into()))?;
    for name in &config.topics {
        gossip.subscribe(&topic(config, name)).map_err(|error| failed(error.into()))?;
    }
    Ok(gossip)
}

/// A short name that nobody can give to two messages of different authors: author and number are signed.
fn message_id(message: &gossipsub::Message) -> gossipsub::MessageId {
    let mut name = message.source.map(PeerId::to_bytes).unwrap_or_default();
    name.extend(message.sequence_number.unwrap_or_default().to_le_bytes());
    gossipsub::MessageId::new(&Hash::of(&name).as_bytes()[..MESSAGE_ID_BYTES])
}

/// How peers gain and lose standing. Offers are rare, so silence is no fault (no delivery quota);
/// invalid messages and broken rules are.
fn score(config: &Config) -> gossipsub::PeerScoreParams {
    let of_topic = gossipsub::TopicScoreParams {
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_weight: 0.01,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -10.0,
        invalid_message_deliveries_decay: 0.9,
        ..Default::default()
    };
    gossipsub::PeerScoreParams {
        topics: config.topics.iter().map(|name| (topic(config, name).hash(), of_topic.clone())).collect(),
        behaviour_penalty_decay: 0.9,
        behaviour_penalty_threshold: 6.0,
        // Own machines share one address; members of a public sky should not.
        ip_colocation_factor_weight: if config.private_addresses { 0.0 } else { -5.0 },
        ..Default::default()
    }
}

fn kademlia(config: &Config, me: PeerId) -> Result<kad::Behaviour<kad::store::MemoryStore>, StartError> {
    let protocol = StreamProtocol::try_from_owned(format!("/opensky/kad/1/{}", config.sky.short()))
        .map_err(|error| StartError::Setup { part: "kademlia", source: error.into() })?;
    let mut settings = kad::Config::new(protocol);
    settings
        .set_query_timeout(QUERY_TIMEOUT)
        .set_periodic_bootstrap_interval(Some(BOOTSTRAP_INTERVAL))
        .set_provider_record_ttl(Some(PROVIDER_TTL))
        .set_provider_publication_interval(Some(PROVIDER_TTL / 2))
        // Only provider records are kept (`driver/lookups.rs`); there is no use for values here.
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_record_ttl(None)
        .set_replication_interval(None)
        .set_publication_interval(None);
    let store = kad::store::MemoryStoreConfig {
        max_records: 0,
        max_provided_keys: PROVIDED_KEYS_MAX,
        max_providers_per_key: PROVIDERS_PER_KEY_MAX,
        ..Default::default()
    };
    let store = kad::store::MemoryStore::with_config(me, store);
    let mut kademlia = kad::Behaviour::with_config(me, store, settings);
    // Every member that is connected can be asked.
    kademlia.set_mode(Some(kad::Mode::Server));
    Ok(kademlia)
}

fn relay_server(config: &Config, me: PeerId) -> relay::Behaviour {
    let settings = relay::Config {
        max_reservations: config.relays.reservations_max,
        max_circuits: config.relays.circuits_max,
        max_circuit_bytes: config.relays.circuit_bytes_max,
        max_circuit_duration: CIRCUIT_DURATION_MAX,
        ..Default::default()
    };
    relay::Behaviour::new(me, settings)
}
