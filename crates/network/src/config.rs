//! What a network is started with.

use opensky_types::{Hash, NodeId};

/// Everything a network needs to know at start. `Default` runs: any port, no peers, no protocols.
#[derive(Debug, Clone)]
pub struct Config {
    /// The sky. Nodes of other skies share no DHT and no topic with this one. A node that does not
    /// know its sky yet (it joins on the local network) starts with zeros, knocks, and starts anew.
    pub sky: Hash,
    /// UDP and TCP port to listen on, on all interfaces; 0 takes any free one.
    pub listen_port: u16,
    /// Whether to listen at all. Without, this node is reached through relays only.
    pub listen: bool,
    /// Listen on loopback only, as a sky on one machine does.
    pub loopback_only: bool,
    /// Stream protocols served to members, by full name (`/opensky/work/1`).
    pub protocols: Vec<&'static str>,
    /// Gossip topics subscribed to, without the sky's prefix (`offers/1`).
    pub topics: Vec<&'static str>,
    /// What the network shows when it knocks by itself; empty until the node belongs to a sky, and
    /// then it knocks nowhere by itself. See [`crate::Network::set_knock_body`].
    pub knock_body: Vec<u8>,
    /// Where to enter the sky: multiaddresses that end in `/p2p/NODE`.
    pub bootstrap: Vec<String>,
    /// Members known from before.
    pub members: Vec<KnownMember>,
    /// Find and be found on the local network.
    pub mdns: bool,
    /// Whether private and loopback addresses are believed and told. Right for skies of own
    /// machines; wrong for a public sky, where they are a way to make nodes dial their own LAN.
    pub private_addresses: bool,
    /// Relaying.
    pub relays: Relays,
    /// Version told to members, as `opensky/VERSION`.
    pub version: String,
    /// Bounds.
    pub limits: Limits,
}

/// A member and where it was last reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMember {
    /// Who.
    pub node: NodeId,
    /// Multiaddresses.
    pub addresses: Vec<String>,
}

/// Relaying for others and by others.
#[derive(Debug, Clone)]
pub struct Relays {
    /// Carry a bounded amount of traffic between members that cannot reach each other.
    pub serve: bool,
    /// Relays to be reachable through, as multiaddresses that end in `/p2p/NODE`. When empty, a
    /// node that finds itself unreachable picks connected members that serve.
    pub through: Vec<String>,
    /// Members that may be reachable through this node at a time.
    pub reservations_max: usize,
    /// Relayed connections at a time.
    pub circuits_max: usize,
    /// Bytes one relayed connection may carry each way.
    pub circuit_bytes_max: u64,
}

/// Bounds on what peers can make this node hold. Each is tested with a peer that ignores it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections to members.
    pub connections_max: u32,
    /// Connections to one peer.
    pub connections_per_peer_max: u32,
    /// Connections being set up, each way.
    pub pending_max: u32,
    /// Connections of peers that are not members.
    pub strangers_max: usize,
    /// Of those, from one IP address.
    pub strangers_per_ip_max: usize,
    /// New connections of strangers from one IP address: this many at once, then one a second.
    pub strangers_per_ip_burst: u32,
    /// Time for one knock and its answer. A stranger's connection ends after twice that.
    pub knock_timeout_ms: u64,
    /// A stranger that connected and has not knocked by then is sent away.
    pub silent_stranger_ms: u64,
    /// Share of the machine's memory above which no connection is accepted.
    pub memory_share_max: f64,
    /// Streams that one member may hold open here.
    pub streams_per_peer_max: usize,
    /// Streams that one member may open per second, on average; ten times that at once.
    pub streams_per_second_max: u32,
    /// Messages of one author that are looked at per second, on average; ten times that at once.
    pub gossip_per_second_max: u32,
    /// Largest gossiped message, in bytes.
    pub gossip_bytes_max: usize,
    /// Known members that the network keeps itself connected to.
    pub members_connected_target: usize,
    /// Connected members beyond which those that were used least lately are let go, down to three quarters.
    pub members_idle_max: usize,
    /// Nobody is let go who was used less than this ago.
    pub members_idle_after_ms: u64,
    /// Events that wait for the node.
    pub events_max: usize,
    /// Calls that wait for the network.
    pub calls_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sky: Hash::from_bytes([0; 32]),
            listen_port: 0,
            listen: true,
            loopback_only: false,
            protocols: Vec::new(),
            topics: Vec::new(),
            knock_body: Vec::new(),
            bootstrap: Vec::new(),
            members: Vec::new(),
            mdns: false,
            private_addresses: true,
            relays: Relays::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            limits: Limits::default(),
        }
    }
}

impl Default for Relays {
    fn default() -> Self {
        Self {
            serve: true,
            through: Vec::new(),
            reservations_max: 64,
            circuits_max: 16,
            circuit_bytes_max: 16 * 1024 * 1024,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            connections_per_peer_max: 4,
            pending_max: 64,
            strangers_max: 64,
            strangers_per_ip_max: 16,
            strangers_per_ip_burst: 64,
            knock_timeout_ms: 10_000,
            silent_stranger_ms: 3_000,
            memory_share_max: 0.95,
            streams_per_peer_max: 256,
            streams_per_second_max: 200,
            gossip_per_second_max: 20,
            gossip_bytes_max: 16 * 1024,
            members_connected_target: 50,
            members_idle_max: 128,
            members_idle_after_ms: 30_000,
            events_max: 1024,
            calls_max: 1024,
        }
    }
}
